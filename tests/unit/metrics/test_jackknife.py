"""The confidence intervals of all scores; `test_leave_one_out` has those of the FID."""

import numpy as np
import pytest
import scipy.stats
from helpers.metrics_reference import covered, normal

from tinygan.metrics.jackknife import (
    NO_REPLICATES,
    UNKNOWN,
    Variance,
    assign_groups,
    interval,
    interval_of_mean,
)
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


def test_the_variance_of_a_sum_is_welchs():
    """The difference of two means, as SciPy's t-test without equal variances has it."""
    a, b = normal(9), 3 * normal(5, seed=1)
    parts = [Variance(x.var(ddof=1) / len(x), len(x) - 1) for x in (a, b)]
    welch = scipy.stats.ttest_ind(a, b, equal_var=False)
    total = Variance.of_sum(parts)
    assert total.degrees == pytest.approx(welch.df, rel=1e-12)
    expected = tuple(welch.confidence_interval(0.95))
    assert total.interval(a.mean() - b.mean()) == pytest.approx(expected, rel=1e-9)
    of_mean = interval_of_mean([a.mean(), -b.mean()], parts)
    assert of_mean == pytest.approx([end / 2 for end in expected], rel=1e-9)


def test_an_unknown_variance_has_no_interval_and_spreads():
    known = Variance(1.0, 5)
    assert Variance.of_sum([known, UNKNOWN]).interval(0.0) == (None, None)
    assert interval_of_mean([1.0, 2.0], [UNKNOWN, known]) == (None, None)
    assert interval(1.0, NO_REPLICATES) == (None, None)
    constant = Variance.of_sum([Variance(0.0, 3), Variance(0.0, 2)])
    assert constant.interval(1.5) == (1.5, 1.5)


def test_kid_interval_holds_the_known_distance():
    """KID is unbiased, so the mean of many draws is the distance, here to 5 % of an interval."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(100, 6))
    found = [
        kid_jackknife(0.3 + rng.normal(size=(80, 6)), y, assign_groups(80, 20, rng))
        for _ in range(400)
    ]
    truth = np.mean([value for value, _ in found])
    assert 0.917 <= covered(truth, [interval(*one) for one in found]) <= 0.983
