"""The target `compression`: the exports of dw and std, which `all` does not have."""

import shutil
from pathlib import Path

import pytest
from helpers.checkouts import jobs, snakemake

pytestmark = pytest.mark.slow

# Two students, three precisions.
SCORED = {"sample_export": 6, "score": 6}
JOBS = {"export": 2, "export_speed": 2, "compression": 1} | SCORED


def planned(checkout: Path, *words: str) -> dict[str, int]:
    """Return the jobs of each rule in a dry run, without their sum."""
    found = jobs(snakemake(checkout, "-n", *words))
    found.pop("total", None)
    return found


@pytest.fixture(scope="module")
def compressed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with the table, written by stand-ins; tests leave it as it is."""
    top = tmp_path_factory.mktemp("compressed") / "checkout"
    shutil.copytree(finished, top, symlinks=True)
    assert planned(top, "compression") == JOBS
    snakemake(top, "compression")
    return top


def test_what_it_wrote_and_was_given(compressed: Path) -> None:
    run = compressed / "results" / "mini"
    table = (run / "tables" / "compression.md").read_text()
    sources = [f"{v}{end}" for v in ("dw", "std") for end in ("", ".fp32", ".fp16", ".int8")]
    scores = " ".join(f"results/mini/scores/{source}.json" for source in sources)
    assert f"--scores {scores} --exports results/mini/exports/dw/export.json" in table
    card = (run / "exports" / "std" / "export.json").read_text()
    assert card.startswith("export results/mini/models/std --pairs results/mini/images/teacher_")
    timed = (run / "exports" / "dw" / "speed.json").read_text()
    files = [f"results/mini/exports/dw/generator_{p}.onnx" for p in ("fp32", "fp16", "int8")]
    assert timed.startswith(f"speed --model results/mini/models/dw {' '.join(files)} --out ")
    # No image is stored, and the results of `all` are as they were.
    assert not list(run.glob("images/dw.*"))
    for target in ("all", "compression"):
        assert "Nothing to be done" in snakemake(compressed, "-n", target)


def test_changed_code_reruns_what_it_decides(compressed: Path) -> None:
    for module, expected in (
        ("evaluation/speed", {"export_speed": 2, "compression": 1}),
        ("export/int8", JOBS),
    ):
        path = compressed / "tinygan" / f"{module}.py"
        before = path.read_text()
        path.write_text(before + "\nCHANGED = True\n")
        try:
            assert planned(compressed, "compression") == expected
            assert "Nothing to be done" in snakemake(compressed, "-n", "all")
        finally:
            path.write_text(before)


def test_the_first_seed_is_exported(compressed: Path) -> None:
    words = ("--config", "train={seeds: [3, 0]}")
    printed = snakemake(compressed, "-n", "-p", "results/mini/exports/dw/export.json", *words)
    assert "tinygan export results/mini/models/dw/seed3 --pairs" in printed
    assert jobs(printed)["train_dw_seed3"] == 1
