"""One training in several processes, started by torchrun and synchronised by DDP.

Each process (rank) computes an equal share of the global batch, with the batch-norm statistics of
the whole batch. So N processes compute the same gradients as one, up to the order of summation.
Everything else (weights, optimisers, the power iteration of spectral norm) is the same on all
ranks, so rank 0 writes for all.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tinygan.runtime import device_of


@dataclass(frozen=True)
class World:
    """This process among the processes of a run; by default the only one.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
        local_rank: number of this process on its machine, and of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    _parent: int = field(default_factory=os.getppid)

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, the process that writes."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """Return this process's device, see `tinygan.runtime.device_of`."""
        return device_of(name, self.local_rank)

    def local_slice(self, batch: int) -> slice:
        """Return this process's rows of a global batch.

        Raises:
            ValueError: the batch cannot be divided equally.
        """
        if batch % self.size:
            raise ValueError(f"a batch of {batch} cannot be shared by {self.size} processes")
        part = batch // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def wrap_ddp(self, network: nn.Module) -> nn.Module:
        """Wrap a network in DDP, with gradients and batch-norm statistics of the global batch."""
        if self.size == 1:
            return network
        for module in network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = GlobalBatchNorm
        return DistributedDataParallel(network, forward_sync_buffers=False)

    def mean(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Average scalars over the processes, which must all pass the same names."""
        if self.size == 1 or not terms:
            return dict(terms)
        values = torch.stack([value.detach() for value in terms.values()])
        distributed.all_reduce(values)
        return dict(zip(terms, values / self.size, strict=True))

    def any_rank(self, *flags: bool) -> Sequence[bool]:
        """Return for each flag whether it is set on any rank; waits for all ranks.

        The first flag is also set if torchrun has ended, which does not stop its processes.
        """
        if self.size == 1:
            return flags
        orphaned = os.getppid() != self._parent
        reduced = torch.tensor([flags[0] or orphaned, *flags[1:]], dtype=torch.uint8)
        distributed.all_reduce(reduced, distributed.ReduceOp.MAX)
        return [bool(flag) for flag in reduced]

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run this block on rank 0 before the other ranks."""
        if not self.is_main:
            self.any_rank(False)
        yield
        if self.is_main:
            self.any_rank(False)


ALONE = World()


class GlobalBatchNorm(nn.BatchNorm2d):
    """Batch norm with the statistics of the global batch in training.

    `torch.nn.SyncBatchNorm` does the same, but on GPUs only, so it could not be tested on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [N, C, H, W], this process's share of the batch; the shares are equal."""
        if not self.training:
            return super().forward(x)
        x32 = x.float()
        mean = _global_mean(x32.mean(dim=(0, 2, 3)))
        centred = x32 - mean[:, None, None]
        variance = _global_mean(centred.square().mean(dim=(0, 2, 3)))
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        scale = (variance + self.eps).rsqrt()
        if self.weight is None:
            return (centred * scale[:, None, None]).to(x.dtype)
        scaled = centred * (scale * self.weight)[:, None, None] + self.bias[:, None, None]
        return scaled.to(x.dtype)


class _Sum(torch.autograd.Function):
    """Sum over processes; the backward pass sums too, since every loss depends on the result."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def _global_mean(x: Tensor) -> Tensor:
    return _Sum.apply(x) / distributed.get_world_size()


@contextmanager
def processes(count: int) -> Iterator[World]:
    """Join the process group of the run for the duration of the block.

    Args:
        count: the expected number of processes.

    Raises:
        ValueError: torchrun has started a different number.
    """
    if "RANK" not in os.environ and count == 1:
        yield World()
        return
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started != count:
        raise ValueError(
            f"train.processes is {count}, but torchrun has started {started}: make them equal"
        )
    distributed.init_process_group()
    yield World(distributed.get_rank(), count, int(os.environ["LOCAL_RANK"]))
    distributed.destroy_process_group()


def launch(arguments: Sequence[str], count: int, threads: int, nodes: int = 1) -> None:
    """Replace this process by the launcher of a training in several processes.

    On one machine that is torchrun. On several it is srun, which runs `tinygan` once on each
    machine of a Slurm job, and there torchrun. Does nothing if `count` is 1, or in a process that
    torchrun has started.

    Args:
        arguments: the command-line arguments of `tinygan`.
        count: number of processes on all machines together.
        threads: CPU threads per process.
        nodes: number of machines.

    Raises:
        ValueError: several machines outside a Slurm job, or srun has started another number of
            tasks.
    """
    if count == 1 or "RANK" in os.environ:
        return
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))
    program = [sys.executable, "-m"]
    if nodes > 1 and tasks == 1:
        if "SLURM_JOB_ID" not in os.environ:
            raise ValueError(
                f"train.nodes is {nodes}, but this is not a Slurm job: submit it to Slurm, or start"
                " torchrun on each machine yourself"
            )
        # One failed task ends the others, which would wait for it.
        srun = ["srun", "--kill-on-bad-exit=1", f"--nodes={nodes}", f"--ntasks={nodes}"]
        srun += ["--ntasks-per-node=1", f"--cpus-per-task={threads * count // nodes}"]
        command = [*srun, *program, "tinygan", *arguments]
    elif tasks != nodes:
        raise ValueError(
            f"train.nodes is {nodes}, but srun has started {tasks} tasks: make them equal"
        )
    else:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        torchrun = ["torch.distributed.run", *_meeting(nodes), f"--nproc-per-node={count // nodes}"]
        command = [*program, *torchrun, "-m", "tinygan", *arguments]
    os.execvp(command[0], command)


def _meeting(nodes: int) -> list[str]:
    """Return torchrun's options that say where the processes meet: at task 0 of a Slurm step."""
    if nodes == 1:
        # "localhost", because a machine's own host name may not resolve.
        return ["--standalone", "--local-addr=localhost"]
    names = ["scontrol", "show", "hostnames", os.environ["SLURM_STEP_NODELIST"]]
    host, *_ = subprocess.run(names, check=True, capture_output=True, text=True).stdout.split()
    # A port of its own for each job, because jobs may share a machine.
    port = 20_000 + int(os.environ["SLURM_JOB_ID"]) % 10_000
    rank = os.environ["SLURM_PROCID"]
    return [f"--nnodes={nodes}", f"--node-rank={rank}", f"--master-addr={host}"] + [
        f"--master-port={port}"
    ]
