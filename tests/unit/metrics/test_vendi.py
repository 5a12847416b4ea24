"""The Vendi score against its definition, and in closed form."""

import numpy as np
import pytest
import scipy.linalg
from helpers.metrics_reference import normal
from scipy.stats import entropy

from tinygan.metrics.vendi import vendi, vendi_with_variance


def vendi_by_definition(x: np.ndarray) -> float:
    """The exponential of the von Neumann entropy of K / n, with the logarithm of the matrix."""
    n = len(x)
    kernel = np.array([[a @ b / np.sqrt(a @ a) / np.sqrt(b @ b) for b in x] for a in x])
    # Eigenvalues that are zero up to rounding contribute 0 log 0 = 0.
    values = scipy.linalg.svdvals(kernel / n)
    return float(np.exp(entropy(values[values > 1e-12])))


@pytest.mark.parametrize(("n", "d"), [(5, 12), (40, 12), (12, 12), (1, 3)])
def test_it_is_the_definition(n, d):
    x = 3 * normal(n, d) + 0.5
    assert vendi(x) == pytest.approx(vendi_by_definition(x), rel=1e-9)


@pytest.mark.parametrize("repeats", [1, 2, 30])
def test_orthogonal_images_count_and_their_repetitions_do_not(repeats):
    """Above d images the d x d matrix is decomposed, below the n x n one."""
    x = np.tile(np.diag([1.0, 0.2, 5.0, 3.0, 1.0]), (repeats, 1))
    assert vendi(x) == pytest.approx(5, rel=1e-12)


def test_unequal_shares_and_two_directions_in_closed_form():
    x = np.repeat(np.eye(3), [60, 30, 10], axis=0)
    assert vendi(x) == pytest.approx(np.exp(entropy([0.6, 0.3, 0.1])), rel=1e-12)
    # Two images at an angle t: the eigenvalues of K / 2 are (1 +- cos t) / 2.
    t = 0.7
    pair = np.array([[1, 0], [np.cos(t), np.sin(t)]])
    eigenvalues = (1 + np.cos(t)) / 2, (1 - np.cos(t)) / 2
    assert vendi(pair) == pytest.approx(np.exp(entropy(eigenvalues)), rel=1e-12)
    assert vendi(np.ones((9, 4))) == pytest.approx(1, abs=1e-12)


def weighted(x: np.ndarray, weights: np.ndarray) -> float:
    """The Vendi score of images with weights, which add up to 1."""
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.svd(u * np.sqrt(weights)[:, None], compute_uv=False) ** 2
    return float(np.exp(entropy(values[values > 1e-14])))


@pytest.mark.parametrize(("n", "d"), [(14, 30), (40, 6)])
@pytest.mark.parametrize("sizes", [(1.0,), (0.5, 0.2, 0.3)])
def test_the_variance_is_that_of_the_derivatives(n, d, sizes):
    """The derivative of the score by the weight of each image, by finite differences."""
    x, counts = normal(n, d) + 0.2, np.rint(np.array(sizes) * n).astype(int)
    strata = np.repeat(range(len(sizes)), counts)
    step, equal = 1e-6, np.full(n, 1 / n)
    ends = [
        [weighted(x, (equal + sign * step * row) / (1 + sign * step)) for row in np.eye(n)]
        for sign in (1, -1)
    ]
    slopes = np.subtract(*ends) / (2 * step)
    assert sum(slopes) == pytest.approx(0, abs=1e-6)
    parts = [slopes[strata == h] for h in range(len(sizes))]
    expected = sum(len(part) * np.var(part, ddof=1) for part in parts) / n**2
    score, variance = vendi_with_variance(x, strata)
    assert score == pytest.approx(vendi(x), rel=1e-12)
    assert variance.value == pytest.approx(expected, rel=1e-6)
    assert variance.degrees == n - 1 if len(sizes) == 1 else 3 < variance.degrees < n - 3


@pytest.mark.parametrize(("n", "d", "decay"), [(100, 100, 0.5), (200, 30, 0.0), (150, 20, 1.0)])
def test_its_interval_covers_the_expected_score_of_fresh_draws(n, d, decay):
    """Of 200 sets; the standard error of a share of 95 % is 1.5 points."""
    scale, rng = (1.0 + np.arange(d)) ** -decay, np.random.default_rng(0)
    drawn = [np.abs(rng.normal(size=(n, d)) * scale) for _ in range(200)]
    found = [vendi_with_variance(x, np.zeros(n)) for x in drawn]
    expected = np.mean([score for score, _ in found])
    inside = [low < expected < high for low, high in (v.interval(s) for s, v in found)]
    assert 0.90 < np.mean(inside) < 0.99


def test_a_class_with_one_image_leaves_the_variance_unknown():
    score, variance = vendi_with_variance(normal(5, 3), np.array([0, 0, 1, 2, 2]))
    assert score > 1 and variance.interval(score) == (None, None)


def test_it_refuses():
    for x, message in (
        (normal(0, 3), "at least 1 samples"),
        (np.full((3, 2), np.inf), "NaN or infinity"),
        (normal(3), r"\[N, d\]"),
    ):
        with pytest.raises(ValueError, match=message):
            vendi(x)
