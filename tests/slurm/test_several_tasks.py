"""A training in two Slurm tasks, as on two nodes, and what the workflow requests for one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.checkouts import command, make_checkout, wait_until
from helpers.command_line import TINY_STUDENT, mini, write_config
from helpers.paths import ROOT
from helpers.slurm import job, jobs_of, options, slurm
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


def weights(model: Path) -> torch.Tensor:
    """Return all parameters of a model as one vector."""
    return torch.cat([w.flatten() for w in load_file(model / "generator.safetensors").values()])


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
    one, two = map(weights, (train(folder, "one"), tasks))
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
            {"NumNodes": "1-1", "NumTasks": "1", "CPUs/Task": "400", "TresPerJob": "gres:gpu:400"},
        ),
        (
            {"processes": 400, "threads": 1600, "nodes": 100},
            {"NumNodes": "100-100", "NumTasks": "100", "CPUs/Task": "16", "MinMemoryNode": "8000M"}
            | {"TresPerJob": "gres:gpu:400", "TresPerNode": "gres:gpu:4"},
        ),
    ],
)
def test_a_training_requests_its_nodes_processors_and_gpus(
    tmp_path: Path, keys: dict[str, int], requested: dict[str, str]
) -> None:
    """More than there is, so the job waits until it is cancelled."""
    config = {"preset": "many", "device": "cuda", "train": {"batch": 400} | keys}
    checkout = make_checkout(tmp_path / "checkout", {"mine.yaml": config})
    for source in ("teacher_pairs", "real"):
        for part in ("000-004", "005-009"):
            manifest = checkout / "results/many/images" / source / part / "manifest.json"
            manifest.parent.mkdir(parents=True)
            manifest.touch()
    words = command("train_dw", *options(), "--allowed-rules", "train_dw", cores=9999)
    words += ["--configfile", "mine.yaml"]
    with subprocess.Popen(words, cwd=checkout, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: jobs_of("rule_train_dw", checkout), running)
            (number,) = jobs_of("rule_train_dw", checkout)
            described = job(number)
        finally:
            slurm("scancel", *jobs_of("rule_train_dw", checkout))
            running.terminate()
    assert {name: described.get(name) for name in requested} == requested
