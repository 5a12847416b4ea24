"""The terms of the objective (Eq. 1-7), one function each.

A term reads the images of one step, and the discriminator's output for them, from `Images`. The
config's section `loss` has its weight under the name of the function. PyTorch is not imported here,
because the config is checked against these names in environments without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from tinygan.training.images import Images


@dataclass(frozen=True)
class Term:
    """A term of the objective.

    Attributes:
        compute: returns an unweighted scalar, or one per discriminator layer.
        trains: the network that the term trains.
        needs: ``"pairs"`` for harvested pairs and S(z, y); ``"real"`` for real images and S of a
            fresh z.
        adversarial: whether the term enters at every `adversarial_every`-th step only.
    """

    compute: "Callable[[Images], Tensor | Sequence[Tensor]]"
    trains: Literal["student", "discriminator"]
    needs: Literal["pairs", "real"]
    adversarial: bool = False


# The terms by name, in the order in which they are computed.
TERMS: dict[str, Term] = {}


def term(
    *,
    trains: Literal["student", "discriminator"],
    needs: Literal["pairs", "real"],
    adversarial: bool = False,
) -> Callable:
    """Register a function as a term of the objective, under its own name; see `Term`."""

    def register(compute: Callable) -> Callable:
        TERMS[compute.__name__] = Term(compute, trains, needs, adversarial)
        return compute

    return register


@term(trains="student", needs="pairs")
def pixel(images: "Images") -> "Tensor":
    """L_KD_pix, Eq. 1: mean absolute difference of the teacher's and the student's images."""
    return (images.student - images.teacher).abs().mean()


@term(trains="student", needs="pairs")
def feature(images: "Images") -> "list[Tensor]":
    """L_KD_feat, Eq. 4: mean absolute difference of D_i for each discriminator layer i."""
    student, teacher = images.features("student"), images.features("teacher")
    return [(s - t).abs().mean() for s, t in zip(student, teacher, strict=True)]


@term(trains="student", needs="pairs", adversarial=True)
def kd_student(images: "Images") -> "Tensor":
    """L_KD_S, Eq. 2: minus the mean score of S(z, y)."""
    return -images.scores("student").mean()


@term(trains="student", needs="real", adversarial=True)
def gan_student(images: "Images") -> "Tensor":
    """L_GAN_S, Eq. 2 for the real distribution: minus the mean score of S of a fresh z."""
    return -images.scores("fresh").mean()


@term(trains="discriminator", needs="pairs")
def kd_discriminator(images: "Images") -> "Tensor":
    """L_KD_D, Eq. 3: hinge loss of the teacher's images against the student's."""
    return hinge(images.scores("teacher"), images.scores("student"))


@term(trains="discriminator", needs="real")
def gan_discriminator(images: "Images") -> "Tensor":
    """L_GAN_D, Eq. 5: hinge loss of real images against the student's."""
    return hinge(images.scores("real"), images.scores("fresh"))


def hinge(genuine: "Tensor", fake: "Tensor") -> "Tensor":
    """Return mean max(0, 1 - genuine) + mean max(0, 1 + fake) of scores [N]."""
    return (1 - genuine).relu().mean() + (1 + fake).relu().mean()
