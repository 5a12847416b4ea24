"""The harvest through Snakemake: interrupted, cut into jobs, and with another teacher."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from helpers.checkouts import copy_folders
from helpers.paths import BIN, ROOT

from tinygan.cli import main
from tinygan.data.shards import open_shard

SHARDS = [f"{split}/{r}" for split in ("teacher_pairs", "teacher") for r in ("000-004", "005-009")]
CONFIG = {
    "preset": "quick",
    "teacher": {"kind": "python", "target": "mygan:images", "handle": None, "pairs_per_class": 7},
    "metrics": {"samples_per_class": 6, "jackknife_groups": 2},
}
# Six calls a job, one of them a trial: the second job is held at its third class.
TEACHER = """
import pathlib
import time

import numpy as np


def images(z, y, truncation):
    with open("calls", "ab") as calls:
        calls.write(b".")
    while pathlib.Path("hold").exists() and pathlib.Path("calls").stat().st_size >= 10:
        pathlib.Path("held").touch()
        time.sleep(0.01)
    shade = 20 * y + 50 * np.abs(z[:, 0])
    return np.broadcast_to(shade.astype(np.uint8)[:, None, None, None], (len(z), 32, 32, 3)).copy()
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the harvest was killed in its second job, and nothing else was done."""
    top = tmp_path_factory.mktemp("checkout")
    copy_folders(top, "tinygan", "workflow")
    shutil.copy(ROOT / "config.yaml", top / "config.yaml")
    (top / "mine.yaml").write_text(yaml.safe_dump(CONFIG))
    (top / "mygan.py").write_text(TEACHER)
    (top / "hold").touch()
    running = subprocess.Popen(
        command("--cores", "1"), cwd=top, start_new_session=True, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (top / "held").exists():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    (top / "hold").unlink()
    return top


def command(*options: str) -> list[str]:
    return [str(BIN / "snakemake"), *options, "--configfile", "mine.yaml", "--", "teacher"]


def snakemake(checkout: Path, *options: str) -> str:
    done = subprocess.run(
        command("--cores", "2", *options),
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def harvested(output: str) -> int:
    """Count the jobs that harvest, in the table that Snakemake prints, in a dry run twice."""
    table = output.split("Job stats:")[1]
    return sum(map(int, re.findall(r"^harvest +(\d+)$", table, re.MULTILINE)))


def found(checkout: Path) -> list[str]:
    images = checkout / "results" / "quick" / "images"
    return sorted(str(path.parent.relative_to(images)) for path in images.rglob("manifest.json"))


def test_a_killed_harvest_goes_on_with_the_shards_that_are_missing(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = checkout / "results" / "quick" / "images"
    (kept,) = found(checkout)
    assert kept in SHARDS
    written = (images / kept / "images.npy").stat().st_mtime_ns
    assert len(list(images.rglob(".*"))) == 1  # the half of a shard, under no shard's name

    snakemake(checkout, "--unlock")
    assert harvested(snakemake(checkout, "--rerun-incomplete")) == 3
    assert found(checkout) == sorted(SHARDS)
    assert (images / kept / "images.npy").stat().st_mtime_ns == written
    assert not list(images.rglob(".*"))

    # By hand, one job for all classes of a split: the same rows.
    monkeypatch.chdir(checkout)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for split, folder in (("pairs", "teacher_pairs"), ("evaluation", "teacher")):
        words = ["--split", split, "--config", "results/quick/config.yaml", "--out", str(tmp_path)]
        parts = [
            open_shard(images / name, verify=True)
            for name in SHARDS
            if name.split("/")[0] == folder
        ]
        assert main(["harvest", "--classes", "000-009", *words]) == 0
        whole = open_shard(tmp_path)
        for name in ("images", "labels", "z"):
            cut = b"".join(getattr(part, name).tobytes() for part in parts)
            assert cut == getattr(whole, name).tobytes()
        assert main(["harvest", "--classes", "005-009", *words]) == 0
        for file in (images / folder / "005-009").iterdir():
            assert file.read_bytes() == (tmp_path / file.name).read_bytes()


def test_a_deleted_shard_alone_is_harvested_again_and_all_with_another_teacher(
    checkout: Path,
) -> None:
    assert "Nothing to be done" in snakemake(checkout, "-n")
    shard = checkout / "results" / "quick" / "images" / SHARDS[0]
    shard.rename(checkout / "away")
    assert harvested(snakemake(checkout, "-n")) == 1
    (checkout / "away").rename(shard)
    with open(checkout / "mygan.py", "a") as file:
        file.write("# other weights\n")
    assert harvested(snakemake(checkout, "-n")) == 4
