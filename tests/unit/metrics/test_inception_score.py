"""The Inception score against its definition."""

import numpy as np
import pytest
from helpers.metrics_reference import inception_score_by_definition, normal
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygan.metrics.inception_score import inception_score, inception_score_jackknife


@pytest.mark.parametrize("splits", [1, 3, 10])
def test_agrees_with_its_definition(splits):
    logits = 3 * normal(43, 7)
    expected = inception_score_by_definition(logits, splits)
    assert inception_score(logits, splits) == pytest.approx(expected, rel=1e-12)


def test_of_certain_balanced_classes_is_the_number_of_classes():
    # Ordered by class: contiguous splits would score 1, and float32 softmax would overflow.
    logits = np.repeat(np.eye(5, dtype=np.float32) * 1e4, 40, axis=0)
    assert inception_score(logits, 4) == pytest.approx((5, 0))
    assert inception_score(np.zeros((8, 5)), 2) == pytest.approx((1, 0))


@settings(max_examples=40, deadline=None)
@given(k=st.integers(2, 6), n=st.integers(3, 20), seed=st.integers(0, 10**6))
def test_is_between_one_and_the_number_of_classes(k, n, seed):
    logits = 5 * normal(n, k, seed=seed)
    score, deviation = inception_score(logits, 2)
    assert 1 - 1e-12 <= score <= k + 1e-12 and deviation >= 0
    shifted = logits + normal(n, 1, seed=seed + 1)  # softmax does not see a shift of a row
    assert inception_score(shifted, 2) == pytest.approx((score, deviation), abs=1e-10)


def test_jackknife_leaves_out_what_it_says():
    logits = 3 * normal(40, 5)
    groups = np.random.default_rng(0).integers(0, 4, 40)
    expected = []
    for g in range(4):
        parts = [logits[i::3][groups[i::3] != g] for i in range(3)]
        expected.append(np.mean([inception_score_by_definition(part, 1)[0] for part in parts]))
    assert inception_score_jackknife(logits, 3, groups) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="all its images in one group"):
        inception_score_jackknife(logits, 40, groups)


@pytest.mark.parametrize(
    ("logits", "splits", "message"),
    [
        (normal(5, 3), 6, "6 splits"),
        (normal(5, 3), 0, "0 splits"),
        (np.full((5, 3), np.nan), 1, "logits contain NaN"),
        (normal(5), 1, r"logits must be \[N, d\]"),
    ],
)
def test_refuses(logits, splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(logits, splits)
