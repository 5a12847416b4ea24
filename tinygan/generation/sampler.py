"""Draw pictures with a trained model: what `tinygan.load_generator` returns."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from tinygan.classes.by_name import match
from tinygan.generation.interpolation import interpolate
from tinygan.generation.paths import LatentPath
from tinygan.generation.shipped import model_folder
from tinygan.generation.student_mixtures import open_student_mixtures
from tinygan.models.io import load_generator, read_card
from tinygan.models.pixels import to_uint8
from tinygan.seeding import latents

# Every batch has this size, so that an image does not depend on how many are drawn.
_BATCH = 16
KINDS = ("z", "class")


def open_sampler(model: str | Path, *, device: str = "cpu") -> "Sampler":
    """Open a trained model by its folder or, if it is shipped, by its name.

    Args:
        model: see `model_folder`, e.g. ``"mini-dw"`` or ``"results/mini/models/dw"``.
        device: see `tinygan.runtime.device_of`.

    Raises:
        FileNotFoundError: there is no such model.
        ValueError: its files are damaged.
    """
    folder = model_folder(model)
    return Sampler(str(model), folder, read_card(folder), load_generator(folder, device=device))


class Sampler:
    """A trained generator that draws pictures of classes by name.

    The same seed always gives the same images. A class has its own random numbers: its images
    depend neither on the other classes nor on how many are drawn.

    Attributes:
        name: the model's name or folder, as it was given.
        folder: its folder.
        classes: the names of its classes, in the order of its labels. If the card has none, they
            are the labels, ``"0"``, ``"1"``, ...
        truncation: the scale of z that the card records; None for a standard normal z.
        network: the generator, (z, y) -> images in [-1, 1]; see `tinygan.models.io.load_generator`.
    """

    def __init__(self, name: str, folder: Path, card: dict[str, Any], network: nn.Module) -> None:
        self.name, self.folder, self.network = name, folder, network
        self._recipe = card["generator"]
        self.classes = list(card.get("classes") or map(str, range(self._recipe["classes"])))
        self.truncation = card["truncation"]
        self._device = str(next(network.parameters()).device.type)

    def sample(
        self,
        classes: Sequence[str | int] | None = None,
        n: int = 8,
        *,
        seed: int = 0,
        truncation: float | None = None,
        as_pil: bool = False,
    ) -> np.ndarray | list[Image.Image]:
        """Draw `n` images of each class.

        Args:
            classes: names or indices; None: all.
            n: images per class, at least 1. A larger number only adds images.
            seed: of z.
            truncation: scale of z, above 0; smaller is more typical and less varied. None: the one
                that the model was trained with.
            as_pil: return a list of PIL images.

        Returns:
            uint8 [len(classes) * n, H, W, 3], class by class in the order of `classes`.

        Raises:
            ValueError: an unknown class, `n` or `truncation` out of range.
        """
        labels = self.labels(classes)
        drawn = [self.draw(self._z(label, n, seed, truncation), label) for label in labels]
        images = np.concatenate(drawn)
        return [Image.fromarray(image) for image in images] if as_pil else images

    def interpolate(
        self,
        kind: str,
        classes: Sequence[str | int] | None = None,
        n: int = 1,
        *,
        steps: int = 16,
        seed: int = 0,
        truncation: float | None = None,
    ) -> np.ndarray:
        """Draw the images on paths between latent vectors, or between classes.

        Args:
            kind: ``z``: `n` paths in each class, path i from its image 2i to its image 2i + 1;
                ``class``: `n` paths through all classes in their order, each with one z, that of
                image i of the first class.
            classes: names or indices; None: all.
            n: number of paths, at least 1.
            steps: steps between one end and the next, at least 1.
            seed, truncation: see `sample`.

        Returns:
            uint8 [paths, frames, H, W, 3], both ends included. Of kind ``z`` there are
            len(classes) * n paths, class by class.

        Raises:
            ValueError: see `sample`; or the model has no class embedding to mix.
        """
        labels = self.labels(classes)
        _at_least_one("steps", steps)
        if kind not in KINDS:
            raise ValueError(f"{kind}: interpolate between {' or '.join(KINDS)}")
        if kind == "z":
            ends = [(label, self._z(label, 2 * n, seed, truncation)) for label in labels]
            paths = [
                LatentPath("z", i, (label, label), z[2 * i : 2 * i + 2])
                for label, z in ends
                for i in range(n)
            ]
            return self._mix(paths, steps)
        if len(labels) < 2:
            raise ValueError("to interpolate between classes, give two of them or more")
        z = self._z(labels[0], n, seed, truncation)
        legs = [
            LatentPath("y", i, leg, np.stack([z[i], z[i]]))
            for i in range(n)
            for leg in pairwise(labels)
        ]
        images = self._mix(legs, steps)
        images = images.reshape(n, len(labels) - 1, *images.shape[1:])
        # The end of a leg is the start of the next one.
        return np.concatenate([images[:, 0, :1], *images[:, :, 1:].swapaxes(0, 1)], axis=1)

    def labels(self, classes: Sequence[str | int] | None = None) -> list[int]:
        """Return the labels of classes given by name or index; None: all; ValueError if unknown."""
        if classes is None:
            return list(range(len(self.classes)))
        if isinstance(classes, str):
            raise ValueError(f"classes is the text {classes!r}: give a list, [{classes!r}]")
        if not classes:
            raise ValueError("give a class or more")
        return [self._label(given) for given in classes]

    def _label(self, given: str | int) -> int:
        if str(given).isdecimal() and str(given) not in self.classes:
            if int(given) >= len(self.classes):
                raise ValueError(
                    f"{self.name} has no class {given}: its indices are 0 to "
                    f"{len(self.classes) - 1}"
                )
            return int(given)
        wanted = [str(given)]
        return match(self.classes, wanted, what=self.name, by="the request", noun="the class")[0]

    def _z(self, label: int, n: int, seed: int, truncation: float | None) -> np.ndarray:
        _at_least_one("the number of images", n)
        if truncation is not None and not (truncation > 0 and math.isfinite(truncation)):
            raise ValueError(f"truncation is {truncation}: it must be a number above 0")
        scale = self.truncation if truncation is None else truncation
        return latents(seed, "generate", label, n, self._recipe["z_dim"], scale)

    @torch.no_grad()
    def draw(self, z: np.ndarray, label: int) -> np.ndarray:
        """Return the images, uint8 [N, H, W, 3], of one class for z, float32 [N, z_dim]."""
        padded = torch.from_numpy(
            z[np.minimum(np.arange(-(-len(z) // _BATCH) * _BATCH), len(z) - 1)]
        )
        y = torch.full((_BATCH,), label, device=self._device)
        half_range = getattr(self.network, "half_range", 128)
        batches = [
            to_uint8(self.network(rows.to(self._device), y), half_range)
            for rows in padded.split(_BATCH)
        ]
        return np.concatenate(batches)[: len(z)]

    def _mix(self, paths: list[LatentPath], steps: int) -> np.ndarray:
        mixtures = open_student_mixtures(self.folder, self.classes, device=self._device)
        return interpolate(mixtures, paths, len(self.classes), batch=_BATCH, steps=steps)


def _at_least_one(what: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{what} is {value}: it must be 1 or more")
