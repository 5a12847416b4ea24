"""The record of a finished run, and its page in the report."""

import json
from pathlib import Path

import pytest
from docutils.core import publish_parts
from helpers.command_line import mini, write_config
from helpers.finished_run import (
    TEACHER,
    change_json,
    files_of,
    two_shards,
    write_benchmark,
    write_finished,
    write_manifest,
)

from tinygan.cli import main
from tinygan.code import ROOT
from tinygan.files import sha256, write_json
from tinygan.provenance.page import page
from tinygan.provenance.record import record


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_finished(tmp_path / "results" / "mini")
    return tmp_path / "results" / "mini"


def recorded(results: Path, **options) -> dict:
    return record(two_shards(), results, files_of(results), ROOT, **options)


def test_the_record_has_what_decided_the_results(results: Path) -> None:
    found = recorded(results, snakemake="9.27.1")
    assert found["preset"] == "mini" and found["config"] == two_shards()
    assert found["device"]["requested"] == mini()["device"] == "cpu"
    assert found["device"]["models"] == dict.fromkeys(mini()["variants"], "cuda")
    assert found["seeds"] == {"run": 0, "models": dict.fromkeys(mini()["variants"], 0)}
    assert found["teacher"] == {
        "kind": "tfhub",
        "handle": "resources/mini_teacher",
        "fingerprint": TEACHER,
    }
    assert found["extractor"]["sha256"] == "e5" * 32
    assert found["models"]["no_feat"] == "no_feat weights"
    assert found["software"]["snakemake"] == "9.27.1"
    assert found["jobs"]["train"] == {"jobs": 2, "seconds": 90.5, "peak_mb": 500.0}
    assert found["files"]["tables/table1.csv"] == sha256(results / "tables" / "table1.csv")
    assert {*found["data"]} == {"real", "teacher", "teacher_pairs"}
    assert found["data"]["real"]["images"] == 20 and found["data"]["real"]["shards"] == 2
    assert found["machine"]["cores"] > 0 and found["machine"]["memory_gb"] > 0
    json.dumps(found, allow_nan=False)


def test_every_student_is_recorded_with_its_seed(results: Path) -> None:
    config = two_shards(train={"seeds": [0, 3]})
    for variant in config["variants"]:
        card = {"variant": variant, "seed": 3, "sha256": f"{variant}, seed 3", "device": "cpu"}
        write_json(results / "models" / variant / "seed3" / "card.json", card)
    write_benchmark(results, "train/dw/seed3", "10", "600")
    found = record(config, results, files_of(results), ROOT)
    assert len(found["models"]) == len(found["device"]["models"]) == 2 * len(config["variants"])
    assert found["models"]["std/seed3"] == "std, seed 3" and found["models"]["std"] == "std weights"
    assert found["seeds"]["models"]["dw"] == 0 and found["seeds"]["models"]["dw/seed3"] == 3
    assert found["device"]["models"]["dw/seed3"] == "cpu"
    assert found["jobs"]["train"] == {"jobs": 3, "seconds": 100.5, "peak_mb": 600.0}
    (results / "models" / "std" / "seed3" / "card.json").unlink()
    with pytest.raises(FileNotFoundError, match="std/seed3/card.json is missing: finish the run"):
        record(config, results, files_of(results), ROOT)


def test_the_digest_of_a_store_follows_its_arrays(results: Path) -> None:
    before = recorded(results)["data"]
    manifest = results / "images" / "real" / "005-009" / "manifest.json"
    change_json(manifest, arrays={"images": {"sha256": "other"}})
    after = recorded(results)["data"]
    assert after["real"]["digest"] != before["real"]["digest"]
    assert after["teacher"] == before["teacher"]


def test_shards_of_other_ranges_do_not_count(results: Path) -> None:
    before = recorded(results)
    write_manifest(results, "teacher", "000-009", teacher="of an earlier config")
    assert recorded(results)["data"] == before["data"]


def test_only_what_all_shards_agree_on_is_recorded(results: Path) -> None:
    write_manifest(results, "real", "000-004", dropped=3, requirement="animals==1")
    write_manifest(results, "real", "005-009", dropped=4, requirement="animals==1")
    found = recorded(results)["data"]["real"]["provenance"]
    assert found == {"seed": 0, "requirement": "animals==1"}


@pytest.mark.parametrize(
    "path", ["images/teacher/005-009/manifest.json", "models/dw/card.json", "scores/teacher.json"]
)
def test_an_unfinished_run_is_refused(results: Path, path: str) -> None:
    (results / path).unlink()
    with pytest.raises(FileNotFoundError, match="finish the run first, with snakemake"):
        record(two_shards(), results, [], ROOT)


def test_shards_of_two_teachers_are_refused(results: Path) -> None:
    write_manifest(results, "teacher", "005-009", teacher="another")
    with pytest.raises(ValueError, match="are of different teachers: run snakemake"):
        recorded(results)


def test_the_page_shows_every_text_as_it_is(results: Path) -> None:
    write_benchmark(results, "claims", "1", "NA")
    found = recorded(results, snakemake="9.27.1")
    found["code"] |= {"commit": "c0" * 20, "clean": False, "changed": ["a_b_*|`c`", "\\d"]}
    found["config"]["preset"] = "``odd`_*"
    strict = {"report_level": 1, "halt_level": 1}
    shown = publish_parts(page(found), writer="html5", settings_overrides=strict)["body"]
    assert f"commit {'c0' * 8}, changed: a_b_*|`c`, \\d" in shown
    assert "preset: '``odd`_*'" in shown
    assert "90.5 s" in shown and "500 MiB" in shown and "snakemake 9.27.1" in shown


def test_the_page_does_not_list_a_thousand_classes(results: Path) -> None:
    found = recorded(results)
    assert "classes: [bear, bird" in page(found)
    found["config"]["classes"] = [f"name{i}" for i in range(1000)]
    assert "classes: 1000 names, listed in provenance.json" in page(found)
    assert "name7" not in page(found)


def test_the_page_of_a_clean_commit_and_of_none(results: Path) -> None:
    found = recorded(results)
    found["code"] |= {"commit": "c0" * 20, "clean": True, "changed": []}
    assert f"commit {'c0' * 8}, clean" in page(found)
    found["code"] |= {"commit": None, "clean": None, "changed": None}
    assert "- no commit\n" in page(found)


def test_the_subcommand_writes_both_files(results: Path) -> None:
    out = results / "provenance.json"
    config = write_config(results.parent, two_shards())
    words = ["--config", config, "--results", results, "--out", out]
    words += ["--files", *files_of(results)]
    assert main(["provenance", *map(str, words)]) == 0
    assert json.loads(out.read_text())["files"].keys() == recorded(results)["files"].keys()
    assert "Time and memory by rule" in out.with_suffix(".rst").read_text()
