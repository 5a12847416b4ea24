"""Two ranks compute what one process does, and they stop together."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from helpers.checkouts import wait_until
from helpers.command_line import TINY_STUDENT, mini, start_tinygan, write_config
from helpers.training_setup import OBJECTIVES, files, settings, write_mini_stores
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import distributed

from tinygan.training.data import Batch
from tinygan.training.distributed import World, processes
from tinygan.training.step import TrainingStep

BATCH = 8


def _data() -> Batch:
    rng = torch.Generator().manual_seed(3)

    def images():
        drawn = torch.rand(BATCH, 3, 32, 32, generator=rng) * 2 - 1
        return drawn.contiguous(memory_format=torch.channels_last)

    def z():
        return torch.randn(BATCH, 16, generator=rng)

    labels = torch.arange(BATCH) % 3
    return Batch(z(), labels, images(), images(), labels.flip(0), z())


def _update(world: World, objective: str) -> dict[str, torch.Tensor]:
    """Run one update on this process's share; return gradients, batch-norm statistics and terms.

    In float64, because Eq. 1 and 4 turn a rounding error in a difference near 0 into its sign.
    """
    share = world.local_slice(BATCH)
    data = Batch(**{name: value[share] for name, value in vars(_data()).items()})
    chosen = settings(OBJECTIVES[objective], adversarial_every=1)
    step = TrainingStep.of(chosen, world)
    # Not Adam, whose first step makes of every gradient its sign, that of a rounding error too.
    step.optimisers = {
        name: torch.optim.SGD(network.parameters(), 1e-3) for name, network in step.networks.items()
    }
    data = Batch(
        **{
            name: value
            for name, value in vars(data).items()
            if (name in ("z", "y", "teacher") and chosen.loss.uses_teacher)
            or (name in ("real", "real_y", "fresh_z") and chosen.loss.uses_real)
        }
    )
    terms = step(data, chosen.loss.at(1, chosen.train))
    found = {f"terms/{name}": value for name, value in world.mean(terms).items()}
    for name, network in step.networks.items():
        found |= {f"{name} gradient/{key}": p.grad for key, p in network.named_parameters()}
        found |= {f"{name} buffers/{key}": b for key, b in network.named_buffers()}
    return {name: tensor.detach().double().contiguous() for name, tensor in found.items()}


@contextmanager
def _float64() -> Iterator[None]:
    """Make float64 the precision, also where training leaves mixed precision by `float`."""
    before, torch.Tensor.float = torch.Tensor.float, torch.Tensor.double
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    torch.Tensor.float = before


def _process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group(init_method=meeting, rank=rank, world_size=2)
    with _float64():
        for objective in OBJECTIVES:
            save_file(_update(World(rank, 2, rank), objective), f"{folder}/{objective}-{rank}")
    # The first process believes that torchrun, its parent, was another one: it has ended, then.
    flags = World(rank, 2, rank, _parent=0 if rank == 0 else os.getppid()).any_rank(False, False)
    Path(f"{folder}/flags-{rank}").write_text(json.dumps(list(flags)))
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    torch.multiprocessing.spawn(_process, (str(folder),), nprocs=2)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradients_of_two_processes_are_those_of_one(two_processes, objective):
    """Relative difference under 1e-6 of each network's gradients, buffers and loss terms."""
    with _float64():
        one = _update(World(), objective)
    two = [load_file(two_processes / f"{objective}-{rank}") for rank in range(2)]
    assert set(two[0]) == set(one)
    for name in one:
        assert torch.equal(two[0][name], two[1][name]), name
    for kind in {name.split("/")[0] for name in one}:
        names = [name for name in one if name.startswith(f"{kind}/")]
        expected = torch.cat([one[name].flatten() for name in names])
        found = torch.cat([two[0][name].flatten() for name in names])
        assert 0 < expected.norm()
        assert (found - expected).norm() < 1e-6 * expected.norm(), kind


@pytest.mark.slow
def test_the_end_of_torchrun_stops_all_ranks(two_processes):
    for rank in range(2):
        assert json.loads((two_processes / f"flags-{rank}").read_text()) == [True, False]


def test_a_batch_is_split_equally_or_refused():
    assert [World(rank, 4).local_slice(8) for rank in (0, 3)] == [slice(0, 2), slice(6, 8)]
    with pytest.raises(ValueError, match="a batch of 8 cannot be shared by 3 processes"):
        World(0, 3).local_slice(8)


def test_a_number_of_processes_other_than_torchruns_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="train.processes is 2, but torchrun has started 3"):
        with processes(2):
            pass


@pytest.mark.slow
def test_the_train_subcommand_starts_two_processes_that_resume_together(tmp_path):
    """`train.processes: 2`; stopped by SIGTERM and resumed, it gives the same bytes."""
    write_mini_stores(tmp_path)
    train = {"steps": 20, "batch": 4, "snapshots": 2, "checkpoint_every": 0, "processes": 2}
    write_config(tmp_path, mini(train=train, student=TINY_STUDENT))

    def start(out: str) -> subprocess.Popen:
        words = ["train", "--variant", "dw", "--config", "config.yaml", "--out", out]
        words += ["--pairs", "pairs", "--real", "real"]
        return start_tinygan(*words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    stopped = start("halves")
    kept = tmp_path / "halves.checkpoints"
    wait_until(lambda: list(kept.glob("*/checkpoint.safetensors")), stopped)
    stopped.send_signal(signal.SIGTERM)
    error = stopped.communicate(timeout=120)[1]
    assert stopped.returncode != 0
    assert "of 20; the same command resumes from its checkpoint" in error
    (state,) = kept.glob("*/checkpoint.safetensors")
    with safe_open(state, "pt") as file:
        assert 0 < json.loads(file.metadata()["run"])["progress"]["step"] < 20
    for out in ("halves", "whole"):
        process = start(out)
        error = process.communicate(timeout=120)[1]
        assert process.returncode == 0, error
        assert "another run" not in error
    assert files(tmp_path / "halves") == files(tmp_path / "whole")
