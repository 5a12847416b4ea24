"""The split of the scores' variance, and which variants repeat another one with other rounding."""

import importlib
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers.run_results import call, reading, set_score, write_results, write_score

from tinygan.config.read import DEFAULT
from tinygan.planning.run import load, load_files

paper = importlib.import_module("paper")


def add_twin(results: Path, fid: list[float]) -> None:
    """Add dw_rounding to a run, with these FID by seed."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    config["variants"]["dw_rounding"] = {"train": {"processes": 2, "threads": 2}}
    (results / "config.yaml").write_text(yaml.safe_dump(config))
    for seed, value in zip(config["train"]["seeds"], fid, strict=True):
        write_score(results, reading.file_name("dw_rounding", seed), value)


def test_the_parts_are_computed_from_the_scores(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", seeds=[0, 1, 2])
    dw, twin = [20.0, 23.0, 29.0], [21.0, 23.0, 27.0]
    for seed, fid in enumerate(dw):
        name = reading.file_name("dw", seed)
        set_score(results, name, fid=fid, fid_low=fid - 1.96, fid_high=fid + 1.96)
    add_twin(results, twin)
    frame = call("variance", results).set_index("source")
    row = frame.loc["dw"]
    assert row.fid == 24 and row.fid_images == pytest.approx(1)
    assert row.fid_seed == pytest.approx(np.std(dw, ddof=1))
    # Two trainings of equal deviation s differ by d with mean square 2 s^2.
    assert row.fid_rounding == pytest.approx(np.sqrt((1 + 0 + 4) / 3 / 2))
    assert frame.fid_rounding["dw_rounding"] == row.fid_rounding
    assert frame.drop(["dw", "dw_rounding"])["fid_rounding"].isna().all()
    assert frame.fid_seed.notna().all() and (frame.seeds == 3).all()
    text = (results / "out" / "variance.md").read_text()
    assert "| TinyGAN-dw | 24.00 | 4.58 | 1.00 | 0.91 |" in text
    assert "| dw_rounding: processes 2, threads 2 | 23.67 |" in text
    assert "(dw_rounding repeats TinyGAN-dw, 3 pairs)" in text and "contains rounding" in text


def test_one_seed_has_the_images_part_alone(results: Path) -> None:
    add_twin(results, [30.0])
    frame = call("variance", results).set_index("source")
    assert frame[["fid_seed", "fid_rounding", "intra_fid_seed"]].isna().all(axis=None)
    text = (results / "out" / "variance.md").read_text()
    assert "| TinyGAN-dw | 23.30 | – | 0.26 | – |" in text and "Of one seed, neither" in text


def test_a_run_without_a_repetition_says_so(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", seeds=[0, 1])
    assert call("variance", results)["fid_rounding"].isna().all()
    assert "No variant repeats another one" in (results / "out" / "variance.md").read_text()


def test_repetitions_are_in_no_other_table(results: Path) -> None:
    add_twin(results, [30.0])
    for name in ("table1", "table2"):
        assert "dw_rounding" not in call(name, results).source.to_list()


@pytest.mark.parametrize(
    ("changes", "repeated"),
    [
        ({"train": {"processes": 2}}, "dw"),
        ({"train": {"compile": True, "compile_mode": "reduce-overhead"}}, "dw"),
        ({"train": {"threads": 2}, "loss": {"gan_student": 0, "gan_discriminator": 0}}, "no_gan"),
        ({"train": {"threads": 1}}, None),  # the same training under another name
        ({"train": {"precision": "bfloat16"}}, None),
        ({"train": {"threads": 2, "steps": 9}}, None),
        ({"student": {"channels": 4}}, None),
    ],
)
def test_a_repetition_changes_rounding_alone(changes: dict, repeated: str | None) -> None:
    config = load_files([], {"variants": {"mine": changes}})
    assert paper.rounding_twins(config) == ({"mine": repeated} if repeated else {})
    assert paper.own_variants(config) == ([] if repeated else ["mine"])


def test_the_shipped_presets_have_the_repetition_that_they_say() -> None:
    assert paper.rounding_twins(load(DEFAULT)) == {}
    assert paper.rounding_twins(load_files(["config/reproduce.yaml"])) == {"dw_rounding": "dw"}
    swapped = deepcopy(load_files([], {"variants": {"mine": {"train": {"threads": 2}}}}))
    swapped["variants"] = dict(reversed(swapped["variants"].items()))
    assert paper.rounding_twins(swapped) == {"mine": "dw"}
    # One that the paper has is none, whatever a config makes of it.
    alike = load_files([], {"variants": {"no_gan": {"train": {"threads": 2}}}})
    alike["variants"]["no_gan"].pop("loss")
    assert paper.rounding_twins(alike) == {}
