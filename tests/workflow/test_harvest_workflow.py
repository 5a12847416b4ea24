"""The harvest through Snakemake: interrupted, in several jobs, and with a changed teacher."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.checkouts import command, jobs, make_checkout, snakemake, wait_until
from helpers.command_line import PYTHON_TEACHER

from tinygan.cli import main
from tinygan.data.shards import open_shard

pytestmark = pytest.mark.slow

SHARDS = [f"{split}/{r}" for split in ("teacher_pairs", "teacher") for r in ("000-004", "005-009")]
CONFIG = {
    "preset": "quick",
    "classes_per_shard": 5,
    "teacher": PYTHON_TEACHER | {"pairs_per_class": 7},
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
    make_checkout(top, {"mine.yaml": CONFIG, "mygan.py": TEACHER, "hold": ""})
    running = subprocess.Popen(
        command("teacher", "--notemp", configfiles=["mine.yaml"], cores=1),
        cwd=top,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    wait_until((top / "held").exists, running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    (top / "hold").unlink()
    return top


def harvest(checkout: Path, *options: str) -> int:
    """Run the harvest; return how many of its jobs Snakemake has counted."""
    # The images of the evaluation split would be deleted.
    words = ["teacher", "--notemp", *options]
    counted = jobs(snakemake(checkout, *words, configfiles=["mine.yaml"]))
    return sum(counted.get(rule, 0) for rule in ("harvest", "harvest_evaluation"))


def found(checkout: Path) -> list[str]:
    images = checkout / "results" / "quick" / "images"
    return sorted(str(path.parent.relative_to(images)) for path in images.rglob("manifest.json"))


def test_a_killed_harvest_resumes_with_the_missing_shards(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = checkout / "results" / "quick" / "images"
    (kept,) = found(checkout)
    assert kept in SHARDS
    written = (images / kept / "images.npy").stat().st_mtime_ns
    assert len(list(images.rglob(".*"))) == 1  # the half of a shard, under no shard's name

    snakemake(checkout, "--unlock", configfiles=["mine.yaml"])
    assert harvest(checkout, "--rerun-incomplete") == 3
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


def test_a_deleted_shard_reruns_alone_and_a_changed_teacher_reruns_all(
    checkout: Path,
) -> None:
    assert harvest(checkout, "-n") == 0
    shard = checkout / "results" / "quick" / "images" / SHARDS[0]
    shard.rename(checkout / "away")
    assert harvest(checkout, "-n") == 1
    (checkout / "away").rename(shard)
    with open(checkout / "mygan.py", "a") as file:
        file.write("# other weights\n")
    assert harvest(checkout, "-n") == 4
