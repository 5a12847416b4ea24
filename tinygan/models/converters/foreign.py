"""Read external weights without running code, and load them into a network name by name."""

import pickle
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tinygan.external import check_content

# Where a tensor of a network comes from: the name in the file, and how the tensor is converted.
Origin = tuple[str, Callable[[Tensor], Tensor]]


def unchanged(tensor: Tensor) -> Tensor:
    """Return the tensor: no conversion."""
    return tensor


def read_torch(path: Path) -> Any:
    """Read a file written by `torch.save`; only tensors and plain containers are allowed.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, or contains more than data (a pickle that would run code).
    """
    _require(path)
    check_content(path, "zip")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} is refused: it is damaged, or contains more than tensors and plain containers "
            "(reading it could run code); save its state dicts only"
        ) from error
    except Exception as error:  # damaged files can raise anything
        raise ValueError(f"{path} is not a valid file of torch.save: {error}") from error


def read_npz(path: Path) -> dict[str, Tensor]:
    """Read the arrays of an ``.npz`` as tensors; arrays of Python objects are refused.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, is not an ``.npz``, or contains objects (pickles).
    """
    _require(path)
    check_content(path, "zip")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}
    except Exception as error:  # damaged files can raise anything
        # NumPy's message recommends to unpickle the file, which would run code in it.
        details = "" if "pickle" in str(error) else f" ({error})"
        raise ValueError(
            f"{path} is refused: it is not a valid .npz, or contains more than arrays of "
            f"numbers{details}"
        ) from error


def strip_module(state: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the prefix ``module.`` that data-parallel training adds to every name."""
    return {name.removeprefix("module."): value for name, value in state.items()}


def check_names(path: Path, what: str, tensors: Mapping[str, Any], expected: Iterable[str]) -> None:
    """Check that a file has exactly the expected names, and numeric tensors only.

    Raises:
        ValueError: names are missing or unknown (the message gives the first few), or a value is
            not a tensor of real numbers.
    """
    expected, actual = set(expected), set(tensors)
    problems = [
        f"{len(names)} {how} ({', '.join(sorted(names)[:4])}{', ...' if len(names) > 4 else ''})"
        for how, names in (("missing", expected - actual), ("unknown", actual - expected))
        if names
    ]
    if problems:
        raise ValueError(f"{path} is not {what}: of its names, {' and '.join(problems)}")
    for name, value in tensors.items():
        if not isinstance(value, Tensor) or value.is_complex():
            raise ValueError(f"{path}: {name} is not an array of numbers")


def fill(
    path: Path, network: nn.Module, tensors: Mapping[str, Tensor], origins: Mapping[str, Origin]
) -> None:
    """Load the tensors of an external file into a network.

    Args:
        path: the file, for messages.
        network: modified in place.
        tensors: the file's tensors by name, see `check_names`.
        origins: for every name in the network's state dict, where it comes from.

    Raises:
        ValueError: a tensor has the wrong shape, or NaN or infinite values.
    """
    state = network.state_dict()
    for name, (foreign, convert) in origins.items():
        value = tensors[foreign]
        converted = convert(value) if value.ndim else value
        if converted.shape != state[name].shape:
            raise ValueError(
                f"{path}: {foreign} has the shape {list(value.shape)}, which does not fit "
                f"{name} {list(state[name].shape)} of the network that the file describes"
            )
        if not torch.isfinite(converted).all():
            raise ValueError(f"{path}: {foreign} has NaN or infinite values")
        state[name] = converted
    network.load_state_dict(state)


def _require(path: Path) -> None:
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: there is no such file of weights")
