"""Train the mini diffusion model: EDM's loss (Karras et al. 2022) at a small size, on the CPU."""

import copy
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from tinygan.files import atomic_file
from tinygan.models.edm import Denoiser
from tinygan.models.pixels import normalize
from tinygan.seeding import stream, stream_seed

# ln(sigma) of the training noise is normal with this mean and standard deviation. Table 1 has the
# mean -1.2, for photographs. The outline of a silhouette is decided at higher noise levels.
P_MEAN, P_STD = -0.4, 1.2
_WARMUP = 100  # steps in which the learning rate rises


@dataclass(frozen=True)
class MiniDiffusionSettings:
    """The config's section `mini_diffusion`; config/README.md documents the keys."""

    steps: int
    batch: int
    widths: Sequence[int]
    embedding: int
    learning_rate: float
    ema: float
    log_every: int
    threads: int = 1

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Build the settings from a run's config.

        Raises:
            ValueError: the config has no such section.
        """
        if config["mini_diffusion"] is None:
            raise ValueError(
                "the config has no section mini_diffusion: use config/mini_diffusion.yaml"
            )
        return cls(**config["mini_diffusion"])


def train_diffusion(
    images: np.ndarray,
    labels: np.ndarray,
    settings: MiniDiffusionSettings,
    *,
    seed: int,
    folder: Path,
) -> None:
    """Train a class-conditional denoiser; write the average of its weights and a log.

    The learning rate rises in the first steps, and falls linearly to zero in the second half.

    Args:
        images: grey images, uint8 [N, S, S, 3] with equal channels; mirrored at random.
        labels: class indices [N], from 0.
        settings: see `MiniDiffusionSettings`.
        seed: seed of all random numbers.
        folder: gets log.csv (step, mean loss since the last row) and, at each of its rows, the
            averaged weights as denoiser.safetensors.

    Raises:
        ValueError: the images are not grey.
        FloatingPointError: the loss became NaN or infinite.
    """
    if not (images == images[..., :1]).all():
        raise ValueError("the mini diffusion model draws one channel: it needs grey images")
    pixels = normalize(images[..., :1])
    torch.manual_seed(stream_seed(seed, "diffusion/initial"))
    network = Denoiser(
        int(labels.max()) + 1, settings.widths, settings.embedding, float(pixels.std())
    ).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters())
    folder.mkdir(parents=True, exist_ok=True)
    losses = []
    with open(folder / "log.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "loss"])
        progress = tqdm(range(1, settings.steps + 1), desc="diffusion", unit="step")
        for step in progress:
            optimiser.param_groups[0]["lr"] = settings.learning_rate * _rate(step, settings.steps)
            loss = edm_loss(network, *_batch(pixels, labels, settings.batch, seed, step))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            _average(average, network, min(settings.ema, step / (step + 10)))
            losses.append(float(loss.detach()))
            if step % settings.log_every == 0 or step == settings.steps:
                mean = np.mean(losses)
                if not np.isfinite(mean):
                    raise FloatingPointError(f"diffusion: the loss before step {step} is {mean}")
                table.writerow([step, f"{mean:.5f}"])
                file.flush()
                progress.set_postfix(loss=mean)
                losses.clear()
                _save(average, folder / "denoiser.safetensors")


def edm_loss(network: Denoiser, x: Tensor, y: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """Return the loss of Eq. 2 and 8, weighted by lambda(sigma) of Table 1, as a mean over pixels.

    Args:
        network: the denoiser.
        x: images [N, 1, S, S] in [-1, 1].
        y: class indices [N].
        sigma: noise levels [N].
        noise: standard normal [N, 1, S, S].
    """
    noisy = x + sigma[:, None, None, None] * noise
    errors = (network(noisy, sigma, y) - x).square().mean(dim=(1, 2, 3))
    data = network.sigma_data
    weights = (sigma.square() + data.square()) / (sigma * data).square()
    return (weights * errors).mean()


def _save(network: Denoiser, path: Path) -> None:
    with atomic_file(path) as partial:
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, partial)


def _rate(step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step, which counts from 1."""
    return min(1.0, step / _WARMUP, 2 * (1 - (step - 1) / steps))


def _batch(
    pixels: Tensor, labels: np.ndarray, size: int, seed: int, step: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return images, labels, noise levels and noise; they depend on (seed, step) only."""
    rng = stream(seed, "diffusion/step", step)
    rows = rng.integers(0, len(pixels), size)
    x = pixels[rows]
    mirrored = torch.from_numpy(rng.random(size) < 0.5)
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    sigma = np.exp(P_MEAN + P_STD * rng.standard_normal(size, dtype=np.float32))
    noise = rng.standard_normal(tuple(x.shape), dtype=np.float32)
    y = torch.from_numpy(labels[rows].astype(np.int64))
    return x, y, torch.from_numpy(sigma), torch.from_numpy(noise)


@torch.no_grad()
def _average(average: Denoiser, network: Denoiser, decay: float) -> None:
    """Update the exponential moving average of the weights."""
    for mean, current in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(current, 1 - decay)
