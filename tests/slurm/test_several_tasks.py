"""A training in two Slurm tasks, as on two nodes, and what the workflow requests for one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.checkouts import make_checkout, snakemake
from helpers.command_line import TINY_STUDENT, mini, write_config
from helpers.paths import ROOT
from helpers.slurm import options
from helpers.training_setup import files, write_mini_stores
from safetensors.torch import load_file

TRAIN = {"steps": 20, "batch": 4, "snapshots": 2, "checkpoint_every": 0}
SRUN = ["srun", "--nodes=1", "--ntasks=2", "--mem=2000", "--time=10"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("trainings")
    write_mini_stores(top)
    return top


def train(folder: Path, out: str, *launcher: str, **keys: int) -> Path:
    """Train dw with these keys of the section `train`; return the folder of the model."""
    write_config(folder, mini(train=TRAIN | keys, student=TINY_STUDENT), f"{out}.yaml")
    words = ["train", "--variant", "dw", "--config", f"{out}.yaml", "--out", out]
    words += ["--pairs", "pairs", "--real", "real"]
    python = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tinygan"]
    subprocess.run([*launcher, *python, *words], cwd=folder, check=True)
    return folder / out


def test_two_tasks_train_the_student_of_one_process(folder: Path) -> None:
    """The bytes of two processes of one torchrun, which compute what one process does.

    A unit test compares their gradients with those of one process in float64. Here, 20 steps of
    Adam in float32 let rounding grow to a relative difference of 4e-4.
    """
    tasks = train(folder, "tasks", *SRUN, processes=2, nodes=2)
    torchrun = train(folder, "torchrun", processes=2)
    assert files(tasks).keys() == files(torchrun).keys()
    for name, content in files(torchrun).items():
        assert name == "card.json" or files(tasks)[name] == content, name
    one, two = (
        torch.cat([tensor.flatten() for tensor in load_file(out / "generator.safetensors").values()])
        for out in (train(folder, "one"), tasks)
    )
    assert (two - one).norm() < 2e-3 * one.norm()


def test_another_number_of_tasks_is_refused(folder: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        train(folder, "wrong", *SRUN, processes=2)
    assert not (folder / "wrong").exists()


@pytest.mark.parametrize(
    ("keys", "requested"),
    [
        (
            {"processes": 400, "threads": 1},
            {"--nodes": "1", "--ntasks": None, "--cpus-per-task": "400", "--gpus": "400"},
        ),
        (
            {"processes": 400, "threads": 1600, "nodes": 100},
            {"--nodes": "100", "--ntasks": "100", "--cpus-per-task": "16", "--gpus": "400"}
            | {"--gpus-per-node": "4", "--mem": "8000"},
        ),
    ],
)
def test_a_training_requests_its_nodes_processors_and_gpus(
    tmp_path: Path, keys: dict[str, int], requested: dict[str, str | None]
) -> None:
    """More than this Slurm has: it refuses the job, and the message has the call of sbatch."""
    config = {"preset": "many", "device": "cuda", "train": {"batch": 400} | keys}
    checkout = make_checkout(tmp_path / "checkout", {"mine.yaml": config})
    words = ["train_dw", *options(), "--retries", "0", "--until", "train_dw"]
    output = snakemake(checkout, *words, configfiles=["mine.yaml"], cores=9999, fails=True)
    (call,) = re.findall(r"sbatch --parsable .*rule_train_dw .*", output)
    for option, value in requested.items():
        found = re.search(rf"{option}[= ](\S+)", call)
        assert (found and found[1]) == value, option
