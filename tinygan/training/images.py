"""The images of one step, and the discriminator's output for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor, nn

# What a term needs -> the images that it reads: genuine ones, the student's of the same classes.
IMAGES_FOR = {"pairs": ("teacher", "student"), "real": ("real", "fresh")}


@dataclass(frozen=True)
class Images:
    """The images of a step, float32 [N, 3, H, W] in [-1, 1]; those that no term needs are None.

    Attributes:
        teacher: the teacher's images T(z, y).
        student: the student's images S(z, y).
        y: class indices [N] of `teacher` and `student`.
        real: real images x.
        fresh: the student's images S(z', real_y) with a fresh z'.
        real_y: class indices [N] of `real` and `fresh`.
        discriminator: D, which scores them when a term requests it.
    """

    teacher: Tensor | None = None
    student: Tensor | None = None
    y: Tensor | None = None
    real: Tensor | None = None
    fresh: Tensor | None = None
    real_y: Tensor | None = None
    discriminator: nn.Module | None = None
    _outputs: dict[str, tuple[Tensor, list[Tensor]]] = field(default_factory=dict)

    def scores(self, name: str) -> Tensor:
        """Return D(images, classes), float32 [N].

        Args:
            name: ``"teacher"``, ``"student"``, ``"real"`` or ``"fresh"``.
        """
        return self._discriminate(name)[0]

    def features(self, name: str) -> list[Tensor]:
        """Return D_i(images), float32 [N, C_i, H_i, W_i] for each layer i of the discriminator.

        The features of genuine images are targets, computed without a graph.

        Args:
            name: see `scores`.
        """
        if name in ("student", "fresh"):
            return self._discriminate(name)[1]
        with torch.no_grad():
            return _float32(self.discriminator.features(getattr(self, name)))

    def with_discriminator(self, discriminator: nn.Module | None) -> Self:
        """Return the images with a discriminator that scores them lazily, with gradients."""
        return replace(self, discriminator=discriminator, _outputs={})

    def scored_in_one_pass(self, discriminator: nn.Module, needs: Iterable[str]) -> Self:
        """Return the images with the scores of D for detached copies, all in one forward pass.

        Args:
            discriminator: D.
            needs: keys of `IMAGES_FOR`; other images are not scored.
        """
        names = [name for need, pair in IMAGES_FOR.items() if need in needs for name in pair]
        images = [getattr(self, name).detach() for name in names]
        scores, _ = discriminator(torch.cat(images), torch.cat([self._labels(n) for n in names]))
        parts = scores.float().split(len(images[0]))
        return replace(self, _outputs={n: (s, []) for n, s in zip(names, parts, strict=True)})

    def _labels(self, name: str) -> Tensor:
        return self.y if name in IMAGES_FOR["pairs"] else self.real_y

    def _discriminate(self, name: str) -> tuple[Tensor, list[Tensor]]:
        if name not in self._outputs:
            scores, features = self.discriminator(getattr(self, name), self._labels(name))
            self._outputs[name] = scores.float(), _float32(features)
        return self._outputs[name]


def _float32(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Convert to float32: bfloat16 has about three digits, too few for a mean."""
    return [tensor.float() for tensor in tensors]
