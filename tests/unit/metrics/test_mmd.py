"""The MMD of CMMD against its definition, on features of any extractor."""

import math

import numpy as np
import pytest
from helpers.metrics_reference import normal

from tinygan.metrics import mmd as mmd_module
from tinygan.metrics.distances import square_distances, unit_rows
from tinygan.metrics.mmd import mmd_rbf, mmd_rbf_jackknife


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Make every matrix take several blocks, the last one not full."""
    monkeypatch.setattr(mmd_module, "BLOCK", 7)


def mmd_by_definition(x, y) -> float:
    """Equation 5 of Gretton et al. (2012) times 1000, one pair at a time, sigma = 10."""

    def direction(a):
        return [value / math.sqrt(sum(v * v for v in a)) for value in a]

    def mean_kernel(left, right):
        exponents = (math.dist(a, b) ** 2 for a in left for b in right)
        return math.fsum(math.exp(-e / 200) for e in exponents) / (len(left) * len(right))

    x, y = ([direction(row) for row in rows.tolist()] for rows in (x, y))
    return 1000 * (mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y))


@pytest.mark.parametrize(("n", "m", "d"), [(20, 30, 4), (5, 9, 12), (1, 1, 2)])
def test_it_is_the_definition(n, m, d):
    x, y = 3 * normal(n, d), normal(m, d, seed=1) + 0.4
    # The definition itself loses digits: its kernels are near 1, and the score is their difference.
    assert mmd_rbf(x, y) == pytest.approx(mmd_by_definition(x, y), rel=1e-9, abs=1e-10)
    assert mmd_rbf(x, y) == pytest.approx(mmd_rbf(y, x), rel=1e-11)


def test_one_image_against_another_in_closed_form():
    """Directions at a right angle are at a squared distance of 2, opposite ones at one of 4."""
    x, y = np.array([[5.0, 0.0]]), np.array([[0.0, 0.1]])
    assert mmd_rbf(x, y) == pytest.approx(2000 * (1 - math.exp(-2 / 200)), rel=1e-12)
    assert mmd_rbf(x, -x) == pytest.approx(2000 * (1 - math.exp(-4 / 200)), rel=1e-12)
    assert mmd_rbf(x, 7 * x) == 0  # lengths do not count


def test_it_is_biased_as_the_v_statistic_is():
    """Samples of one distribution: 10 (1 - |m|^2) (1/n + 1/m), up to 2 % for the linearisation."""
    values = [mmd_rbf(normal(30, 5, seed=2 * i), normal(60, 5, seed=2 * i + 1)) for i in range(200)]
    assert np.mean(values) == pytest.approx(10 * (1 / 30 + 1 / 60), rel=0.05)


def test_without_each_group():
    x, y = normal(23, 4), normal(11, 4, seed=1) + 0.4
    groups = np.arange(23) % 4
    value, without = mmd_rbf_jackknife(x, y, groups)
    assert value == pytest.approx(mmd_rbf(x, y), rel=1e-12)
    expected = [mmd_by_definition(x[groups != g], y) for g in range(4)]
    assert without == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="too few for their groups"):
        mmd_rbf_jackknife(x[:3], y, np.zeros(3, dtype=int))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (normal(0, 3), normal(9, 3), "at least 1 samples are needed, not 0"),
        (normal(9, 3), normal(9, 2), "3 and 2 dimensions"),
        (normal(9, 3), np.full((9, 3), np.nan), "NaN"),
        (normal(9), normal(9, 3), r"\[N, d\]"),
    ],
)
def test_it_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        mmd_rbf(x, y)


def test_unit_rows_leave_zero_alone():
    assert unit_rows(np.array([[3, 4], [0, 0]])).tolist() == [[0.6, 0.8], [0, 0]]


def test_square_distances_come_in_blocks():
    a, b = normal(10, 3), normal(4, 3, seed=1)
    blocks = list(square_distances(a, b, 4))
    assert [(rows.start, rows.stop) for rows, _ in blocks] == [(0, 4), (4, 8), (8, 10)]
    expected = np.square(a[:, None] - b).sum(axis=2)
    assert np.concatenate([part for _, part in blocks]) == pytest.approx(expected, abs=1e-12)
