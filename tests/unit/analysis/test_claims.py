"""Which claims of the paper hold on a run, and which are not judged."""

import importlib

import numpy as np
import pandas as pd
import pytest
from helpers.run_results import (
    call,
    set_score,
)

measures = importlib.import_module("measures")


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_learning_curve_of_few_points_is_drawn_but_not_judged(results, points):
    for variant in ("dw", "scratch"):
        path = results / "scores" / "curve" / f"{variant}.csv"
        pd.read_csv(path).head(points).to_csv(path, index=False)
    call("fig8", results)
    judged = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in judged] == [True] * 3 + [None, True]
    text = (results / "claims.md").read_text()
    assert "not judged: needs at least 4 points of each learning curve: set train.snapshots" in text
    assert f"| smooth (Fig. 8) | – | {[90, 40, 24][points - 1]}.00 |" in text


def test_tail_spread_is_that_of_the_second_half():
    assert measures.tail_spread(np.array([90.0, 5.0, 8.0, 6.0])) == 2.0
    assert measures.tail_spread(np.array([90.0, 50.0, 8.0, 6.0, 5.0])) == 3.0
    with pytest.raises(ValueError, match="train.snapshots"):
        measures.tail_spread(np.array([1.0]))


def test_claims_hold(results):
    judged = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in judged] == [True] * 5
    text = (results / "claims.md").read_text()
    assert text.count("**This run: holds.**") == 5 and "does not hold" not in text
    assert "| TinyGAN-dw, generator parameters | 6.2 % | 6.1 % |" in text
    assert "| TinyGAN-dw | smooth (Fig. 8) | 0.70 | 23.30 | 23.30 |" in text


def test_an_unknown_teacher_cost_leaves_dashes_and_one_claim_open(results):
    cost = results / "cost.csv"
    lines = cost.read_text().splitlines(keepends=True)
    cost.write_text("".join(line for line in lines if not line.startswith("teacher")))
    call("table1", results)
    assert (
        "| Teacher (paper: BigGAN-deep) | – | – | – | – |"
        in (results / "out" / "table1.md").read_text()
    )
    judged = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in judged] == [None] + [True] * 4
    text = (results / "claims.md").read_text()
    assert f"| 1. {judged[0].title} | cannot be told |" in text and "nan" not in text
    assert "| TinyGAN-dw, generator parameters | 6.2 % | – |" in text


@pytest.mark.parametrize(
    ("number", "source", "changes"),
    [
        (2, "std", {"fid": 23.3}),
        (2, "std_half", {"intra_fid": 46.0}),
        (3, "no_gan", {"intra_fid": 46.6}),
        (3, "no_kd_adv", {"fid": 88.0}),
    ],
)
def test_score_claims_fail_on_either_metric(results, number, source, changes):
    set_score(results, source, **changes)
    judged = call("claims", results, results / "claims.md")
    assert [i for i, claim in enumerate(judged, start=1) if not claim.holds] == [number]
    text = (results / "claims.md").read_text()
    assert f"| {number}. {judged[number - 1].title} | does not hold |" in text


def test_cost_curve_and_correlation_claims_fail(results):
    cost = results / "cost.csv"
    cost.write_text(cost.read_text().replace("3070659", "3400000"))
    curve = results / "scores" / "curve" / "dw.csv"
    curve.write_text("step,fid\n10,90\n20,30\n30,24\n40,60\n")
    path = results / "intra_fid" / "dw.csv"
    table = pd.read_csv(path)
    table.assign(intra_fid=200 - table.intra_fid).to_csv(path, index=False)
    judged = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in judged] == [False, True, True, False, False]
