"""The variance of the Frechet distance against distances without one sample, and its coverage."""

from collections.abc import Callable

import numpy as np
import pytest
from helpers.metrics_reference import covered, frechet_by_svd, normal, with_moments
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygan.metrics import leave_one_out
from tinygan.metrics.fid import Gaussian, frechet_distance
from tinygan.metrics.leave_one_out import frechet_jackknife


def without_each(x: np.ndarray, y: np.ndarray, distance: Callable = frechet_distance) -> np.ndarray:
    return np.array([distance(np.delete(x, i, axis=0), y) for i in range(len(x))])


def delete_one(x: np.ndarray, y: np.ndarray, distance: Callable = frechet_distance) -> float:
    """The delete-one jackknife by its definition."""
    return (len(x) - 1) * np.var(without_each(x, y, distance))


def test_agrees_with_an_independent_distance_at_full_rank():
    x = normal(40, 6) @ normal(6, 6, seed=1)
    y = normal(50, 6, seed=2) @ normal(6, 6, seed=3) + 0.5
    distance, variance = frechet_jackknife(x, y)
    assert distance == pytest.approx(frechet_by_svd(x, y), rel=1e-9)
    assert variance.value == pytest.approx(delete_one(x, y, frechet_by_svd), rel=1e-6)
    assert variance.degrees == 39


# More samples than dimensions, as many, one more and fewer; few samples on the other side.
@pytest.mark.parametrize(
    ("n", "m", "d"),
    [(30, 80, 6), (20, 80, 20), (21, 80, 20), (12, 80, 20), (40, 15, 20), (15, 15, 20), (3, 9, 5)],
)
def test_leaves_out_each_sample_exactly(n, m, d):
    x, y = normal(n, d) / np.arange(1, d + 1), 1.5 * normal(m, d, seed=1) + 0.3
    distance, variance = frechet_jackknife(x, y)
    assert distance == pytest.approx(frechet_distance(x, y), rel=1e-12)
    assert variance.value == pytest.approx(delete_one(x, y), rel=1e-5)
    assert frechet_jackknife(x, Gaussian.of(y))[1].value == pytest.approx(variance.value, rel=1e-6)
    lifted, same = frechet_jackknife(x, y, offset=0.1)
    assert lifted == frechet_distance(x, y, offset=0.1) and same == variance


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(4, 12),
    m=st.integers(2, 12),
    d=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_any_two_sets(n, m, d, seed, scale):
    x, y = scale * normal(n, d, seed=seed), scale * (normal(m, d, seed=seed + 1) + 1)
    expected = delete_one(x, y)
    _, variance = frechet_jackknife(x, y)
    assert variance.value == pytest.approx(expected, rel=1e-4, abs=1e-9 * scale**4)


def test_duplicated_samples_and_constant_features():
    """B has rank 7 of 40, so the distance itself comes from an SVD."""
    x, y = np.repeat(normal(8, 40), 6, axis=0), np.repeat(normal(9, 40, seed=1), 7, axis=0)
    x[:, :3], y[:, :3] = 2.0, 2.5
    distance, variance = frechet_jackknife(x, y)
    assert distance == frechet_distance(x, y)
    assert variance.value == pytest.approx(delete_one(x, y), rel=1e-5)
    x[:, 3:20], y[:, 20:] = 0, 0  # and B is zero
    assert frechet_jackknife(x, y)[1].value == pytest.approx(delete_one(x, y), rel=1e-9)


def test_strata_count_the_variation_within_them_alone():
    x, y, labels = normal(23, 4), normal(30, 4, seed=1), np.repeat([7, 2, 5], [12, 3, 8])
    x[labels == 2] += 3
    without = without_each(x, y)
    parts = [len(part) * np.var(part, ddof=1) for part in (without[labels == c] for c in (2, 5, 7))]
    _, variance = frechet_jackknife(x, y, labels)
    assert variance.value == pytest.approx((22 / 23) ** 2 * sum(parts), rel=1e-6)
    assert 2 < variance.degrees < 20
    assert frechet_jackknife(x, y, np.full(23, 4)) == frechet_jackknife(x, y)


def test_of_large_samples_evenly_spaced_ones_are_left_out(monkeypatch):
    x, y = normal(47, 3), normal(30, 3, seed=1)
    labels = np.arange(47) // 24
    monkeypatch.setattr(leave_one_out, "LEFT_OUT", 12)
    without = without_each(x, y)[[i * 47 // 12 for i in range(12)]]
    _, variance = frechet_jackknife(x, y)
    assert variance.value == pytest.approx(46**2 / 47 * np.var(without, ddof=1), rel=1e-6)
    assert variance.degrees == 11
    monkeypatch.setattr(leave_one_out, "LEFT_OUT_OF_STRATUM", 24)
    every = frechet_jackknife(x, y, labels)[1]
    monkeypatch.setattr(leave_one_out, "LEFT_OUT", 1000)
    assert frechet_jackknife(x, y, labels)[1] == every


def test_too_few_samples_have_a_distance_but_no_interval():
    y = normal(9, 3, seed=1)
    for x, labels in ((normal(2, 3), None), (normal(5, 3), [0, 0, 1, 2, 2])):
        distance, variance = frechet_jackknife(x, y, labels)
        assert distance == frechet_distance(x, y)
        assert variance.interval(distance) == (None, None)


def test_interval_covers_the_known_distance_of_gaussians():
    """95 % of 400 intervals; three standard errors of that share are 3.3 points."""
    d, rng = 4, np.random.default_rng(0)
    y = Gaussian.of(with_moments(np.zeros(d), np.ones(d), 1))
    mean, deviations = np.full(d, 1.0), np.array([0.5, 1.0, 1.5, 2.0])
    truth = np.square(mean).sum() + np.square(deviations - 1).sum()
    draws = []
    for _ in range(400):
        distance, variance = frechet_jackknife(mean + deviations * rng.normal(size=(500, d)), y)
        draws.append(variance.interval(distance))
    assert 0.917 <= covered(truth, draws) <= 0.983


def rectified(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    """Correlated features with a falling spectrum, cut off at zero like those of a network."""
    d = 60
    mixing, _ = np.linalg.qr(normal(d, d, seed=7))
    return np.maximum(rng.normal(size=(n, d)) * scale / np.arange(1, d + 1) @ mixing + 0.1, 0)


@pytest.mark.parametrize(("n", "widest"), [(40, 1.4), (60, 1.4), (200, 1.2)])
def test_interval_covers_the_expected_distance_at_this_number_of_samples(n, widest):
    """With fewer samples than dimensions, as many, and more.

    The distance is above its limit then, and the interval is for what it is expected to be. Where
    n <= d it is too wide, and never too short.
    """
    rng = np.random.default_rng(0)
    y = Gaussian.of(rectified(rng, 1000, 1.2))
    sets = [rectified(rng, n, 1) for _ in range(300)]
    found = [frechet_jackknife(x, y) for x in sets]
    distances = [distance for distance, _ in found]
    draws = [variance.interval(distance) for distance, variance in found]
    coverage = covered(float(np.mean(distances)), draws)
    wider = np.sqrt(np.mean([variance.value for _, variance in found]) / np.var(distances))
    assert 0.92 <= coverage <= 0.99 and 0.95 <= wider <= widest


def test_the_percentiles_of_the_usual_bootstrap_miss_what_the_interval_covers():
    n, d, rng = 40, 60, np.random.default_rng(0)
    y = Gaussian.of(rng.normal(size=(4000, d)))
    sets = [rng.normal(size=(n, d)) for _ in range(100)]
    distances = [frechet_distance(x, y) for x in sets]
    x = sets[0]
    distance, variance = frechet_jackknife(x, y)
    low, high = variance.interval(distance)
    assert low < np.mean(distances) < high
    resampled = [frechet_distance(x[rng.integers(0, n, n)], y) for _ in range(100)]
    assert np.percentile(resampled, 2.5) > max(distances)


def test_interval_of_classes_in_fixed_numbers_covers_and_is_the_shorter_one():
    """Half of each class in every draw: between the classes, nothing varies."""
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], 100)
    y = Gaussian.of(rng.normal(size=(2000, 5)))
    found = []
    for _ in range(300):
        x = rng.normal(size=(200, 5))
        x[:, 0] += 2 * labels
        found.append((x, *frechet_jackknife(x, y, labels)))
    truth = float(np.mean([distance for _, distance, _ in found]))
    assert 0.91 <= covered(truth, [v.interval(value) for _, value, v in found]) <= 0.985
    x, _, variance = found[0]
    assert variance.value < 0.7 * frechet_jackknife(x, y)[1].value
