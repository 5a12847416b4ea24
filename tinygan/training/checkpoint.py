"""The checkpoint of a training: a stopped run resumes from it and ends with the same bytes.

A checkpoint is one safetensors file with a JSON header, so it appears whole or not at all. It is in
a folder of its own: Snakemake deletes the outputs of a failed job. It stays after the end, so that
outputs that were deleted are written again from it, without a step of training.
"""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tinygan.files import atomic_file, digest_json, sweep

# Checkpoints of one variant that are kept, the newest ones.
KEPT = 3


class Stopped(RuntimeError):
    """A run was stopped by a signal; its checkpoint was kept."""


@dataclass(frozen=True)
class CheckpointFolder:
    """Where the checkpoints of a variant are, and which of them is this run's.

    Attributes:
        path: the variant's folder; the checkpoint of each run has a folder in it.
        identity: JSON mapping of all that decides the run's result (config, data, code). A
            checkpoint of another identity is neither resumed nor touched.
    """

    path: Path
    identity: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """The folder of this run's checkpoint."""
        return self.path / digest_json(self.identity)

    @property
    def file(self) -> Path:
        """The checkpoint itself."""
        return self.folder / "checkpoint.safetensors"

    @property
    def snapshots(self) -> Path:
        """The folder of the snapshots made so far, which belong to the checkpoint."""
        return self.folder / "snapshots"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other trainings of the variant out; the lock ends with the process, however it ends.

        Raises:
            RuntimeError: another one is running; its process is named.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / "lock", "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                process = file.read().strip() or "unknown"
                raise RuntimeError(
                    f"process {process} is training with {self.path}: wait for it to end, or stop "
                    f"it with `kill {process}`, which keeps its checkpoint"
                ) from None
            except OSError:  # a file system without locks
                pass
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def save(self, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
        """Keep a checkpoint in place of the one before; of other runs, the last few are kept.

        Args:
            tensors: by name, on any device.
            progress: a JSON mapping, with the ``step``.

        Raises:
            FloatingPointError: a tensor has a NaN or an infinity; the state before stays.
        """
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        for name, tensor in plain.items():
            if not tensor.isfinite().all():
                raise FloatingPointError(f"{name} is not finite after step {progress['step']}")
        header = json.dumps({"identity": self.identity, "progress": progress})
        first = not self.file.exists()
        with atomic_file(self.file) as partial:
            save_file(plain, partial, {"run": header})
        if first:
            for other in self._others()[KEPT - 1 :]:
                other.remove()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and the progress kept last, or None where the run has to start.

        Where there are checkpoints of other runs only, it is printed how the newest one differs.

        Raises:
            ValueError: the file is damaged.
        """
        sweep(self.folder, self.snapshots)
        if self.file.is_file():
            return self._read()
        for other in self._others()[:1]:
            kept, wanted = other.identity, json.loads(json.dumps(self.identity))
            say(
                f"there is a checkpoint of another run ({'; '.join(_differences(kept, wanted))}): "
                "it stays, and this run starts at step 1"
            )
        return None

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        try:
            with safe_open(self.file, "pt") as file:
                header = json.loads(file.metadata()["run"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{self.file} is damaged ({error}); delete it to train from the first step"
            ) from error
        return tensors, header["progress"]

    def _others(self) -> list[Self]:
        """Return the readable checkpoints of other runs, the newest first."""
        found = []
        for file in self.path.glob("*/checkpoint.safetensors"):
            try:
                with safe_open(file, "pt") as opened:
                    identity = json.loads(opened.metadata()["run"])["identity"]
            except (SafetensorError, KeyError, TypeError, json.JSONDecodeError):
                continue
            other = type(self)(self.path, identity)
            if file == other.file and file != self.file:
                found.append((file.stat().st_mtime_ns, other))
        return [other for _, other in sorted(found, key=lambda pair: -pair[0])]

    def remove(self) -> None:
        """Remove the checkpoint and its snapshots; folders too, unless something else is there."""
        self.file.unlink(missing_ok=True)
        for path in self.snapshots.glob("*.safetensors"):
            path.unlink()
        for folder in (self.snapshots, self.folder, self.path):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def pack(name: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the tensors of a network and of its optimiser, all named ``{name}/...``."""
    tensors = {f"{name}/network/{key}": value for key, value in network.state_dict().items()}
    for key, parameter in network.named_parameters():
        for moment, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{name}/{moment}/{key}"] = value
    return tensors


def unpack(
    tensors: Mapping[str, Tensor], name: str, network: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Undo `pack`: put the tensors into a network and an optimiser that were just made."""
    weights, parameters = {}, dict(network.named_parameters())
    for path, value in tensors.items():
        owner, kind, key = path.split("/")
        if owner == name and kind == "network":
            weights[key] = value
        elif owner == name:
            parameter = parameters[key]
            if value.ndim:
                # In the parameter's memory format, as the optimiser makes it: in another one, other
                # elements go through vector code, and that may round otherwise than scalar code.
                value = torch.empty_like(parameter, requires_grad=False).copy_(value)
            optimiser.state[parameter][kind] = value
    network.load_state_dict(weights)


@contextmanager
def stop_signals() -> Iterator[Callable[[], str | None]]:
    """Turn SIGTERM and SIGINT into a question: which of them, if any, has come?

    A second signal acts at once, as if it had not been caught.
    """
    received: list[str] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number).name)
        signal.signal(number, before[number])

    before = {n: signal.signal(n, note) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path} was {old}, is {new}"


def say(text: str) -> None:
    """Print a line to standard error, where the log of a job is."""
    print(f"tinygan: {text}", file=sys.stderr, flush=True)
