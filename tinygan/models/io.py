"""Models on disk: weights in safetensors, and card.json, which describes them."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from tinygan.external import check_content
from tinygan.files import atomic_file, read_json, sha256, write_json
from tinygan.models import sngan
from tinygan.models.discriminator import Discriminator
from tinygan.models.students import build_student
from tinygan.runtime import device_of


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the state dict of a network to a safetensors file, atomically."""
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    with atomic_file(path) as partial:
        save_file(state, partial)


def load_weights(network: nn.Module, path: Path) -> None:
    """Load the state dict of a network from a safetensors file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, or its names or shapes do not fit the network.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file of weights; train the model first")
    check_content(path)
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{path} does not have the weights of this network: {error}") from error


def save_card(folder: Path, card: dict[str, Any]) -> None:
    """Write card.json beside the weights, adding their SHA-256.

    Args:
        folder: with generator.safetensors and, if the card describes a discriminator,
            discriminator.safetensors.
        card: what the weights are; see docs/reference/formats.md.
    """
    hashes = {"sha256": sha256(folder / "generator.safetensors")}
    if card.get("discriminator"):
        hashes["discriminator_sha256"] = sha256(folder / "discriminator.safetensors")
    write_json(folder / "card.json", card | hashes)


def read_card(folder: Path) -> dict[str, Any]:
    """Read card.json of a model's folder.

    Raises:
        FileNotFoundError: there is no card.
        ValueError: it is not valid JSON.
    """
    if not (Path(folder) / "card.json").is_file():
        raise FileNotFoundError(f"{folder} is not a model: it has no card.json")
    return read_json(Path(folder) / "card.json")


def load_generator(folder: Path, step: int | None = None, *, device: str = "cpu") -> nn.Module:
    """Load a generator, (z, y) -> images, in evaluation mode.

    The card's ``generator.architecture`` determines its class: ``sngan`` is SNGAN-projection, any
    other a student, see `build_student`.

    Args:
        folder: the model's folder, with card.json.
        step: step of a snapshot for the learning curve; None for the final model.
        device: see `tinygan.runtime.device_of`.

    Raises:
        FileNotFoundError, ValueError: see `load_weights` and `device_of`.
    """
    folder = Path(folder)
    generator = _build(folder, read_card(folder)["generator"])
    name = "generator.safetensors" if step is None else f"snapshots/{step:06d}.safetensors"
    load_weights(generator, folder / name)
    return generator.to(device_of(device), memory_format=torch.channels_last).eval()


def load_discriminator(folder: Path, *, device: str = "cpu") -> Discriminator:
    """Load the discriminator of a trained student, (image, y) -> score, in evaluation mode.

    Args:
        folder: the model's folder, with card.json.
        device: see `tinygan.runtime.device_of`.

    Raises:
        FileNotFoundError: the model has no discriminator.
        ValueError: see `load_weights` and `device_of`.
    """
    folder = Path(folder)
    shape = read_card(folder).get("discriminator")
    if not shape:
        raise FileNotFoundError(f"{folder} has no discriminator: its training had none")
    discriminator = Discriminator(**shape)
    load_weights(discriminator, folder / "discriminator.safetensors")
    return discriminator.to(device_of(device), memory_format=torch.channels_last).eval()


def _build(folder: Path, recipe: dict[str, Any]) -> nn.Module:
    """Build the generator that a card describes; ValueError for keys of another version."""
    try:
        if recipe["architecture"] == "sngan":
            shape = {key: value for key, value in recipe.items() if key != "architecture"}
            return sngan.Generator(**shape)
        return build_student(**recipe)
    except TypeError as error:
        raise ValueError(
            f"{folder}/card.json is of another version of this project ({error}): train or import "
            "the model again"
        ) from error
