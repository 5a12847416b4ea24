"""The RO-Crate of a finished run, and what is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.finished_run import files_of, write_finished

from tinygan.cli import main
from tinygan.code import ROOT
from tinygan.files import write_json
from tinygan.provenance.crate import write_crate
from tinygan.provenance.record import record

VALIDATOR = shutil.which("rocrate-validator")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A finished run of this checkout, with its record."""
    results = tmp_path / "results" / "mini"
    config = write_finished(results)
    found = record(config, results, files_of(results), ROOT, snakemake="9.27.1")
    write_json(results / "provenance.json", found)
    return results


def graph(crate: Path) -> dict[str, dict]:
    entities = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    return {entity["@id"]: entity for entity in entities}


def ids(value: list | dict) -> set[str]:
    return {each["@id"] for each in (value if isinstance(value, list) else [value])}


def test_the_crate_says_that_the_workflow_made_the_results(results: Path, tmp_path: Path) -> None:
    write_crate(results, tmp_path / "crate", ROOT)
    found = graph(tmp_path / "crate")
    root, run = found["./"], found["#run"]
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in ids(root["conformsTo"])
    assert ids(root["mainEntity"]) == ids(run["instrument"]) == {"workflow/Snakefile"}
    assert ids(root["mentions"]) == {"#run"}
    values = {f"#value-{name}" for name in ("seed", "teacher", "extractor", "images_real")}
    assert ids(run["object"]) == {"config.yaml"} | values
    made = {"results/mini/claims.md", "results/mini/tables/", "results/mini/provenance.json"}
    assert made <= ids(run["result"])
    assert ids(found["results/mini/tables/"]["hasPart"]) == {"results/mini/tables/table1.csv"}
    # Every input and output that the workflow declares has its value in this run.
    workflow = found["workflow/Snakefile"]
    for side, used in (("input", run["object"]), ("output", run["result"])):
        examples = {each: found[each]["workExample"]["@id"] for each in ids(workflow[side])}
        assert set(examples.values()) == ids(used)
        for parameter, example in examples.items():
            assert ids(found[example]["exampleOfWork"]) == {parameter}


def test_every_file_of_the_crate_is_there_and_described(results: Path, tmp_path: Path) -> None:
    crate = tmp_path / "crate"
    write_crate(results, crate, ROOT)
    present = {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()}
    named = {name for name, entity in graph(crate).items() if "File" in entity["@type"]}
    assert named == present - {"ro-crate-metadata.json", "ro-crate-preview.html"}
    assert {"tinygan/training/loop.py", "workflow/rules/train.smk", "LICENSE"} <= named
    assert "resources/mini_teacher/saved_model.pb" in named
    assert not [name for name in named if "__pycache__" in name]


def test_the_crate_is_planned_with_the_config_of_the_run(results: Path, tmp_path: Path) -> None:
    config = json.loads((results / "provenance.json").read_text())
    config["config"]["seed"] = 7
    write_json(results / "provenance.json", config)
    write_crate(results, tmp_path / "crate", ROOT)
    assert "\nseed: 7\n" in (tmp_path / "crate" / "config.yaml").read_text()


@pytest.mark.slow
@pytest.mark.skipif(
    not VALIDATOR, reason="rocrate-validator is not on the PATH: pip install roc-validator"
)
def test_the_validator_accepts_the_crate(results: Path, tmp_path: Path) -> None:
    write_crate(results, tmp_path / "crate", ROOT)
    words = ["-y", "validate", "--profile-identifier", "workflow-run-crate-0.5", "--no-paging"]
    done = subprocess.run(
        [VALIDATOR, *words, "--verbose", tmp_path / "crate"], capture_output=True, text=True
    )
    if "Unable to retrieve the JSON-LD context" in done.stdout:
        pytest.skip("the JSON-LD context of RO-Crate cannot be fetched, and is not cached")
    assert done.returncode == 0, done.stdout[-4000:]


def refused(results: Path, out: Path, capsys: pytest.CaptureFixture) -> str:
    """Call the subcommand, which has to fail and to write nothing; return its only line."""
    before = sorted(out.rglob("*"))
    assert main(["rocrate", "--results", str(results), "--out", str(out)]) == 1
    assert sorted(out.rglob("*")) == before
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("tinygan rocrate: ")
    return error


def test_a_run_that_is_not_finished_is_refused(results: Path, tmp_path: Path, capsys) -> None:
    error = refused(results.with_name("paper"), tmp_path / "crate", capsys)
    assert "paper is not a finished run" in error and "snakemake --cores 2 all" in error
    assert f"(finished: {results})" in error


def test_changed_and_missing_results_are_refused(results: Path, tmp_path: Path, capsys) -> None:
    table = results / "tables" / "table1.csv"
    table.write_text("model,fid\ndw,2\n")
    assert "table1.csv has changed since" in refused(results, tmp_path / "crate", capsys)
    table.unlink()
    assert "table1.csv is missing" in refused(results, tmp_path / "crate", capsys)


def test_changed_code_is_refused(results: Path, tmp_path: Path, capsys) -> None:
    found = json.loads((results / "provenance.json").read_text())
    found["code"] |= {"commit": "c0" * 20, "sha256": found["code"]["sha256"] | {"workflow": "x"}}
    write_json(results / "provenance.json", found)
    error = refused(results, tmp_path / "crate", capsys)
    assert "the code in workflow has changed" in error and "at commit c0c0c0c0c0c0" in error


def test_a_folder_with_files_is_refused(results: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "crate").mkdir()
    (tmp_path / "crate" / "mine.txt").touch()
    error = refused(results, tmp_path / "crate", capsys)
    assert "mine.txt" in error and "give another folder" in error


def test_without_the_package_its_name_is_given(
    results: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rocrate.rocrate", None)
    error = refused(results, tmp_path / "crate", capsys)
    assert "pip install rocrate" in error
