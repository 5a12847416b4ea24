"""The state of an unfinished run, kept at intervals: a stopped run goes on to the same bytes.

A state is one safetensors file with a JSON header, so it appears whole or not at all. It lies in a
folder of its own: Snakemake deletes the outputs of a failed job, and DVC those of a stage that it
runs again.
"""

import ast
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tinygan.files import atomic_file, digest_json, sweep


class Stopped(RuntimeError):
    """A run ended early at the wish of a signal; its state was kept."""


@dataclass(frozen=True)
class StateFolder:
    """Where a run keeps its state.

    Attributes:
        path: the folder.
        identity: JSON mapping of all that decides the run's result (config, data, code). A state
            of another identity is never resumed.
    """

    path: Path
    identity: Mapping[str, Any]

    @property
    def file(self) -> Path:
        """The state itself."""
        return self.path / "state.safetensors"

    @property
    def snapshots(self) -> Path:
        """The folder of the snapshots made so far, which belong to the state."""
        return self.path / "snapshots"

    def save(self, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
        """Keep a state in place of the one before.

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
        with atomic_file(self.file) as partial:
            save_file(plain, partial, {"run": header})

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and the progress kept last, or None where the run has to start.

        A state of another identity is removed, and what differs is printed.

        Raises:
            ValueError: the file is damaged.
        """
        sweep(self.path, self.snapshots)
        if not self.file.is_file():
            self.remove()
            return None
        try:
            with safe_open(self.file, "pt") as file:
                header = json.loads(file.metadata()["run"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{self.file} is damaged ({error}); delete it to train from the first step"
            ) from error
        changes = list(_differences(header["identity"], json.loads(json.dumps(self.identity))))
        if changes:
            step = header["progress"].get("step")
            _say(
                f"the state of step {step} is of another run ({'; '.join(changes)}): starting anew"
            )
            self.remove()
            return None
        return tensors, header["progress"]

    def remove(self) -> None:
        """Remove the state and its snapshots; the folder too, unless something else is in it."""
        self.file.unlink(missing_ok=True)
        for path in self.snapshots.glob("*.safetensors"):
            path.unlink()
        for folder in (self.snapshots, self.path):
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


def code_digests(modules: Sequence[ModuleType]) -> dict[str, str]:
    """Return a digest of each module's syntax tree, to which comments and layout do not matter."""
    return {
        module.__name__: digest_json(ast.dump(ast.parse(Path(module.__file__).read_text())))
        for module in modules
    }


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


def _say(text: str) -> None:
    print(f"tinygan: {text}", file=sys.stderr, flush=True)
