"""KID, precision, recall, density and coverage against their definitions."""

import numpy as np
import pytest
from helpers.metrics_reference import kid_by_definition, normal, prdc_by_definition
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygan.metrics import kid as kid_module
from tinygan.metrics import prdc as prdc_module
from tinygan.metrics.kid import kid, kid_jackknife
from tinygan.metrics.prdc import NAMES, prdc, prdc_jackknife


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Make every matrix take several blocks, the last one not full."""
    monkeypatch.setattr(kid_module, "BLOCK", 7)
    monkeypatch.setattr(prdc_module, "BLOCK", 7)


@pytest.mark.parametrize(("n", "m", "d"), [(20, 30, 4), (5, 9, 12), (2, 2, 1)])
def test_kid_is_its_definition(n, m, d):
    x, y = normal(n, d), normal(m, d, seed=1) + 0.4
    assert kid(x, y) == pytest.approx(kid_by_definition(x, y), rel=1e-11, abs=1e-12)
    assert kid(x, y) == pytest.approx(kid(y, x), rel=1e-11, abs=1e-12)


def test_kid_is_the_limit_of_the_mean_over_random_subsets():
    """The usual estimate: unbiased as well, here within five of its standard errors."""
    x, y, rng = normal(60, 3), normal(60, 3, seed=1) + 1.0, np.random.default_rng(2)
    subsets = [
        kid(x[rng.choice(60, 30, replace=False)], y[rng.choice(60, 30, replace=False)])
        for _ in range(400)
    ]
    error = np.std(subsets) / np.sqrt(len(subsets))
    assert abs(np.mean(subsets) - kid(x, y)) < 5 * error < 0.1 * kid(x, y)


def test_kid_of_equal_distributions_is_zero_on_average():
    values = [kid(normal(12, 3, seed=2 * s), normal(12, 3, seed=2 * s + 1)) for s in range(300)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(300)
    assert min(values) < 0  # unbiased, so some are below zero


def test_kid_jackknife_leaves_out_what_it_says():
    x, y = normal(23, 4), normal(11, 4, seed=1) + 0.4
    groups = np.arange(23) % 4
    value, without = kid_jackknife(x, y, groups)
    assert value == kid(x, y) or value == pytest.approx(kid(x, y), rel=1e-12)
    expected = [kid_by_definition(x[groups != g], y) for g in range(4)]
    assert without == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(20, 30, 3, 3), (16, 9, 12, 5), (4, 4, 1, 1)])
def test_prdc_is_its_definition(n, m, d, k):
    x, y = normal(n, d), normal(m, d, seed=1) + 0.3
    assert prdc(x, y, k) == pytest.approx(prdc_by_definition(x, y, k), abs=1e-12)


def test_prdc_of_a_set_against_itself_and_against_one_far_away():
    x = normal(30, 4)
    same = prdc(x, x, 3)
    assert [same[name] for name in ("precision", "recall", "coverage")] == [1, 1, 1]
    assert prdc(x + 100, x, 3) == dict.fromkeys(NAMES, 0)


def test_density_exceeds_one_where_images_crowd_in_dense_places():
    assert prdc(0.01 * normal(30, 2), normal(200, 2, seed=1), 5)["density"] > 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 4))
def test_swapping_the_sets_swaps_precision_and_recall(seed, k):
    x, y = normal(15, 3, seed=seed), normal(12, 3, seed=seed + 1) + 0.5
    forth, back = prdc(x, y, k), prdc(y, x, k)
    assert (forth["precision"], forth["recall"]) == (back["recall"], back["precision"])
    assert forth["coverage"] <= forth["density"] * k * 15 / 12 + 1e-12
    scaled = prdc(8 * x + 1, 8 * y + 1, k)
    assert scaled == pytest.approx(forth, abs=1e-12)


def test_prdc_jackknife_leaves_out_what_it_says():
    x, y = normal(25, 3), normal(18, 3, seed=1) + 0.3
    groups = np.random.default_rng(3).permutation(25) % 4
    values, without = prdc_jackknife(x, y, 2, groups)
    assert values == prdc(x, y, 2)
    expected = [prdc_by_definition(x[groups != g], y, 2) for g in range(4)]
    for name in NAMES:
        assert without[name] == pytest.approx([e[name] for e in expected], abs=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (normal(1, 3), normal(9, 3), "at least .* samples are needed, not 1"),
        (normal(9, 3), normal(1, 3), "at least .* samples are needed, not 1"),
        (normal(9, 3), normal(9, 2), "3 and 2 dimensions"),
        (normal(9, 3), np.full((9, 3), np.nan), "NaN"),
        (normal(9), normal(9, 3), r"\[N, d\]"),
    ],
)
@pytest.mark.parametrize("metric", [kid, lambda x, y: prdc(x, y, 3)])
def test_both_refuse(metric, x, y, message):
    with pytest.raises(ValueError, match=message):
        metric(x, y)


def test_prdc_refuses_too_few_neighbours_or_groups_that_leave_too_few():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        prdc(normal(5, 2), normal(5, 2), 0)
    with pytest.raises(ValueError, match="too few for their groups"):
        prdc_jackknife(normal(6, 2), normal(9, 2), 3, np.arange(6) % 2)
