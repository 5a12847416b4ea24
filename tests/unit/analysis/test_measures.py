"""The measures: correlations over the classes and their bootstrap."""

import importlib

import helpers.run_results  # noqa: F401  finds the scripts
import numpy as np
import pytest
from scipy.stats import pearsonr

from tinygan.seeding import stream

measures = importlib.import_module("measures")


def draw() -> np.random.Generator:
    return stream(0, "analysis/bootstrap")


@pytest.mark.parametrize(("classes", "tolerance"), [(5, 0.06), (40, 0.015)])
def test_the_bootstrap_agrees_with_a_plain_loop(classes: int, tolerance: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=classes)
    y = 0.7 * x + rng.normal(size=classes)
    values = []
    while len(values) < 5000:
        chosen = rng.choice(classes, classes)
        if len(set(chosen)) > 1:
            values.append(np.corrcoef(x[chosen], y[chosen])[0, 1])
    r, low, high = measures.bootstrap_correlation(x, y, draw())
    assert r == pytest.approx(pearsonr(x, y)[0], abs=1e-12)
    assert [low, high] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=tolerance)
    assert measures.bootstrap_correlation(x, y, draw()) == (r, low, high)


def test_resamples_without_spread_are_skipped() -> None:
    """Of four classes with two values, one resample in eight or so has no spread."""
    x = np.array([1.0, 1.0, 2.0, 2.0])
    r, low, high = measures.bootstrap_correlation(x, np.array([1.0, 2.0, 2.0, 3.0]), draw())
    assert np.isfinite([r, low, high]).all() and low < r <= high <= 1


def test_too_few_classes_and_scores_that_do_not_differ_have_no_interval() -> None:
    x = np.arange(6.0)
    assert measures.bootstrap_correlation(x[:3], x[:3], draw()) is None
    assert measures.bootstrap_correlation(x, np.ones(6), draw()) is None
