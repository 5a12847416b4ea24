"""The extrapolated FID: its definition, and Gaussians whose distance is known."""

import numpy as np
import pytest
from helpers.metrics_reference import frechet_by_svd, normal
from scipy.stats import linregress

from tinygan.metrics.fd_infinity import POINTS, fd_infinity, subset_sizes
from tinygan.metrics.fid import Gaussian, frechet_distance


def test_it_is_the_definition():
    """scipy's regression through distances that are computed another way."""
    x, y = normal(120, 5) + 0.3, normal(90, 5, seed=1)
    rng = np.random.default_rng(7)
    fids = []
    sizes = np.linspace(12, 120, 15).astype(int)
    for size in sizes:
        fids.append(frechet_by_svd(x[rng.permutation(120)[:size]], y))
    expected = linregress(1 / sizes, fids).intercept
    value = fd_infinity(x, Gaussian.of(y), np.random.default_rng(7))
    assert value == pytest.approx(expected, rel=1e-9)


def test_no_svd_where_its_digits_would_not_show(monkeypatch):
    """Rank 8 of 40, which `frechet_distance` leaves to an SVD."""
    x, y = np.repeat(normal(9, 40), 30, axis=0), np.repeat(normal(9, 40, seed=1), 9, axis=0)
    expected = fd_infinity(x, Gaussian.of(y), np.random.default_rng(7))
    with monkeypatch.context() as patch:
        patch.setattr("tinygan.metrics.fd_infinity.PRECISION", 1e-12)
        exact = fd_infinity(x, Gaussian.of(y), np.random.default_rng(7))
    monkeypatch.setattr(np.linalg, "svd", None)
    assert fd_infinity(x, Gaussian.of(y), np.random.default_rng(7)) == expected
    assert expected == pytest.approx(exact, rel=1e-6) and expected != exact


def test_the_published_sizes():
    """5,000 to 50,000 at 15 points, as in the authors' code."""
    assert subset_sizes(50_000).tolist() == np.linspace(5000, 50_000, 15).astype(int).tolist()
    assert len(subset_sizes(50_000)) == POINTS
    for n in range(3, 200):
        sizes = subset_sizes(n)
        assert 2 <= sizes[0] < sizes[-1] == n and (np.diff(sizes) > 0).all()


def test_it_recovers_the_distance_of_the_distributions():
    """Diagonal Gaussians: |m|^2 + sum (s - t)^2. The FID is too high by several errors."""
    d, n = 40, 300
    rng = np.random.default_rng(0)
    s, t = 1 / (1 + np.arange(d)) ** 0.5, 1.2 / (1 + np.arange(d)) ** 0.45
    shift = 0.3 * s
    true = np.square(shift).sum() + np.square(s - t).sum()
    y = Gaussian(np.zeros(d), np.diag(s), d)
    pairs = []
    for seed in range(16):
        x = shift + t * normal(n, d, seed=seed)
        pairs.append((frechet_distance(x, y), fd_infinity(x, y, rng)))
    fid, infinite = np.mean(pairs, axis=0)
    error = np.std(pairs, axis=0)[1] / np.sqrt(len(pairs))
    assert fid - true > 6 * error
    assert abs(infinite - true) < 3 * error


def test_the_draw_is_that_of_the_generator():
    x, y = normal(60, 4), Gaussian.of(normal(50, 4, seed=1))
    first, again, other = (fd_infinity(x, y, np.random.default_rng(s)) for s in (0, 0, 1))
    assert first == again != other


def test_two_samples_have_no_line():
    y, rng = Gaussian.of(normal(9, 2)), np.random.default_rng(0)
    assert fd_infinity(normal(2, 2), y, rng) is None
    assert np.isfinite(fd_infinity(normal(3, 2), y, rng))
