"""The section `sweep`: its points, who trains them, and what is refused."""

from pathlib import Path

import pytest
from helpers.paths import ROOT

from tinygan.cli import main
from tinygan.config.derived import VARIANT_SECTIONS, resolve_variant, sweep_points
from tinygan.config.read import DEFAULT, ConfigError
from tinygan.planning.run import load, load_files


def point(architecture: str, channels: int) -> dict:
    return {"student": {"architecture": architecture, "channels": channels}}


def points(**config) -> dict:
    return sweep_points(load_files([], config))


def test_a_point_that_a_variant_trains_has_its_name() -> None:
    assert sweep_points(load(DEFAULT)) == {
        "dw_ch8": point("dw", 8),
        "dw": point("dw", 16),
        "dw_ch32": point("dw", 32),
        "std_half": point("std", 8),
        "std": point("std", 16),
    }
    paper = load_files([ROOT / "config" / "paper.yaml"])
    assert list(sweep_points(paper)) == ["dw_ch16", "dw", "dw_ch64", "std_half", "std"]


def test_the_first_of_several_variants_trains_a_point() -> None:
    wide = {"student": {"channels": 32}}
    assert list(points(variants={"wide": wide, "wider": wide}))[2] == "wide"


@pytest.mark.parametrize(
    "more",
    [
        {"train": {"steps": 9}},
        {"loss": {"pixel": 0.5}},
        {"student": {"channels": 32, "embedding": 8}},
    ],
)
def test_a_variant_that_changes_more_is_no_point(more: dict) -> None:
    mine = {"student": {"channels": 32}} | more
    assert list(points(variants={"mine": mine}))[2] == "dw_ch32"


def test_a_file_replaces_the_whole_sweep() -> None:
    assert points(sweep={"dw": [4, 8]}) == {"dw_ch4": point("dw", 4), "dw_ch8": point("dw", 8)}
    assert points(sweep={}) == points(sweep={"dw": []}) == {}
    assert list(points(sweep={"std": [16]})) == ["std"]


def test_a_point_is_trained_as_the_student_section_says_but_for_two_keys() -> None:
    config = load_files([], {"student": {"embedding": 8}, "train": {"seeds": [3, 4]}})
    swept = resolve_variant(config, "dw_ch32", 4)
    base = resolve_variant(config | {"variants": {"base": {}}}, "base", 4)
    assert swept["train"]["seed"] == 4 and swept["student"]["embedding"] == 8
    changed = {
        (section, key): swept[section][key]
        for section in VARIANT_SECTIONS
        for key in swept[section]
        if swept[section][key] != base[section][key]
    }
    assert changed == {("student", "channels"): 32}
    assert resolve_variant(config, "std_half")["student"]["architecture"] == "std"
    with pytest.raises(ConfigError, match=r"unknown variant dw_ch33; did you mean dw_ch32\?"):
        resolve_variant(config, "dw_ch33")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"sweep": {"st": [8]}}, "sweep.st: there is no such architecture; did you mean std?"),
        ({"sweep": {"dw": [0]}}, "sweep.dw[0]: 0 is less than the minimum of 1"),
        ({"sweep": {"dw": [8, 8]}}, "sweep.dw: [8, 8] has non-unique elements"),
        ({"sweep": {"dw": 8}}, "sweep.dw: 8 is not of type 'array'"),
        (
            {"variants": {"dw_ch8": {"student": {"channels": 4}}}},
            "variants.dw_ch8: dw_ch8 is the name of a point of the sweep; choose another name",
        ),
        (
            {"variants": {"dw_ch8": {"student": {"channels": 8}, "train": {"steps": 9}}}},
            "variants.dw_ch8: dw_ch8 is the name of a point of the sweep; choose another name",
        ),
        (
            {"sources": {"dw_ch32": "images"}},
            "sources.dw_ch32: dw_ch32 is the name of a point of the sweep; choose another name",
        ),
        (
            {"variants": {"dw_ch8_seed2": {}}, "train": {"seeds": [0, 2]}},
            "variants.dw_ch8_seed2: train_dw_ch8_seed2 trains dw_ch8 with seed 2; choose another "
            "name",
        ),
    ],
)
def test_bad_sweeps_and_taken_names_are_one_line(config: dict, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_files([], config)
    text = str(caught.value)
    assert text.startswith(f"config: {problem}") and "\n" not in text


@pytest.mark.parametrize(
    "config",
    [
        {"variants": {"dw_ch8": {"student": {"channels": 8}}}},
        {"variants": {"dw_ch8": {"student": {"channels": 8, "embedding": 32}}}},
        {"variants": {"dw_ch64": {"student": {"channels": 4}}}},  # of no point
        {"sources": {"dw_ch16": "images"}},  # the variant dw trains it
        {"variants": {"dw_ch8_seed2": {}}},  # no training has seed 2
    ],
)
def test_names_that_mean_the_same_or_nothing_else_are_free(config: dict) -> None:
    load_files([], config)


def test_the_cost_of_the_points(tmp_path: Path) -> None:
    assert main(["cost", "--sweep", "--config", str(DEFAULT), "--out", str(tmp_path / "a")]) == 0
    assert main(["cost", "--config", str(DEFAULT), "--out", str(tmp_path / "b")]) == 0
    swept, variants = (
        {line.split(",")[0]: line for line in (tmp_path / name).read_text().splitlines()}
        for name in "ab"
    )
    names = ["source", "teacher", "dw_ch8", "dw", "dw_ch32", "std_half", "std"]
    assert list(swept) == names
    for name in swept.keys() & variants.keys():
        assert swept[name] == variants[name]
    assert swept["dw_ch8"].startswith("dw_ch8,dw,8,") and "no_gan" not in swept
