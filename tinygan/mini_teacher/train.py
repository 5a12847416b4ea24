"""Training of the mini teacher: BigGAN's recipe at small size, on the CPU.

Hinge loss, projection discriminator with spectral norm and minibatch standard deviation, one
discriminator step for each generator step, Adam, and an exponential moving average of the
generator's weights, which is what is kept.
The learning rate is constant, so the state at step n does not depend on how far the run goes on.
"""

import copy
import csv
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

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
from tinygan.training import losses


def train_teacher(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    steps: int,
    batch: int,
    group: int,
    z_dim: int,
    embedding: int,
    generator_widths: Sequence[int],
    discriminator_channels: int,
    generator_lr: float,
    discriminator_lr: float,
    ema: float,
    precision: str,
    log: Path,
    log_every: int,
    snapshot_every: int,
    on_snapshot: Callable[[Generator, int], None],
) -> None:
    """Train a class-conditional GAN; hand its averaged generator to `on_snapshot`.

    Args:
        images: uint8 [N, H, W, 3]; mirrored at random.
        labels: class indices [N], from 0.
        seed: seed of every random number here.
        steps: generator updates.
        batch: images in each of a step's real and fake batches.
        group: images of one class that stand side by side in a batch, see `Discriminator`.
        z_dim: length of z, which is standard normal in training.
        embedding: length of the shared class embedding.
        generator_widths: channels of the generator, see `Generator`.
        discriminator_channels: ch of the discriminator, see `Discriminator`.
        generator_lr: Adam's learning rate for the generator, betas (0, 0.999).
        discriminator_lr: the same for the discriminator.
        ema: decay of the moving average, per step.
        precision: "float32", or "bfloat16" for convolutions and products in that type (weights,
            their average, the losses and Adam stay float32).
        log: CSV to write: step, loss of D, loss of G, mean scores.
        log_every: steps between rows of the log.
        snapshot_every: steps between calls of `on_snapshot`; the last step always calls it.
        on_snapshot: receives the averaged generator (training mode) and the step.

    Raises:
        ValueError: groups do not fill a batch, or a class has fewer images than a group.
        FloatingPointError: a loss became NaN or infinite.
    """
    torch.manual_seed(stream_seed(seed, "teacher/initial"))
    classes = int(labels.max()) + 1
    rows_of_class = [np.flatnonzero(labels == label) for label in range(classes)]
    fewest = min(map(len, rows_of_class))
    if batch % group or fewest < group:
        raise ValueError(
            f"teacher: groups of {group} must fill a batch of {batch}, and each class must have "
            f"that many images (the smallest has {fewest}); choose another mini_teacher.group"
        )
    generator = Generator(classes, z_dim, embedding, list(generator_widths))
    discriminator = Discriminator(
        channels=discriminator_channels,
        classes=classes,
        image_size=images.shape[1],
        group=group,
    )
    for network in (generator, discriminator):
        network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(generator)
    autocast = partial(torch.autocast, "cpu", torch.bfloat16, enabled=precision == "bfloat16")
    adam = {"betas": (0.0, 0.999), "eps": 1e-6}
    optimise_g = torch.optim.Adam(generator.parameters(), generator_lr, **adam)
    optimise_d = torch.optim.Adam(discriminator.parameters(), discriminator_lr, **adam)

    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["step", "loss_d", "loss_g", "score_real", "score_fake"])
        progress = tqdm(range(1, steps + 1), desc="teacher", unit="step")
        for step in progress:
            rng = stream(seed, "teacher/step", step)
            y = torch.from_numpy(rng.integers(0, classes, batch // group).repeat(group))
            rows = np.concatenate([rng.choice(rows_of_class[c], group, False) for c in y[::group]])
            chosen = images[rows]
            mirrored = rng.random(batch) < 0.5
            chosen[mirrored] = chosen[mirrored, :, ::-1]
            x = normalize(chosen)
            z = torch.from_numpy(rng.standard_normal((batch, z_dim), dtype=np.float32))
            with autocast():
                with torch.no_grad():
                    fake = generator(z, y)
                scores, _ = discriminator(torch.cat([x, fake]), torch.cat([y, y]))
            real_scores, fake_scores = scores.float().split(batch)
            loss_d = losses.adversarial_discriminator(real_scores, fake_scores)
            optimise_d.zero_grad()
            loss_d.backward()
            optimise_d.step()

            z = torch.from_numpy(rng.standard_normal((batch, z_dim), dtype=np.float32))
            discriminator.requires_grad_(False)
            with autocast():
                scores, _ = discriminator(generator(z, y), y)
            loss_g = losses.adversarial_generator(scores.float())
            discriminator.requires_grad_(True)
            optimise_g.zero_grad()
            loss_g.backward()
            optimise_g.step()
            with torch.no_grad():
                for kept, current in zip(average.parameters(), generator.parameters(), strict=True):
                    kept.lerp_(current, 1 - min(ema, step / (step + 10)))

            if step % log_every == 0 or step == steps:
                values = [loss_d, loss_g, real_scores.mean(), fake_scores.mean()]
                row = [round(float(value.detach()), 4) for value in values]
                if not np.isfinite(row).all():
                    raise FloatingPointError(f"teacher: losses at step {step} are {row}")
                table.writerow([step, *row])
                file.flush()
                progress.set_postfix(D=row[0], G=row[1])
            if step % snapshot_every == 0 or step == steps:
                on_snapshot(average, step)


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
    """Compute batch-norm statistics for several truncations, as BigGAN keeps them.

    Every class is drawn equally often, with z = truncation * truncnorm(-2, 2).

    Args:
        generator: the network; its own running statistics are overwritten.
        truncations: the truncation values.
        seed: seed of z.
        z_dim: length of z.
        batches: batches averaged for each truncation.
        batch: images a batch.

    Returns:
        For each batch norm ``name``: ``name.running_mean`` and ``name.running_var``,
        float32 [len(truncations), C].
    """
    norms = {
        name: layer
        for name, layer in generator.named_modules()
        if isinstance(layer, torch.nn.BatchNorm2d)
    }
    classes = generator.embedding.num_embeddings
    y = torch.arange(batch) % classes
    kept: dict[str, list[Tensor]] = {}
    generator.train()
    for truncation in truncations:
        for norm in norms.values():
            norm.reset_running_stats()
            norm.momentum = None  # a plain average over the batches
        rng = stream(seed, "teacher/standing")
        for _ in range(batches):
            generator(torch.from_numpy(truncated_normal(rng, batch, z_dim, truncation)), y)
        for name, norm in norms.items():
            kept.setdefault(f"{name}.running_mean", []).append(norm.running_mean.clone())
            kept.setdefault(f"{name}.running_var", []).append(norm.running_var.clone())
    return {name: torch.stack(values) for name, values in kept.items()}


def save_teacher(
    generator: Generator, truncations: Sequence[float], folder: Path, *, seed: int, z_dim: int
) -> None:
    """Write the generator's weights and its standing statistics as generator.safetensors.

    Animal-MNIST is grey, so one map is kept for red, green and blue: the mean of the three of the
    last layer, which the training leaves a little apart, as coloured fringes.

    Args:
        generator: the averaged generator, left as it is.
        truncations: see `standing_statistics`.
        folder: where the file is written.
        seed: seed of the statistics' z.
        z_dim: length of z.
    """
    generator = copy.deepcopy(generator)
    with torch.no_grad():
        for parameter in generator.to_rgb.parameters():
            parameter[:] = parameter.mean(0)
    statistics = standing_statistics(generator, truncations, seed=seed, z_dim=z_dim)
    state = generator.state_dict() | statistics
    kept = {k: v.contiguous() for k, v in state.items() if not k.endswith("num_batches_tracked")}
    with atomic_file(folder / "generator.safetensors") as partial:
        save_file(kept, partial)
