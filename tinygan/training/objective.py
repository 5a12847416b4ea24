"""The objective (Eq. 6 and 7): the terms of `losses`, weighted, of one step's images."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tinygan.models.discriminator import Discriminator
from tinygan.training import losses
from tinygan.training.data import Batch

TERMS = (
    "pixel",
    "feature",
    "kd_student",
    "gan_student",
    "kd_discriminator",
    "gan_discriminator",
)


@dataclass(frozen=True)
class LossWeights:
    """The weights of Eq. 6 and 7. A weight of 0, or no feature weights, drops the term's cost too.

    Attributes:
        pixel: lambda_1, of L_KD_pix (Eq. 1).
        pixel_zero_at: fraction of the steps at which lambda_1 has fallen to 0; None: constant.
        feature: alpha_i of L_KD_feat (Eq. 4), from the first layer to the last.
        kd_student: lambda_2, of L_KD_S (Eq. 2).
        gan_student: lambda_3, of L_GAN_S (Eq. 2).
        kd_discriminator: weight of L_KD_D (Eq. 3).
        gan_discriminator: lambda_4, of L_GAN_D (Eq. 5).
    """

    pixel: float
    pixel_zero_at: float | None
    feature: Sequence[float]
    kd_student: float
    gan_student: float
    kd_discriminator: float
    gan_discriminator: float

    @property
    def discriminator(self) -> bool:
        """Whether there is a discriminator to train."""
        return self.kd_discriminator > 0 or self.gan_discriminator > 0

    @property
    def distils(self) -> bool:
        """Whether any term needs harvested pairs, and the student's answer to them."""
        kd = (self.pixel, self.kd_student, self.kd_discriminator)
        return any(weight > 0 for weight in kd) or bool(self.feature)

    @property
    def sees_real(self) -> bool:
        """Whether any term needs real images, and the student's answer to a fresh z."""
        return self.gan_student > 0 or self.gan_discriminator > 0

    def pixel_at(self, step: int, steps: int) -> float:
        """Return lambda_1 at a step: linear from `pixel` to 0, a function of the step alone."""
        if self.pixel_zero_at is None:
            return self.pixel
        return self.pixel * max(0.0, 1 - (step - 1) / (self.pixel_zero_at * steps))


def discriminator_loss(
    discriminator: Discriminator,
    weights: LossWeights,
    batch: Batch,
    kd_fake: Tensor | None,
    gan_fake: Tensor | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """L_D of Eq. 7, all images in one pass of D. Returns the sum and its terms, unweighted."""
    images, labels = [], []
    if weights.kd_discriminator > 0:
        images += [batch.teacher, kd_fake.detach()]
        labels += [batch.y, batch.y]
    if weights.gan_discriminator > 0:
        images += [batch.real, gan_fake.detach()]
        labels += [batch.real_y, batch.real_y]
    scores, _ = discriminator(torch.cat(images), torch.cat(labels))
    scores = list(scores.float().split(len(images[0])))
    terms = {}
    if weights.kd_discriminator > 0:
        terms["kd_discriminator"] = losses.adversarial_discriminator(scores.pop(0), scores.pop(0))
    if weights.gan_discriminator > 0:
        terms["gan_discriminator"] = losses.adversarial_discriminator(scores.pop(0), scores.pop(0))
    return sum(getattr(weights, name) * term for name, term in terms.items()), terms


def generator_loss(
    discriminator: Discriminator | None,
    weights: LossWeights,
    pixel_weight: float,
    batch: Batch,
    kd_fake: Tensor | None,
    gan_fake: Tensor | None,
    *,
    adversarial: bool,
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """L_S of Eq. 6; the adversarial terms only where `adversarial` says so.

    Returns:
        The weighted sum, None where no term applies at this step, and the terms, unweighted.
    """
    terms: dict[str, Tensor] = {}
    factor = {"pixel": pixel_weight, "feature": 1.0}
    if pixel_weight > 0:
        terms["pixel"] = losses.pixel(batch.teacher, kd_fake)
    kd_scored = adversarial and weights.kd_student > 0
    if weights.feature or kd_scored:
        scores, features = discriminator(kd_fake, batch.y)
        if weights.feature:
            with torch.no_grad():
                target = discriminator.features(batch.teacher)
            terms["feature"] = losses.feature(_float(target), _float(features), weights.feature)
        if kd_scored:
            terms["kd_student"] = losses.adversarial_generator(scores.float())
            factor["kd_student"] = weights.kd_student
    if adversarial and weights.gan_student > 0:
        terms["gan_student"] = losses.adversarial_generator(
            discriminator(gan_fake, batch.real_y)[0].float()
        )
        factor["gan_student"] = weights.gan_student
    if not terms:
        return None, terms
    return sum(factor[name] * term for name, term in terms.items()), terms


def _float(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Leave mixed precision: bfloat16 has three digits, too few for a mean."""
    return [tensor.float() for tensor in tensors]
