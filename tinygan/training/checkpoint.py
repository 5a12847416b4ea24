"""Checkpoints: a stopped training resumes and ends with byte-identical outputs.

A checkpoint is one safetensors file with a JSON header, written atomically. It is outside the
output folder, because Snakemake deletes the outputs of a failed job. It remains after the training,
so deleted outputs can be written again without retraining.
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

# Checkpoints to keep per variant, for different configs, data or code; the oldest are deleted.
MAX_CHECKPOINTS = 3


class Stopped(RuntimeError):
    """The run was stopped by a signal, after saving a checkpoint."""


@dataclass(frozen=True)
class CheckpointFolder:
    """The folder with the checkpoints of a variant, one per identity.

    Attributes:
        path: the variant's folder, with one subfolder per identity.
        identity: JSON mapping of everything that determines the run's result (config, data, code).
            Checkpoints of other identities are never resumed.
    """

    path: Path
    identity: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """The subfolder of this run's checkpoint."""
        return self.path / digest_json(self.identity)

    @property
    def file(self) -> Path:
        """The file of this run's checkpoint."""
        return self.folder / "checkpoint.safetensors"

    @property
    def snapshots(self) -> Path:
        """The folder of this run's snapshots so far."""
        return self.folder / "snapshots"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for the duration of the block; the lock also ends with the process.

        Raises:
            RuntimeError: another training of the variant is running; the message has its process.
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
                    f"it with `kill {process}`; it saves a checkpoint first"
                ) from None
            except OSError:  # a file system without locks
                pass
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def save(self, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
        """Save a checkpoint, replacing this run's previous one.

        Of other runs' checkpoints, only the newest are kept, see `MAX_CHECKPOINTS`.

        Args:
            tensors: tensors by name, on any device.
            progress: a JSON mapping, with the ``step``.

        Raises:
            FloatingPointError: a tensor has a NaN or an infinity; the previous checkpoint remains.
        """
        on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        for name, tensor in on_cpu.items():
            if not tensor.isfinite().all():
                raise FloatingPointError(f"{name} is not finite after step {progress['step']}")
        header = json.dumps({"identity": self.identity, "progress": progress})
        is_first = not self.file.exists()
        with atomic_file(self.file) as partial:
            save_file(on_cpu, partial, {"run": header})
        if is_first:
            for other in self._others()[MAX_CHECKPOINTS - 1 :]:
                other.remove()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and the progress of this run's checkpoint; None without one.

        If there are only checkpoints of other runs, print how the newest of them differs.

        Raises:
            ValueError: the file is damaged.
        """
        sweep(self.folder, self.snapshots)
        if self.file.is_file():
            return self._read()
        for other in self._others()[:1]:
            identity = json.loads(json.dumps(self.identity))
            differences = "; ".join(_differences(other.identity, identity))
            print_notice(
                f"the checkpoint of another run is not used ({differences}); starting from step 1"
            )
        return None

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        try:
            with safe_open(self.file, "pt") as file:
                header = json.loads(file.metadata()["run"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{self.file} is damaged ({error}); delete it to restart from step 1"
            ) from error
        return tensors, header["progress"]

    def _others(self) -> list[Self]:
        """Return the readable checkpoints of other runs, the newest first."""
        others = []
        for file in self.path.glob("*/checkpoint.safetensors"):
            try:
                with safe_open(file, "pt") as opened:
                    identity = json.loads(opened.metadata()["run"])["identity"]
            except (SafetensorError, KeyError, TypeError, json.JSONDecodeError):
                continue
            other = type(self)(self.path, identity)
            if file == other.file and file != self.file:
                others.append((file.stat().st_mtime_ns, other))
        return [other for _, other in sorted(others, key=lambda pair: -pair[0])]

    def remove(self) -> None:
        """Delete the checkpoint and its snapshots, and folders that are empty then."""
        self.file.unlink(missing_ok=True)
        for path in self.snapshots.glob("*.safetensors"):
            path.unlink()
        for folder in (self.snapshots, self.folder, self.path):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def pack(name: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the tensors of a network and its optimiser.

    They are named ``{name}/network/{key}`` and ``{name}/{moment}/{key}``.
    """
    tensors = {f"{name}/network/{key}": value for key, value in network.state_dict().items()}
    for key, parameter in network.named_parameters():
        for moment, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{name}/{moment}/{key}"] = value
    return tensors


def unpack(
    tensors: Mapping[str, Tensor], name: str, network: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Load the tensors of `pack` into a new network and a new optimiser."""
    weights, parameters = {}, dict(network.named_parameters())
    for path, value in tensors.items():
        owner, kind, key = path.split("/")
        if owner == name and kind == "network":
            weights[key] = value
        elif owner == name:
            parameter = parameters[key]
            if value.ndim:
                # In the parameter's memory format, like the optimiser's own: in another format,
                # other elements would run through vector code, which may round differently.
                value = torch.empty_like(parameter, requires_grad=False).copy_(value)
            elif optimiser.defaults["fused"]:  # which counts its steps on the device
                value = value.to(parameter.device)
            optimiser.state[parameter][kind] = value
    network.load_state_dict(weights)


@contextmanager
def stop_signals() -> Iterator[Callable[[], str | None]]:
    """Catch SIGTERM and SIGINT; yield a function that returns the name of the one received, if any.

    A second signal acts immediately, as if it had not been caught.
    """
    received: list[str] = []

    def record(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number).name)
        signal.signal(number, previous[number])

    previous = {n: signal.signal(n, record) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield the differing values of two nested mappings with their dotted paths."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path} was {old}, is {new}"


def print_notice(text: str) -> None:
    """Print a line to standard error, which is a job's log."""
    print(f"tinygan: {text}", file=sys.stderr, flush=True)
