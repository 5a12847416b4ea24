"""Authenticity by its definition, and the detector of copies on planted ones."""

import numpy as np
import pytest
from helpers.metrics_reference import normal
from scipy.stats import binomtest

from tinygan.metrics import copies as copies_module
from tinygan.metrics.copies import THRESHOLD, are_copies, authentic, copy_ratios
from tinygan.metrics.shares import share_with_interval


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Make every matrix take several blocks, the last one not full."""
    monkeypatch.setattr(copies_module, "BLOCK", 190)


def authentic_by_definition(x, y) -> list[bool]:
    """In the words of Stein et al., one image after the other."""
    found = []
    for image in x:
        to_real = [np.linalg.norm(image - other) for other in y]
        j = int(np.argmin(to_real))
        own = min(np.linalg.norm(y[j] - y[i]) for i in range(len(y)) if i != j)
        found.append(bool(own < to_real[j]))
    return found


def ratio_by_definition(x, y, k) -> list[float]:
    """Equation 2 of Carlini et al., times their alpha."""
    ratios = []
    for image in x:
        nearest = sorted(np.linalg.norm(image - other) for other in y)[:k]
        ratios.append(nearest[0] / (sum(nearest) / len(nearest)))
    return ratios


@pytest.mark.parametrize(("n", "m", "d"), [(20, 30, 3), (400, 12, 2), (5, 2, 9)])
def test_authentic_is_its_definition(n, m, d):
    x, y = normal(n, d), normal(m, d, seed=1) + 0.3
    found = authentic(x, y)
    assert found.tolist() == authentic_by_definition(x, y)


def test_authenticity_on_a_line():
    """Real images at 0, 1 and 10: the neighbours of 0 and 1 are at 1, that of 10 at 9."""
    y = np.array([[0.0], [1.0], [10.0]])
    x = np.array([[0.4], [-0.9], [-1.1], [1.0], [5.6], [18.9], [19.1]])
    assert authentic(x, y).tolist() == [False, False, True, False, False, False, True]


def test_copies_are_not_authentic_even_of_an_image_that_occurs_twice():
    y = 40 * normal(30, 50, seed=1)
    y = np.concatenate([y, y[:10]])
    assert not authentic(y, y).any()
    assert (copy_ratios(y, y) < 1e-6).all()


@pytest.mark.parametrize(("n", "m", "d", "k"), [(20, 60, 3, 50), (400, 12, 2, 12), (5, 1, 9, 1)])
def test_the_ratio_is_its_definition(n, m, d, k):
    x, y = normal(n, d), normal(m, d, seed=1) + 0.3
    assert copy_ratios(x, y) == pytest.approx(ratio_by_definition(x, y, k), rel=1e-9)


def test_the_ratio_where_all_real_images_are_the_same():
    assert copy_ratios(np.array([[0.0], [2.0]]), np.zeros((5, 1))).tolist() == [0, 1]


def features_of_images(n: int, seed: int) -> np.ndarray:
    """Features [n, 64] of about 15 dimensions, with a decaying spectrum, as extractors have."""
    spectrum = 1.0 / (1 + np.arange(64)) ** 0.5
    return normal(n, 64, seed=seed) * spectrum


@pytest.mark.parametrize("planted", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_planted_copies_are_found(planted, noise):
    """Exact copies, and copies moved by a fraction of the distance between real neighbours.

    The share is found to within 0.3 percent points, and so are nearly all of the copies.
    """
    y, x = features_of_images(1000, seed=1), features_of_images(2000, seed=2)
    count = round(planted * len(x))
    moved = normal(count, 64, seed=3)
    moved *= noise * _neighbour_distance(y) / np.linalg.norm(moved, axis=1, keepdims=True)
    x[:count] = y[:count] + moved
    found = are_copies(x, y)
    assert abs(found.mean() - planted) <= 0.003
    assert found[:count].mean() >= 0.98
    # They are the least authentic ones, but the share of authentic images does not count them.
    assert not authentic(x[:count], y).any()


def _neighbour_distance(y: np.ndarray) -> float:
    """The median distance of a real image to its nearest neighbour."""
    distances = np.linalg.norm(y[:, None] - y[:200], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=0)))


def test_held_out_real_images_are_rarely_taken_for_copies():
    real = features_of_images(4000, seed=4)
    held_out, y = real[:3000], real[3000:]
    assert are_copies(held_out, y).mean() <= 0.001
    # That is not because nothing is ever found: half the ratios are well below 1.
    assert THRESHOLD < np.median(copy_ratios(held_out, y)) < 0.95


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (normal(9, 3), normal(0, 3), "at least . samples are needed, not 0"),
        (normal(9, 3), normal(9, 2), "3 and 2 dimensions"),
        (normal(9, 3), np.full((9, 3), np.nan), "NaN"),
        (normal(9), normal(9, 3), r"\[N, d\]"),
    ],
)
@pytest.mark.parametrize("metric", [authentic, copy_ratios])
def test_both_refuse(metric, x, y, message):
    with pytest.raises(ValueError, match=message):
        metric(x, y)


def test_a_class_without_drawn_images_has_no_copies():
    assert copy_ratios(normal(0, 3), normal(9, 3)).shape == (0,)


def test_authenticity_needs_two_real_images():
    with pytest.raises(ValueError, match="at least 2 samples are needed, not 1"):
        authentic(normal(4, 2), normal(1, 2))


@pytest.mark.parametrize(("hits", "n"), [(0, 24), (0, 40), (1, 40), (17, 300), (24, 24)])
def test_the_interval_of_a_share_is_wilsons(hits, n):
    share, ends = share_with_interval(hits, n)
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert share == hits / n
    assert ends == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert ends[0] <= share <= ends[1] and ends[0] < ends[1]
