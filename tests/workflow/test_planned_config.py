"""Dry runs change nothing, and jobs get the config that they were planned with."""

import subprocess
from pathlib import Path

import pytest
import yaml
from helpers.checkouts import command, make_checkout, snakemake, wait_until
from helpers.command_line import PYTHON_TEACHER

from tinygan.data.shards import open_shard
from tinygan.files import read_json
from tinygan.planning.run import load_files

pytestmark = pytest.mark.slow

# The second call is held until the test lets go.
TEACHER = """
import pathlib
import time

import numpy as np


def images(z, y, truncation):
    pathlib.Path("started").touch()
    while pathlib.Path("hold").exists():
        time.sleep(0.01)
    x = np.abs(z[:, 0]) * 60 + 30 * (y + 1)
    shades = np.linspace(0.3, 1, 32 * 32).reshape(32, 32)
    return (x[:, None, None, None] * shades[None, :, :, None] * np.ones(3)).astype(np.uint8)
"""
CONFIG = {
    "preset": "quick",
    "classes_per_shard": 10,
    "teacher": PYTHON_TEACHER | {"pairs_per_class": 5},
    "metrics": {"samples_per_class": 4, "jackknife_groups": 2, "is_splits": 2},
}
OTHER = CONFIG | {
    "teacher": CONFIG["teacher"] | {"pairs_per_class": 3},
    "metrics": CONFIG["metrics"] | {"samples_per_class": 2},
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {"mine.yaml": CONFIG, "other.yaml": OTHER, "mygan.py": TEACHER}
    return make_checkout(tmp_path, files)


def run(checkout: Path, *words: str, config: str = "mine.yaml", fails: bool = False) -> str:
    return snakemake(checkout, *words, configfiles=[config], cores=1, fails=fails)


def files(checkout: Path) -> set[Path]:
    """Everything but what Snakemake keeps for itself and compiled files."""
    return {
        path
        for path in checkout.rglob("*")
        if not {".snakemake", "__pycache__"} & set(path.relative_to(checkout).parts)
    }


@pytest.mark.parametrize(
    "options", [["-n", "--", "all"], ["--lint"], ["--unlock"], ["--summary", "--", "teacher"]]
)
def test_dry_runs_and_queries_write_nothing(checkout: Path, options: list[str]) -> None:
    before = files(checkout)
    run(checkout, *options)
    assert files(checkout) == before


def test_jobs_keep_their_planned_config_during_other_calls(checkout: Path) -> None:
    (checkout / "hold").touch()
    with open(checkout / "log", "wb") as log:
        words = command("teacher", configfiles=["mine.yaml"], cores=1)
        running = subprocess.Popen(words, cwd=checkout, stdout=log, stderr=log)
    wait_until((checkout / "started").exists, running)
    written = (checkout / "results/quick/config.yaml").read_bytes()
    run(checkout, "teacher", "-n", config="other.yaml")
    refused = run(checkout, "teacher", config="other.yaml", fails=True)
    assert "Directory cannot be locked" in refused
    (checkout / "mine.yaml").write_text(yaml.safe_dump(OTHER))
    assert (checkout / "results/quick/config.yaml").read_bytes() == written
    (checkout / "hold").unlink()
    assert running.wait(120) == 0, (checkout / "log").read_text()
    images = checkout / "results/quick/images"
    assert len(open_shard(images / "teacher_pairs" / "000-009").labels) == 50
    assert read_json(images / "teacher" / "000-009" / "manifest.json")["count"] == 40
    (checkout / "mine.yaml").write_text(yaml.safe_dump(CONFIG))
    assert "Nothing to be done" in run(checkout, "teacher", "-n")


def test_a_cluster_job_takes_the_planned_config(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs of a cluster read the workflow again, in a process that is not the main one."""
    planned = load_files([checkout / "mine.yaml"]) | {"preset": "planned"}
    (checkout / "planned.yaml").write_text(yaml.safe_dump(planned))
    monkeypatch.setenv("TINYGAN_PLANNED_CONFIG", "planned.yaml")
    target = "results/planned/cost.csv"
    assert "MissingRuleException" in run(checkout, target, "-n", fails=True)
    run(checkout, target, "-n", "--mode", "subprocess")


def test_another_working_directory_gets_the_default_config(checkout: Path, tmp_path: Path) -> None:
    run(checkout, "results/quick/cost.csv", "-n", "-d", str(tmp_path / "elsewhere"))


def test_the_error_of_a_failed_job_is_shown_in_the_terminal(checkout: Path) -> None:
    (checkout / "mygan.py").write_text("def images(z, y, truncation):\n    return z[9999]\n")
    output = run(checkout, "teacher", fails=True)
    (line,) = {line for line in output.splitlines() if "IndexError" in line}
    assert line.startswith("results/quick/logs/harvest") and "mygan.py, line 2" in line


def test_a_warning_of_a_job_is_shown_in_the_terminal(checkout: Path) -> None:
    dark = TEACHER.replace("* 60 + 30", "* 20 + 10")
    (checkout / "mygan.py").write_text(dark)
    assert "warning: teacher mygan:images: its images have only values" in run(checkout, "teacher")
