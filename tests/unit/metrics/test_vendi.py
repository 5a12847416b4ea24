"""The Vendi score against its definition, and in closed form."""

import numpy as np
import pytest
import scipy.linalg
from helpers.metrics_reference import normal
from scipy.stats import entropy

from tinygan.metrics.vendi import vendi, vendi_jackknife


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


@pytest.mark.parametrize(("n", "d"), [(14, 30), (40, 6)])
def test_without_each_group(n, d):
    x, groups = normal(n, d) + 0.2, np.arange(n) % 4
    value, without = vendi_jackknife(x, groups)
    assert value == vendi(x)
    expected = [vendi_by_definition(x[groups != g]) for g in range(4)]
    assert without == pytest.approx(expected, rel=1e-9)


def test_it_refuses():
    for x, message in (
        (normal(0, 3), "at least 1 samples"),
        (np.full((3, 2), np.inf), "NaN or infinity"),
        (normal(3), r"\[N, d\]"),
    ):
        with pytest.raises(ValueError, match=message):
            vendi(x)
    with pytest.raises(ValueError, match="too few for their groups"):
        vendi_jackknife(normal(3, 2), np.zeros(3, dtype=int))
