"""The Frechet distance against closed forms and four other ways to compute it."""

import numpy as np
import pytest
from helpers.metrics_reference import (
    frechet_by_eigenvalues,
    frechet_by_sqrtm,
    frechet_by_svd,
    made_up,
    normal,
    with_moments,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygan.metrics.fid import AUTHORS_OFFSET, Coupling, Gaussian, frechet_distance
from tinygan.metrics.moments import Moments

# n < d, n = d, n > d on either side, both sides short, and single dimensions.
SIZES = [(30, 80, 6), (5, 80, 20), (20, 15, 20), (4, 9, 20), (2, 2, 5), (60, 4, 1), (90, 20, 20)]


def two_sets(n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    return normal(n, d), 1.5 * normal(m, d, seed=1) + 0.3


def test_diagonal_gaussians_have_the_closed_form():
    rng = np.random.default_rng(1)
    mean_x, mean_y, s_x, s_y = rng.uniform(0.1, 3, size=(4, 12))
    expected = np.square(mean_x - mean_y).sum() + np.square(s_x - s_y).sum()
    x, y = with_moments(mean_x, s_x, 2), with_moments(mean_y, s_y, 3)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("reference", [frechet_by_svd, frechet_by_eigenvalues])
@pytest.mark.parametrize(("n", "m", "d"), SIZES)
def test_agrees_with_other_decompositions_at_every_rank(n, m, d, reference):
    x, y = two_sets(n, m, d)
    # The references square and root, which costs half the digits where a covariance is singular.
    assert frechet_distance(x, y) == pytest.approx(reference(x, y), rel=1e-6)


def test_agrees_with_sqrtm_at_full_rank():
    x = normal(300, 10) @ normal(10, 10, seed=1)
    y = normal(200, 10, seed=2) @ normal(10, 10, seed=3) + 0.5
    assert frechet_distance(x, y) == pytest.approx(frechet_by_sqrtm(x, y), rel=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), SIZES)
def test_is_symmetric_and_the_same_from_moments(n, m, d):
    x, y = two_sets(n, m, d)
    distance = frechet_distance(x, y)
    assert distance == pytest.approx(frechet_distance(y, x), rel=1e-10)
    # Moments square the samples: their factor has half the digits in directions without variance.
    fitted = Gaussian.of_moments(Moments.of(y))
    assert distance == pytest.approx(frechet_distance(x, fitted), rel=1e-6)


def test_rank_one_sets_have_the_distance_along_their_one_direction():
    u, a, b = normal(8), normal(20), 3 * normal(40, seed=1)
    u /= np.linalg.norm(u)
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(np.outer(a, u), np.outer(b, u)) == pytest.approx(expected, rel=1e-10)


def test_constant_columns_add_their_difference_alone():
    x, y = two_sets(30, 50, 6)
    wide = np.hstack([x, np.full((30, 4), 2.0)]), np.hstack([y, np.full((50, 4), 2.5)])
    expected = frechet_distance(x, y) + 4 * 0.25
    assert frechet_distance(*wide) == pytest.approx(expected, rel=1e-10)


def test_duplicated_rows_do_not_cost_digits():
    """Rank 7 of 60: the eigenvalues alone would be off by some 1e-7."""
    x, y = np.repeat(normal(8, 40), 12, axis=0), np.repeat(normal(9, 40, seed=1), 7, axis=0)
    scale = np.sqrt(95 / 96 * 8 / 7), np.sqrt(62 / 63 * 9 / 8)  # from divisor N - 1 to N to N - 1
    (x8, y9) = x[::12], y[::7]
    fewer = [a.mean(0) + (a - a.mean(0)) / s for a, s in zip((x8, y9), scale, strict=True)]
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(*fewer), rel=1e-12)


@pytest.mark.parametrize(("n", "m", "d"), [sizes for sizes in SIZES if sizes[0] > 3])
def test_some_of_coupled_samples_have_the_distance_of_a_set_of_their_own(n, m, d):
    x, y = two_sets(n, m, d)
    rows = np.random.default_rng(0).permutation(n)[: n // 2]
    subset = Coupling.of(x, Gaussian.of(y)).take(x, rows)
    assert subset.distance() == pytest.approx(frechet_distance(x[rows], y), rel=1e-10)


@pytest.mark.parametrize("shape", [(200, 30), (30, 200), (30, 30)])
def test_the_distance_to_itself_is_zero(shape):
    x = 10 * np.maximum(normal(*shape), 0).astype(np.float32)
    assert 0 <= frechet_distance(x, x) < 1e-6
    assert 0 <= frechet_distance(x, np.flip(x, axis=0)) < 1e-6


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 12),
    m=st.integers(2, 12),
    d=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_properties_of_any_two_sets(n, m, d, seed, scale):
    x, y = scale * normal(n, d, seed=seed), scale * (normal(m, d, seed=seed + 1) + 1)
    distance, tolerance = frechet_distance(x, y), 1e-6 * scale**2 * d
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    assert distance >= apart - tolerance  # the rest, the Bures distance, is not negative
    assert distance == pytest.approx(frechet_distance(y, x), abs=tolerance)
    rotation, _ = np.linalg.qr(normal(d, d, seed=seed + 2))
    moved = [a @ rotation + 3 * scale for a in (x, y)]
    assert distance == pytest.approx(frechet_distance(*moved), abs=tolerance)
    assert 4 * distance == pytest.approx(frechet_distance(2 * x, 2 * y), abs=4 * tolerance)
    order = np.random.default_rng(seed).permutation(n)
    assert distance == pytest.approx(frechet_distance(x[order], y), abs=tolerance)


@pytest.mark.parametrize(("n", "m", "d"), SIZES)
def test_authors_option_is_their_formula(n, m, d):
    """The offset is in the root and not in the traces, as in the released code."""
    x, y = two_sets(n, m, d)
    for offset in (AUTHORS_OFFSET, 1e-2):
        found = frechet_distance(x, y, offset=offset)
        # sqrtm is the limit here: its error grows with the condition number, 1e12 where singular.
        assert found == pytest.approx(frechet_by_sqrtm(x, y, offset), rel=1e-5)
    assert frechet_distance(x, y, offset=1e-2) < frechet_distance(x, y)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (normal(1, 3), normal(5, 3), "at least 2 samples"),
        (normal(5, 3), normal(0, 3), "at least 2 samples"),
        (normal(5, 3), np.full((5, 3), np.nan), "NaN"),
        (normal(5, 3), np.full((5, 3), np.inf), "NaN or infinity"),
        (np.full((5, 3), 0.1), normal(5, 3), "all 5 samples have the same features"),
        (normal(5, 3), np.ones((4, 3)), "all 4 samples have the same features"),
        (normal(5, 3), normal(5, 4), "3 and 4 dimensions"),
        (normal(5), normal(5, 4), r"\[N, d\]"),
        (normal(5, 0), normal(5, 0), "d > 0"),
    ],
)
def test_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(x, y)


def test_streamed_moments_are_those_of_the_whole():
    x = made_up([0], 50).features
    whole = Moments.of(x)
    assert whole.mean.dtype == whole.covariance.dtype == np.float64
    np.testing.assert_allclose(whole.mean, x.astype(np.float64).mean(0), rtol=1e-12)
    expected = np.cov(x.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(whole.covariance, expected, rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 39), max_size=6, unique=True),
    far=st.sampled_from([0.0, 1e3]),
    backwards=st.booleans(),
)
def test_moments_do_not_depend_on_how_samples_are_split_and_merged(cuts, far, backwards):
    x = normal(40, 5) + far
    parts = [Moments.of(part) for part in np.split(x, sorted(cuts))]
    merged = parts.pop(-1 if backwards else 0)
    for part in reversed(parts) if backwards else parts:
        merged = merged.merge(part)
    assert merged.count == 40
    np.testing.assert_allclose(merged.mean, x.mean(axis=0), rtol=1e-12, atol=1e-12)
    # The mean is up to 1,000 standard deviations off; sums of squares would lose six digits.
    np.testing.assert_allclose(merged.covariance, np.cov(x, rowvar=False), rtol=1e-9, atol=1e-11)


def test_moments_refuse():
    with pytest.raises(ValueError, match="NaN"):
        Moments.of(np.full((4, 3), np.nan))
    with pytest.raises(ValueError, match="at least 1 samples are needed, not 0"):
        Moments.of(normal(0, 3))
    with pytest.raises(ValueError, match="at least 2 samples"):
        _ = Moments.of(normal(1, 3)).covariance
    with pytest.raises(ValueError, match="3 and 2 dimensions"):
        Moments.of(normal(4, 3)).merge(Moments.of(normal(4, 2)))
    with pytest.raises(ValueError, match="all 4 samples have the same"):
        Gaussian.of_moments(Moments.of(np.ones((4, 3))))
