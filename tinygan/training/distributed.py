"""One training run in several processes, joined by DistributedDataParallel and started by torchrun.

Each process computes its share of the global batch, with batch-norm statistics of the whole one,
so that N processes compute the gradients of one: only sums are made in another order. What is not
of the batch (weights, optimisers, the power iteration of spectral norm, which looks at weights
alone) is the same in all of them, so one process writes for all.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """The processes of a run, seen from one of them; by default there is this one only.

    Attributes:
        rank: number of this process, from 0.
        size: number of all processes.
        local_rank: its number on this machine, and that of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    _parent: int = field(default_factory=os.getppid)

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """Return the device called ``cpu``, ``cuda``, or ``auto``: the GPU where there is one.

        Raises:
            ValueError: there is no GPU, or fewer than processes on this machine.
        """
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cpu":
            return torch.device(name)
        if not torch.cuda.is_available():
            raise ValueError("train.device is cuda, but PyTorch sees no GPU: use auto or cpu")
        if self.local_rank >= torch.cuda.device_count():
            raise ValueError(
                f"PyTorch sees {torch.cuda.device_count()} GPUs: train.processes is more than that"
            )
        return torch.device(name, self.local_rank)

    def local_slice(self, batch: int) -> slice:
        """Return this process's rows of a global batch.

        Raises:
            ValueError: the batch cannot be cut into equal shares.
        """
        if batch % self.size:
            raise ValueError(f"a batch of {batch} cannot be shared by {self.size} processes")
        part = batch // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def wrap_ddp(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients, and batch-norm statistics, are of the global batch."""
        if self.size == 1:
            return network
        for module in network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = GlobalBatchNorm
        return DistributedDataParallel(network, forward_sync_buffers=False)

    def mean(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Average scalars, the same ones in every process, over the processes."""
        if self.size == 1 or not terms:
            return dict(terms)
        values = torch.stack([value.detach() for value in terms.values()])
        distributed.all_reduce(values)
        return dict(zip(terms, values / self.size, strict=True))

    def any_rank(self, *flags: bool) -> Sequence[bool]:
        """Tell of each flag whether it is set in any process; waits for the processes, no device.

        The end of torchrun itself, which leaves its processes alone, sets the first flag.
        """
        if self.size == 1:
            return flags
        orphaned = os.getppid() != self._parent
        found = torch.tensor([flags[0] or orphaned, *flags[1:]], dtype=torch.uint8)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return [bool(flag) for flag in found]

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Let the process that writes go through this block before the others."""
        if not self.is_main:
            self.any_rank(False)
        yield
        if self.is_main:
            self.any_rank(False)


ALONE = World()


class GlobalBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics, in training, are those of all processes' equal shares.

    `torch.nn.SyncBatchNorm` does the same on GPUs alone, where nothing of it could be tested.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, C, H, W] to the same shape; N is this process's share."""
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
    """The sum over processes; each one's loss depends on every one's summand."""

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
    """Join the run's processes.

    Args:
        count: how many there have to be.

    Raises:
        ValueError: torchrun has started another number of them.
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


def launch(arguments: Sequence[str], count: int, threads: int) -> None:
    """Become torchrun, which runs `tinygan` with these arguments in `count` processes.

    Does nothing where one is enough, or in a process that torchrun has started.
    """
    if count == 1 or "RANK" in os.environ:
        return
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    # By name, because not every machine knows its own.
    torchrun = ["torch.distributed.run", "--standalone", "--local-addr=localhost"]
    torchrun += [f"--nproc-per-node={count}"]
    command = [sys.executable, "-m", *torchrun, "-m", "tinygan", *arguments]
    os.execv(sys.executable, command)
