"""The terms of the objective (Eq. 1-7), one function each.

Images are float [N, 3, H, W] in [-1, 1], scores float [N], features a list of float [N, C, H, W].
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def pixel(teacher: Tensor, student: Tensor) -> Tensor:
    """L_KD_pix, Eq. 1: mean absolute difference of the images."""
    return F.l1_loss(student, teacher)


def feature(
    teacher: Sequence[Tensor], student: Sequence[Tensor], alphas: Sequence[float]
) -> Tensor:
    """L_KD_feat, Eq. 4: sum over layers i of alpha_i * mean absolute difference of D_i.

    Raises:
        ValueError: there is not one alpha for each layer.
    """
    if not len(teacher) == len(student) == len(alphas):
        raise ValueError(f"{len(alphas)} feature weights for {len(student)} discriminator layers")
    return sum(
        alpha * F.l1_loss(s, t.detach())
        for alpha, t, s in zip(alphas, teacher, student, strict=True)
    )


def adversarial_generator(fake: Tensor) -> Tensor:
    """L_KD_S and L_GAN_S, Eq. 2: minus the mean score of the student's images."""
    return -fake.mean()


def adversarial_discriminator(genuine: Tensor, fake: Tensor) -> Tensor:
    """L_KD_D and L_GAN_D, Eq. 3 and 5: hinge loss; genuine is the teacher's or real."""
    return F.relu(1 - genuine).mean() + F.relu(1 + fake).mean()
