"""The shipped diffusion model as a teacher of kind `python`: noise images -> images, in 20 steps.

The probability-flow ODE of EDM (Karras et al. 2022), solved by DPM-Solver++(2M) (Lu et al. 2022),
which evaluates the network once per step. It draws no random numbers: z decides the image.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

from tinygan.code import ROOT
from tinygan.models.edm import Denoiser, load_denoiser
from tinygan.models.pixels import to_uint8

WEIGHTS = ROOT / "resources" / "mini_diffusion" / "denoiser.safetensors"
STEPS = 20
# Table 1 of Karras et al. has 0.002 as the lowest level. This one is 2.5 of 255 grey levels: the
# last evaluation removes them, and the training hardly draws lower ones.
SIGMA_MIN, SIGMA_MAX, RHO = 0.02, 80.0, 7.0


@torch.inference_mode()
def images(z: np.ndarray, y: np.ndarray, truncation: float) -> np.ndarray:
    """Draw an image for each noise image z.

    Args:
        z: standard normal, float32 [N, 1, S, S].
        y: class indices int64 [N].
        truncation: 1, the only one that leaves z as it is.

    Returns:
        grey images, uint8 [N, S, S, 3].

    Raises:
        ValueError: another truncation: the model would take z for an image with less noise.
    """
    if truncation != 1:
        raise ValueError(
            f"a diffusion model takes standard normal noise, not noise scaled by {truncation}: "
            "set teacher.truncation to null"
        )
    network, labels = _network(), torch.from_numpy(y)

    def denoise(x: Tensor, sigma: float) -> Tensor:
        return network(x, torch.full([len(x)], sigma), labels)

    x = solve(denoise, SIGMA_MAX * torch.from_numpy(z), noise_levels(STEPS))
    return to_uint8(x).repeat(3, axis=3)


def noise_levels(steps: int) -> list[float]:
    """Return the `steps` levels of Eq. 5, from SIGMA_MAX down to SIGMA_MIN, and 0."""
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    return [*(np.linspace(high, low, steps) ** RHO).tolist(), 0.0]


def solve(denoise: Callable[[Tensor, float], Tensor], x: Tensor, sigmas: list[float]) -> Tensor:
    """Solve dx = (x - D(x; sigma)) / sigma dsigma, Eq. 1 and 3, by DPM-Solver++(2M).

    In lambda = -ln(sigma), one step of length h multiplies x by e^-h and adds (1 - e^-h) times D,
    extrapolated linearly to the middle of the step from the last two evaluations. The first step,
    which has one evaluation, and a step to sigma = 0, which is infinitely long, take D as it is.

    Args:
        denoise: D; is called once per step.
        x: at the first noise level.
        sigmas: descending noise levels; only the last may be 0.

    Returns:
        x at the last noise level.
    """
    before, length_before = None, 0.0
    for sigma, target in zip(sigmas, sigmas[1:], strict=False):
        denoised = denoise(x, sigma)
        middle = denoised
        if target > 0:
            length = np.log(sigma / target)
            if before is not None:
                middle = denoised + (denoised - before) * (length / length_before / 2)
            length_before = length
        x = torch.lerp(middle, x, target / sigma)
        before = denoised
    return x


@cache
def _network() -> Denoiser:
    return load_denoiser(WEIGHTS)
