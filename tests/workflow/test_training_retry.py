"""A training that is killed under Snakemake: the retry resumes from the checkpoint."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from helpers.checkouts import command, make_checkout, wait_until
from helpers.command_line import PYTHON_TEACHER, TINY_STUDENT, real_files
from helpers.training_setup import files
from PIL import Image

from tinygan.cli import main

pytestmark = pytest.mark.slow

STEPS = 60
CONFIG = {
    "preset": "quick",
    "classes": ["cat", "dog"],
    "real": real_files("data"),
    "teacher": PYTHON_TEACHER | {"pairs_per_class": 8},
    "student": TINY_STUDENT,
    "train": {"steps": STEPS, "batch": 4, "snapshots": 2, "log_every": 7, "checkpoint_every": 0},
    "metrics": {"samples_per_class": 20},
}
TEACHER = """
import numpy as np


def images(z, y, truncation):
    shade = 40 + 60 * y + 50 * np.abs(z[:, 0])
    return np.broadcast_to(shade.astype(np.uint8)[:, None, None, None], (len(z), 32, 32, 3)).copy()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    make_checkout(tmp_path, {"mine.yaml": CONFIG, "mygan.py": TEACHER})
    rng = np.random.default_rng(0)
    for name in CONFIG["classes"]:
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (36, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path


def trainings(checkout: Path) -> list[int]:
    """Return the process ids of the trainings that run in a checkout."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if (
                words[1:4] == [b"-m", b"tinygan", b"train"]
                and (process / "cwd").resolve() == checkout
            ):
                found.append(int(process.name))
        except OSError:
            pass
    return found


def test_a_killed_training_resumes_when_snakemake_retries_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = command("train_dw", "--retries", "1", configfiles=["mine.yaml"], cores=1)
    running = subprocess.Popen(
        training,
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    results = checkout / "results" / "quick"
    checkpoints = results / "checkpoints" / "dw"
    wait_until(lambda: list(checkpoints.glob("*/checkpoint.safetensors")), running)
    (killed,) = trainings(checkout)
    os.kill(killed, signal.SIGKILL)
    output = running.communicate(timeout=300)[0]
    assert running.returncode == 0, output
    assert "Trying to restart job" in output
    # The log is the second attempt's, which did not begin at the first step.
    steps = re.findall(rf"(\d+)/{STEPS} \[", (results / "logs/train/dw.log").read_text())
    assert 0 < int(steps[0]) < STEPS == int(steps[-1])
    # Outputs that were deleted, as DVC and Snakemake do, cost no second training.
    before = files(results / "models" / "dw")
    shutil.rmtree(results / "models" / "dw")
    subprocess.run(training, cwd=checkout, check=True, capture_output=True)
    log = (results / "logs/train/dw.log").read_text()
    assert "already trained to step 60" in log and f"59/{STEPS}" not in log
    assert files(results / "models" / "dw") == before

    monkeypatch.chdir(checkout)
    words = ["--variant", "dw", "--config", "results/quick/config.yaml", "--out", "straight"]
    for source, folder in (("--pairs", "teacher_pairs"), ("--real", "real")):
        words += [source, str(next((results / "images" / folder).glob("*/manifest.json")))]
    assert main(["train", *words]) == 0
    assert files(checkout / "straight") == files(results / "models" / "dw")
