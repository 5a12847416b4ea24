"""The table of the scores that the paper does not have."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.run_results import call, reading, set_score, write_results


def test_a_row_per_source_and_the_extractor_by_name(results: Path) -> None:
    set_score(results, "dw", copies=0.25, copies_low=0.24, copies_high=0.27)
    path = results / "scores" / "real.json"  # of which no pairs were harvested
    scores = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in scores.items() if "pair_copies" not in k}))
    frame = call("score_sheet", results).set_index("source")
    assert frame.pair_copies["dw"] == 0.0075 and np.isnan(frame.pair_copies["real"])
    assert list(frame.index)[0] == "teacher" and list(frame.index)[-1] == "real"
    assert {"dw", "no_feat", "scratch"} < set(frame.index)
    assert frame.fd_infinity["dw"] == pytest.approx(22.3) and frame.copies["dw"] == 0.25
    assert frame.fd_infinity_low.isna().all() and (frame.vendi_high == 21).all()
    text = (results / "out" / "score_sheet.md").read_text()
    shown = "| TinyGAN-dw | 23.3 (± 0.5) | 22.3 | 0.233 (± 0.500) | 20.5 (± 0.5) | 10.2 (± 0.5) |"
    assert f"{shown} 0.625 (± 0.500) | 0.2500 (± 0.0150) | 0.0075 (± 0.5000) |" in text
    assert "features of efficientnet_lite0, 64 px" in text and "not a CMMD" in text


def test_scores_are_means_over_the_seeds(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", seeds=[0, 1])
    for seed, value in enumerate((10.0, 14.0)):
        set_score(results, reading.file_name("dw", seed), vendi=value)
    frame = call("score_sheet", results).set_index("source")
    assert frame.vendi["dw"] == 12 and frame.vendi_sd_seeds["dw"] == pytest.approx(np.sqrt(8))
    assert frame.seeds["dw"] == 2 and frame.seeds.isna()["teacher"]


def test_a_run_that_was_scored_earlier_is_refused_by_name(results: Path) -> None:
    path = results / "scores" / "dw.json"
    scores = json.loads(path.read_text())
    del scores["vendi"]
    path.write_text(json.dumps(scores))
    with pytest.raises(ValueError, match=r"dw.json has no \(finite\) vendi; make it again"):
        call("score_sheet", results)
    assert len(call("variance", results))  # which does not need it
    set_score(results, "dw", vendi=20.0, fd_infinity=None)
    assert np.isnan(call("score_sheet", results).set_index("source").fd_infinity["dw"])
