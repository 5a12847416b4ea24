"""One step's images, and what the discriminator says of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor, nn

# The images that a term reads come in twos: genuine ones, and the student's for the same classes.
COUPLES = {"pairs": ("teacher", "student"), "real": ("real", "fresh")}


@dataclass(frozen=True)
class Images:
    """The images of a step, float32 [N, 3, H, W] in [-1, 1]; those that no term needs are None.

    Attributes:
        teacher: T(z, y).
        student: S(z, y).
        y: class indices [N] of both.
        real: real images.
        fresh: S(z', real_y) with a fresh z'.
        real_y: class indices [N] of both.
        discriminator: D, as a term sees it.
    """

    teacher: Tensor | None = None
    student: Tensor | None = None
    y: Tensor | None = None
    real: Tensor | None = None
    fresh: Tensor | None = None
    real_y: Tensor | None = None
    discriminator: nn.Module | None = None
    _seen: dict[str, tuple[Tensor, list[Tensor]]] = field(default_factory=dict)

    def scores(self, name: str) -> Tensor:
        """Return D(images, their classes), float32 [N], of ``"teacher"``, ``"student"``, ..."""
        return self._pass(name)[0]

    def features(self, name: str) -> list[Tensor]:
        """Return D_i(images), float32 [N, C_i, H_i, W_i] for each layer i.

        Those of genuine images are targets: no gradient goes through them.
        """
        if name in ("student", "fresh"):
            return self._pass(name)[1]
        with torch.no_grad():
            return _float32(self.discriminator.features(getattr(self, name)))

    def seen_by(self, discriminator: nn.Module) -> Self:
        """Return the images before a discriminator that looks at each when a term asks it to."""
        return replace(self, discriminator=discriminator, _seen={})

    def seen_at_once_by(self, discriminator: nn.Module, needs: Iterable[str]) -> Self:
        """Return the detached images of some couples with their scores, by one pass of D."""
        names = [name for need, couple in COUPLES.items() if need in needs for name in couple]
        images = [getattr(self, name).detach() for name in names]
        scores, _ = discriminator(torch.cat(images), torch.cat([self._labels(n) for n in names]))
        parts = scores.float().split(len(images[0]))
        return replace(self, _seen={n: (s, []) for n, s in zip(names, parts, strict=True)})

    def _labels(self, name: str) -> Tensor:
        return self.y if name in COUPLES["pairs"] else self.real_y

    def _pass(self, name: str) -> tuple[Tensor, list[Tensor]]:
        if name not in self._seen:
            scores, features = self.discriminator(getattr(self, name), self._labels(name))
            self._seen[name] = scores.float(), _float32(features)
        return self._seen[name]


def _float32(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Leave mixed precision: bfloat16 has three digits, too few for a mean."""
    return [tensor.float() for tensor in tensors]
