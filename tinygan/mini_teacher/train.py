"""Train the mini teacher: BigGAN's recipe at a small size, on the CPU.

Hinge loss, projection discriminator with spectral norm and minibatch standard deviation, one
discriminator step per generator step, Adam, and an exponential moving average of the generator's
weights, which is the result. The learning rate is constant, so the weights at step n do not depend
on the total number of steps.
"""

import copy
import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from tinygan.files import atomic_file
from tinygan.models.biggan_deep import Generator
from tinygan.models.discriminator import Discriminator
from tinygan.models.pixels import normalize
from tinygan.seeding import stream, stream_seed, truncated_normal
from tinygan.training.data import Batch
from tinygan.training.step import TrainingStep, autocast_on

_ADAM = {"betas": (0.0, 0.999), "eps": 1e-6}


@dataclass(frozen=True)
class MiniTeacherSettings:
    """The config's section `mini_teacher`; config/README.md documents the keys."""

    steps: int
    batch: int
    group: int
    embedding: int
    generator_widths: Sequence[int]
    discriminator_channels: int
    generator_lr: float
    discriminator_lr: float
    ema: float
    precision: str
    log_every: int
    truncations: Sequence[float] = (1.0,)
    threads: int = 1

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Build the settings from a run's config."""
        return cls(**config["mini_teacher"])


def train_teacher(
    images: np.ndarray,
    labels: np.ndarray,
    settings: MiniTeacherSettings,
    *,
    seed: int,
    z_dim: int,
    log: Path,
    snapshot_every: int,
    on_snapshot: Callable[[Generator, int], None],
) -> None:
    """Train a class-conditional GAN, and pass its averaged generator to `on_snapshot`.

    Args:
        images: uint8 [N, H, W, 3]; mirrored at random.
        labels: class indices [N], from 0.
        settings: see `MiniTeacherSettings`.
        seed: seed of all random numbers.
        z_dim: length of z, which is standard normal in training.
        log: CSV to write: step, loss of D, loss of G, mean scores.
        snapshot_every: steps between calls of `on_snapshot`; the last step always calls it.
        on_snapshot: receives the averaged generator (training mode) and the step.

    Raises:
        ValueError: groups do not fill a batch, or a class has fewer images than a group.
        FloatingPointError: a loss became NaN or infinite.
    """
    draw = _Batches(images, labels, settings, seed, z_dim)
    step = _step(settings, draw.classes, images.shape[1], seed, z_dim)
    average = copy.deepcopy(step.generator)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "loss_d", "loss_g", "score_real", "score_fake"])
        progress = tqdm(range(1, settings.steps + 1), desc="teacher", unit="step")
        for number in progress:
            batch, second_z = draw(number)
            drawn = step.draw(batch, learning=set())
            terms, seen = step.update_discriminator(drawn, {"gan_discriminator": 1.0})
            batch.fresh_z = second_z
            terms |= step.update_student(step.draw(batch, {"real"}), {"gan_student": 1.0})
            _average(average, step.generator, min(settings.ema, number / (number + 10)))
            if number % settings.log_every == 0 or number == settings.steps:
                values = [terms["gan_discriminator"], terms["gan_student"]]
                values += [seen.scores(name).mean() for name in ("real", "fresh")]
                row = [round(float(value.detach()), 4) for value in values]
                if not np.isfinite(row).all():
                    raise FloatingPointError(f"teacher: losses at step {number} are {row}")
                table.writerow([number, *row])
                file.flush()
                progress.set_postfix(D=row[0], G=row[1])
            if number % snapshot_every == 0 or number == settings.steps:
                on_snapshot(average, number)


def _step(
    settings: MiniTeacherSettings, classes: int, image_size: int, seed: int, z_dim: int
) -> TrainingStep:
    """Build the networks with initial weights, and their optimisers."""
    torch.manual_seed(stream_seed(seed, "teacher/initial"))
    widths = list(settings.generator_widths)
    generator = Generator(classes, z_dim, settings.embedding, widths)
    discriminator = Discriminator(
        channels=settings.discriminator_channels,
        classes=classes,
        image_size=image_size,
        group=settings.group,
    )
    optimisers, device = {}, torch.device("cpu")
    for name, network, rate in (
        ("generator", generator, settings.generator_lr),
        ("discriminator", discriminator, settings.discriminator_lr),
    ):
        network.to(memory_format=torch.channels_last)
        optimisers[name] = torch.optim.Adam(network.parameters(), rate, **_ADAM)
    autocast = autocast_on(device, settings.precision)
    return TrainingStep(generator, discriminator, optimisers, autocast, device)


class _Batches:
    """Batches of real images in groups of one class, mirrored at random, and of two z each.

    The first z is for the discriminator's step, the second one for the generator's.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        settings: MiniTeacherSettings,
        seed: int,
        z_dim: int,
    ) -> None:
        self.classes = int(labels.max()) + 1
        self._images, self._seed, self._z_dim = images, seed, z_dim
        self._batch, self._group = settings.batch, settings.group
        self._rows = [np.flatnonzero(labels == label) for label in range(self.classes)]
        fewest = min(map(len, self._rows))
        if self._batch % self._group or fewest < self._group:
            raise ValueError(
                f"teacher: groups of {self._group} must fill a batch of {self._batch}, and each "
                f"class must have that many images (the smallest has {fewest}); choose another "
                "mini_teacher.group"
            )

    def __call__(self, step: int) -> tuple[Batch, Tensor]:
        """Return the batch of a step, which depends on (seed, step) only, and the second z."""
        rng = stream(self._seed, "teacher/step", step)
        chosen = rng.integers(0, self.classes, self._batch // self._group)
        rows = [rng.choice(self._rows[label], self._group, False) for label in chosen]
        images = self._images[np.concatenate(rows)]
        mirrored = rng.random(self._batch) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
        z, second_z = (
            torch.from_numpy(rng.standard_normal((self._batch, self._z_dim), dtype=np.float32))
            for _ in range(2)
        )
        y = torch.from_numpy(chosen.repeat(self._group))
        return Batch(real=normalize(images), real_y=y, fresh_z=z), second_z


@torch.no_grad()
def _average(average: Generator, generator: Generator, decay: float) -> None:
    """Update the exponential moving average of the weights."""
    for mean, current in zip(average.parameters(), generator.parameters(), strict=True):
        mean.lerp_(current, 1 - decay)


@torch.no_grad()
def standing_statistics(
    generator: Generator,
    truncations: Sequence[float],
    *,
    seed: int,
    z_dim: int,
    batches: int = 20,
    batch: int = 100,
) -> dict[str, Tensor]:
    """Compute batch-norm statistics for several truncations, as in BigGAN.

    All classes are sampled equally often, with z = truncation * truncnorm(-2, 2).

    Args:
        generator: the network; its own running statistics are overwritten.
        truncations: the truncation values.
        seed: seed of z.
        z_dim: length of z.
        batches: batches to average per truncation.
        batch: batch size.

    Returns:
        for each batch norm ``name``: ``name.running_mean`` and ``name.running_var``,
        float32 [len(truncations), C].
    """
    norms = {
        name: layer
        for name, layer in generator.named_modules()
        if isinstance(layer, torch.nn.BatchNorm2d)
    }
    classes = generator.embedding.num_embeddings
    y = torch.arange(batch) % classes
    statistics: dict[str, list[Tensor]] = {}
    generator.train()
    for truncation in truncations:
        for norm in norms.values():
            norm.reset_running_stats()
            norm.momentum = None  # a plain average over the batches
        rng = stream(seed, "teacher/standing")
        for _ in range(batches):
            generator(torch.from_numpy(truncated_normal(rng, batch, z_dim, truncation)), y)
        for name, norm in norms.items():
            statistics.setdefault(f"{name}.running_mean", []).append(norm.running_mean.clone())
            statistics.setdefault(f"{name}.running_var", []).append(norm.running_var.clone())
    return {name: torch.stack(values) for name, values in statistics.items()}


def save_teacher(
    generator: Generator, truncations: Sequence[float], folder: Path, *, seed: int, z_dim: int
) -> None:
    """Write the generator's weights and its standing statistics as generator.safetensors.

    Animal-MNIST is grey, so the last layer's filters for red, green and blue are replaced by their
    mean. Training leaves them slightly different, which shows as coloured fringes.

    Args:
        generator: the averaged generator; not modified.
        truncations: see `standing_statistics`.
        folder: folder to write to.
        seed: seed of the statistics' z.
        z_dim: length of z.
    """
    generator = copy.deepcopy(generator)
    with torch.no_grad():
        for parameter in generator.to_rgb.parameters():
            parameter[:] = parameter.mean(0)
    statistics = standing_statistics(generator, truncations, seed=seed, z_dim=z_dim)
    state = generator.state_dict() | statistics
    state = {k: v.contiguous() for k, v in state.items() if not k.endswith("num_batches_tracked")}
    with atomic_file(folder / "generator.safetensors") as partial:
        save_file(state, partial)
