"""Files of weights from outside: read as data, never as programs, and matched name by name."""

import pickle
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tinygan.external import check_content

# Where a tensor of ours comes from: the foreign name, and what is done to the foreign tensor.
Origin = tuple[str, Callable[[Tensor], Tensor]]


def as_it_is(tensor: Tensor) -> Tensor:
    """Return the tensor: the foreign file keeps it just as we do."""
    return tensor


def read_torch(path: Path) -> Any:
    """Read a file written by `torch.save`, tensors and plain containers only.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, or holds more than data (a pickle that would run code).
    """
    _present(path)
    check_content(path, "zip")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} is refused: it is damaged, or holds more than tensors and plain containers "
            "(reading it could run code); save its state dicts alone"
        ) from error
    except Exception as error:  # bytes that are no such file can make any step of it fail
        raise ValueError(f"{path} is not a whole file of torch.save: {error}") from error


def read_npz(path: Path) -> dict[str, Tensor]:
    """Read the arrays of an ``.npz`` as tensors; arrays of Python objects are refused.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, is no ``.npz``, or holds objects (pickles).
    """
    _present(path)
    check_content(path, "zip")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}
    except Exception as error:  # bytes that are no such file can make any step of it fail
        # NumPy's own words advise to unpickle it, which would run what it holds.
        words = "" if "pickle" in str(error) else f" ({error})"
        raise ValueError(
            f"{path} is refused: it is not a valid .npz, or holds more than arrays of "
            f"numbers{words}"
        ) from error


def strip_module(state: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the prefix ``module.`` that data-parallel training puts before every name."""
    return {name.removeprefix("module."): value for name, value in state.items()}


def check_names(path: Path, what: str, found: Mapping[str, Any], expected: Iterable[str]) -> None:
    """Compare the names in a file with those that it must have, all of them tensors of numbers.

    Raises:
        ValueError: names are missing or unknown (the message gives the first few), or one stands
            for something else than a tensor.
    """
    expected = set(expected)
    problems = [
        f"{len(names)} {how} ({', '.join(sorted(names)[:4])}{', ...' if len(names) > 4 else ''})"
        for how, names in (("missing", expected - set(found)), ("unknown", set(found) - expected))
        if names
    ]
    if problems:
        raise ValueError(f"{path} is not {what}: of its names, {' and '.join(problems)}")
    for name, value in found.items():
        if not isinstance(value, Tensor) or value.is_complex():
            raise ValueError(f"{path}: {name} is not an array of numbers")


def fill(
    path: Path, network: nn.Module, found: Mapping[str, Tensor], origins: Mapping[str, Origin]
) -> None:
    """Load a network from foreign tensors.

    Args:
        path: the foreign file, for messages.
        network: what is filled.
        found: the foreign tensors by name, see `check_names`.
        origins: for every name in the network's state, where it comes from.

    Raises:
        ValueError: a tensor does not fit in shape, or has NaN or infinite values.
    """
    state = network.state_dict()
    for name, (foreign, change) in origins.items():
        value = found[foreign]
        changed = change(value) if value.ndim else value
        if changed.shape != state[name].shape:
            raise ValueError(
                f"{path}: {foreign} has the shape {list(value.shape)}, which does not fit "
                f"{name} {list(state[name].shape)} of the network that the file describes"
            )
        if not torch.isfinite(changed).all():
            raise ValueError(f"{path}: {foreign} has NaN or infinite values")
        state[name] = changed
    network.load_state_dict(state)


def _present(path: Path) -> None:
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: there is no such file of weights")
