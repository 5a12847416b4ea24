"""The target `sweep`: the jobs of its points, which `all` does not have."""

import json
import re
import shutil
from pathlib import Path

import pytest
from helpers.checkouts import jobs, snakemake

pytestmark = pytest.mark.slow

MEASURED = {"sweep_cost": 1, "sweep_speed": 1, "sweep": 1}


def planned(checkout: Path, *words: str) -> dict[str, int]:
    """Return the jobs of each rule in a dry run, without their sum."""
    found = jobs(snakemake(checkout, "-n", *words))
    found.pop("total", None)
    return found


def config(**sections) -> tuple[str, ...]:
    return "--config", *(f"{name}={json.dumps(value)}" for name, value in sections.items())


def points(*names: str) -> dict[str, int]:
    """Return the jobs of these points, up to their scores."""
    found = {f"train_{name}": 1 for name in names}
    return found | {"sample": len(names), "score": len(names)}


@pytest.fixture(scope="module")
def swept(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a finished sweep, written by stand-ins; tests leave it as it is."""
    top = tmp_path_factory.mktemp("swept") / "checkout"
    shutil.copytree(finished, top, symlinks=True)
    snakemake(top, "sweep")
    return top


def test_after_all_a_sweep_trains_the_points_that_no_variant_trains(finished: Path) -> None:
    assert planned(finished, "sweep") == points("dw_ch8", "dw_ch32") | MEASURED
    assert "Nothing to be done" in snakemake(finished, "-n", "all")


def test_alone_it_needs_its_points_and_the_teacher(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "new", symlinks=True)
    shutil.rmtree(tmp_path / "new" / "results")
    found = planned(tmp_path / "new", "sweep")
    trained = [name for name in found if name.startswith("train_")]
    assert trained == ["train_dw", "train_dw_ch32", "train_dw_ch8", "train_std", "train_std_half"]
    assert (found["sample"], found["features"], found["score"]) == (5, 3, 6)
    in_all = planned(tmp_path / "new", "all")
    assert not [name for name in in_all if "sweep" in name or "_ch" in name]
    assert in_all["score"] == 10


def test_what_it_wrote_and_what_it_was_given(swept: Path) -> None:
    folder = swept / "results" / "mini" / "sweep"
    names = [f"sweep.{suffix}" for suffix in ("csv", "html", "md", "pdf", "png", "tex")]
    assert sorted(path.name for path in folder.iterdir()) == ["cost.csv", "speed.json", *names]
    models = "results/mini/models"
    order = ["dw_ch8", "dw", "dw_ch32", "std_half", "std"]
    assert (folder / "speed.json").read_text() == " ".join(
        ["speed --model", *(f"{models}/{name}" for name in order)]
        + ["--out results/mini/sweep/speed.json"]
    )
    given = (folder / "sweep.md").read_text()
    scores = re.findall(r"results/mini/scores/(\w+)\.json", given)
    assert sorted(scores) == sorted(["teacher", *order])
    training = (swept / "results/mini/models/dw_ch8/card.json").read_text()
    assert "--variant dw_ch8 --seed 0 " in training


def test_a_finished_sweep_leaves_all_and_itself_up_to_date(swept: Path) -> None:
    for target in ("sweep", "all"):
        assert "Nothing to be done" in snakemake(swept, "-n", target)


def test_another_width_trains_one_more_student(swept: Path) -> None:
    words = config(sweep={"dw": [8, 16, 24], "std": [8, 16]})
    assert planned(swept, "sweep", *words) == points("dw_ch24") | MEASURED
    assert planned(swept, "sweep", *config(sweep={"dw": [8, 32]})) == MEASURED


def test_a_variant_that_is_a_point_no_more_is_replaced_by_a_training_of_that_point(
    swept: Path,
) -> None:
    words = config(variants={"std_half": {"student": {"channels": 4}}})
    assert planned(swept, "sweep", *words) == points("std_ch8") | MEASURED


def test_a_setting_of_one_variant_retrains_no_point_but_its_own(swept: Path) -> None:
    words = config(variants={"std": {"student": {"architecture": "std", "embedding": 8}}})
    # std is no point of the sweep any more.
    assert planned(swept, "sweep", *words) == points("std_ch16") | MEASURED


def test_every_seed_of_a_point_is_trained_and_the_first_is_timed(swept: Path) -> None:
    words = config(train={"seeds": [0, 1]})
    expected = points(*(f"{n}_seed1" for n in ("dw", "dw_ch8", "dw_ch32", "std", "std_half")))
    assert planned(swept, "sweep", *words) == expected | {"sweep": 1}


def test_changed_code_of_the_timing_retrains_nothing(swept: Path) -> None:
    path = swept / "tinygan" / "evaluation" / "speed.py"
    before = path.read_text()
    path.write_text(before + "\nCHANGED = True\n")
    try:
        assert planned(swept, "sweep") == {"sweep_speed": 1, "sweep": 1}
        assert "Nothing to be done" in snakemake(swept, "-n", "all")
    finally:
        path.write_text(before)


def test_one_architecture_is_enough_and_an_empty_sweep_is_refused(swept: Path) -> None:
    words = config(sweep={"std": [4, 16]})
    assert planned(swept, "sweep", *words) == points("std_ch4") | MEASURED
    for empty in ({}, {"dw": []}):
        output = snakemake(swept, "-n", "sweep", *config(sweep=empty), fails=True)
        assert "config: sweep has no points; list channels of an architecture" in output
        assert "Traceback" not in output
        assert "Nothing to be done" in snakemake(swept, "-n", "all", *config(sweep=empty))
