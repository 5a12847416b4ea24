"""Statistics over seeds, against SciPy and against a plain search."""

import importlib

import numpy as np
import pandas as pd
import pytest
from helpers.run_results import reading, set_score, write_results
from scipy.stats import ttest_1samp, ttest_rel

seeds = importlib.import_module("seeds")


@pytest.mark.parametrize("count", [2, 3, 7, 30])
def test_the_interval_of_a_paired_difference_is_that_of_the_paired_t_test(count: int) -> None:
    rng = np.random.default_rng(count)
    one, other = rng.normal(1, 2, count), rng.normal(0, 2, count)
    found = seeds.difference(one - other)
    test = ttest_rel(one, other)
    expected = test.confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], rel=1e-9)
    assert found.mean == pytest.approx(one.mean() - other.mean()) and found.count == count
    assert (found.sign == 0) == (test.pvalue > 0.05)


def test_one_value_has_no_interval_and_decides_nothing() -> None:
    found = seeds.difference(np.array([5.0]))
    assert found.mean == 5 and np.isnan([found.low, found.high]).all()
    assert found.sign == 0 and found.to_decide is None


def decided(values: np.ndarray, count: int) -> bool:
    """Whether the t-test of this many values with the same mean and deviation finds p < 0.05."""
    pattern = np.zeros(count)
    pattern[0], pattern[1] = 1, -1
    scaled = pattern / pattern.std(ddof=1) * values.std(ddof=1) + values.mean()
    return bool(ttest_1samp(scaled, 0).pvalue < 0.05)


@pytest.mark.parametrize("mean", [0.05, 0.15, 0.4, 1.0, -1.0, 3.0, 12.0])
def test_the_number_of_seeds_that_would_decide_is_the_least_one(mean: float) -> None:
    values = np.array([-1.0, 0.0, 1.0]) + mean
    found = seeds.seeds_to_decide(values)
    if found > seeds.MOST:
        assert not decided(values, seeds.MOST)
    else:
        assert decided(values, found) and (found == 2 or not decided(values, found - 1))


def test_the_number_of_seeds_at_its_ends() -> None:
    assert seeds.seeds_to_decide(np.array([2.0])) is None
    assert seeds.seeds_to_decide(np.array([-1.0, 1.0])) is None
    assert seeds.seeds_to_decide(np.array([3.0, 3.0, 3.0])) == 2
    assert seeds.seeds_to_decide(np.array([-1.0, 1.01])) == seeds.MOST + 1
    # It agrees with the interval of the very values that it is estimated from.
    for values in np.random.default_rng(0).normal(1, 1, (200, 3)):
        assert (seeds.seeds_to_decide(values) <= 3) == (seeds.difference(values).sign != 0)


def test_scores_are_averaged_over_seeds(tmp_path) -> None:
    results = write_results(tmp_path / "results", seeds=[1, 4])
    changes = {1: (10.0, 9.0, 11.0), 4: (14.0, 11.0, 17.0)}
    for seed, (fid, low, high) in changes.items():
        set_score(results, reading.file_name("dw", seed), fid=fid, fid_low=low, fid_high=high)
    set_score(results, "std/seed4", fid_low=None, fid_high=None)
    files = sorted((results / "scores").rglob("*.json"))
    read = reading.read_scores(files, ["teacher", "dw", "std"])
    assert read.index.to_list() == [
        ("teacher", 0),
        *((v, s) for v in ("dw", "std") for s in (1, 4)),
    ]
    frame = seeds.over_seeds(read)
    assert frame.fid["dw"] == 12 and frame.fid_sd_seeds["dw"] == pytest.approx(np.sqrt(8))
    assert (frame.fid_low["dw"], frame.fid_high["dw"]) == (10, 14)  # the mean half width, 2
    assert frame.loc["std", ["fid_low", "fid_high"]].isna().all() and frame.fid["std"] > 0
    assert frame.seeds.to_dict() == {"teacher": 1, "dw": 2, "std": 2}
    assert np.isnan(frame.fid_sd_seeds["teacher"]) and frame.samples["dw"] == 1200
    assert seeds.seeds_in(read, ["dw", "std"]) == [1, 4]


def test_differences_are_paired_by_seed_and_not_by_position() -> None:
    index = [("dw", 0), ("dw", 1), ("std", 1), ("std", 0)]
    names = ["source", "train_seed"]
    scores = pd.DataFrame(
        {"fid": [10.0, 20.0, 15.0, 1.0]}, index=pd.MultiIndex.from_tuples(index, names=names)
    )
    assert seeds.paired(scores, "fid", "dw", "std").tolist() == [9, 5]
    with pytest.raises(ValueError, match="dw was trained with seeds 0, 1, std with 1: give"):
        seeds.paired(scores.drop(("std", 0)), "fid", "dw", "std")
