"""The confidence intervals: their coverage."""

import numpy as np
import pytest
from helpers.metrics_reference import normal, with_moments

from tinygan.metrics.fid import Gaussian, frechet_distance, frechet_jackknife
from tinygan.metrics.jackknife import assign_groups, interval
from tinygan.metrics.kid import kid_jackknife


def test_groups_get_equal_shares_of_every_class():
    groups = assign_groups(100, 10, np.random.default_rng(0))
    assert (np.bincount(groups) == 10).all()
    for block in np.split(groups, 10):
        assert sorted(block) == list(range(10))
    sizes = np.bincount(assign_groups(47, 10, np.random.default_rng(0)))
    assert len(sizes) == 10 and set(sizes) == {4, 5}
    assert (groups != assign_groups(100, 10, np.random.default_rng(1))).any()
    for count, number in ((9, 10), (9, 1)):
        with pytest.raises(ValueError, match=f"cannot be assigned to {number} groups"):
            assign_groups(count, number, np.random.default_rng(0))


def test_interval_of_a_mean_is_students():
    """Leaving out one of n values each: the textbook interval of their mean."""
    values = normal(12)
    without = (values.sum() - values) / 11
    half = 2.2009851600916 * values.std(ddof=1) / np.sqrt(12)  # t, 11 degrees, 97.5 %
    expected = values.mean() - half, values.mean() + half
    assert interval(values.mean(), without) == pytest.approx(expected, rel=1e-9)


def held(truth: float, draws: list[tuple[float, float]]) -> float:
    return float(np.mean([low <= truth <= high for low, high in draws]))


def test_fid_interval_holds_the_known_distance_of_gaussians():
    """95 % of 400 intervals; three standard errors of that share are 3.3 points."""
    d, rng = 4, np.random.default_rng(0)
    y = with_moments(np.zeros(d), np.ones(d), 1)
    mean, deviations = np.full(d, 1.0), np.array([0.5, 1.0, 1.5, 2.0])
    truth = np.square(mean).sum() + np.square(deviations - 1).sum()
    draws = []
    for _ in range(400):
        x = mean + deviations * rng.normal(size=(500, d))
        draws.append(interval(*frechet_jackknife(x, y, assign_groups(500, 20, rng))))
    assert 0.917 <= held(truth, draws) <= 0.983


def test_fid_interval_holds_the_expected_score_with_fewer_samples_than_dimensions():
    """Biased by so few samples, FID is far above the true distance of 0; its interval is not.

    The percentile interval of the usual bootstrap misses both in every draw.
    """
    n, d, rng = 40, 60, np.random.default_rng(0)
    y = Gaussian.of(rng.normal(size=(4000, d)))
    sets = [rng.normal(size=(n, d)) for _ in range(200)]
    scores = [frechet_distance(x, y) for x in sets]
    draws = [
        interval(*frechet_jackknife(x, y, assign_groups(n, 20, np.random.default_rng(i))))
        for i, x in enumerate(sets)
    ]
    assert 0.9 <= held(np.mean(scores), draws) <= 1
    x = sets[0]
    resampled = [frechet_distance(x[rng.integers(0, n, n)], y) for _ in range(100)]
    assert np.percentile(resampled, 2.5) > max(scores)


def test_kid_interval_holds_the_known_distance():
    """KID is unbiased, so the mean of many draws is the distance, here to 5 % of an interval."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(100, 6))
    found = [
        kid_jackknife(0.3 + rng.normal(size=(80, 6)), y, assign_groups(80, 20, rng))
        for _ in range(400)
    ]
    truth = np.mean([value for value, _ in found])
    assert 0.917 <= held(truth, [interval(*one) for one in found]) <= 0.983
