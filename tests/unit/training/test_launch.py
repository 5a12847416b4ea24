"""How a training in several processes is started: by torchrun, on several nodes by srun first."""

import os
import sys
from pathlib import Path

import pytest

from tinygan.training.distributed import launch

PYTHON = [sys.executable, "-m"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line that replaces this process, which no launcher has started."""
    for name in [*os.environ]:
        if name.startswith("SLURM_") or name == "RANK":
            monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words: list[str] = []
    monkeypatch.setattr(os, "execvp", lambda program, command: words.extend(command))
    return words


def slurm(monkeypatch: pytest.MonkeyPatch, **variables: object) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))


def test_one_process_needs_no_launcher(started: list[str]) -> None:
    launch(["train"], 1, threads=2)
    assert started == []


def test_on_one_node_torchrun_starts_all_processes(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm(monkeypatch, JOB_ID=7, STEP_NUM_TASKS=1)
    launch(["train", "--threads", "8"], 4, threads=2)
    torchrun = ["torch.distributed.run", "--standalone", "--local-addr=localhost"]
    torchrun += ["--nproc-per-node=4"]
    assert started == [*PYTHON, *torchrun, "-m", "tinygan", "train", "--threads", "8"]


def test_in_a_job_of_several_nodes_srun_starts_one_task_on_each(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm(monkeypatch, JOB_ID=7)
    launch(["train"], 8, threads=3, nodes=2)
    srun = ["srun", "--kill-on-bad-exit=1", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1"]
    assert started == [*srun, "--cpus-per-task=12", *PYTHON, "tinygan", "train"]


def test_a_task_starts_its_share_and_meets_the_others_at_the_first_node(
    started: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = '#!/bin/sh\n[ "$3" = "gpu[03-04]" ] && echo gpu03\necho gpu04\n'
    (tmp_path / "scontrol").write_text(script)
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    slurm(monkeypatch, JOB_ID=70_007, STEP_NUM_TASKS=2, STEP_NODELIST="gpu[03-04]", PROCID=1)
    launch(["train"], 8, threads=3, nodes=2)
    torchrun = ["torch.distributed.run", "--nnodes=2", "--node-rank=1", "--master-addr=gpu03"]
    torchrun += ["--master-port=20007", "--nproc-per-node=4"]
    assert started == [*PYTHON, *torchrun, "-m", "tinygan", "train"]


def test_several_nodes_without_slurm_are_refused(started: list[str]) -> None:
    with pytest.raises(ValueError, match="train.nodes is 2, but this is not a Slurm job: submit"):
        launch(["train"], 8, threads=1, nodes=2)


@pytest.mark.parametrize(("nodes", "tasks"), [(1, 2), (2, 3)])
def test_another_number_of_tasks_is_refused(
    started: list[str], monkeypatch: pytest.MonkeyPatch, nodes: int, tasks: int
) -> None:
    slurm(monkeypatch, JOB_ID=7, STEP_NUM_TASKS=tasks)
    with pytest.raises(ValueError, match=f"nodes is {nodes}, but srun has started {tasks} tasks"):
        launch(["train"], 12, threads=1, nodes=nodes)


def test_torchruns_own_processes_start_nothing(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    launch(["train"], 8, threads=1, nodes=2)
    assert started == []
