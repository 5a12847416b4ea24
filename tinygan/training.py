"""Training of a student (sections 3 and 5.4)."""

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from tinygan import losses
from tinygan.batches import Rows, rows_of_step, to_unit
from tinygan.checkpoint import save_weights
from tinygan.files import atomic_file
from tinygan.models.discriminator import Discriminator
from tinygan.models.student import StudentGenerator
from tinygan.seeding import stream, stream_seed, truncated_normal
from tinygan.shards import Shard

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
        """Whether the student's answer to a harvested z is needed at every step."""
        return self.pixel > 0 or bool(self.feature) or self.kd_discriminator > 0

    def pixel_at(self, step: int, steps: int) -> float:
        """Return lambda_1 at a step: linear from `pixel` to 0, a function of the step alone."""
        if self.pixel_zero_at is None:
            return self.pixel
        return self.pixel * max(0.0, 1 - (step - 1) / (self.pixel_zero_at * steps))


def learning_rate_at(step: int, steps: int, rate: float, decay_from: float) -> float:
    """Return the learning rate at a step: constant, then linear to 0 at the end (section 5.4)."""
    left = (steps - (step - 1)) / steps
    return rate * min(1.0, left / (1 - decay_from))


@dataclass
class Batch:
    """One step's data: harvested pairs, and real images with fresh latent vectors.

    Attributes:
        z: float [N, z_dim] of the pairs.
        y: class indices [N] of the pairs.
        teacher: T(z, y), [N, 3, H, W] in [-1, 1].
        real: real images x, like `teacher`.
        real_y: their class indices, which the student is given with `fresh_z`.
        fresh_z: float [N, z_dim], from the teacher's truncated normal.
    """

    z: Tensor
    y: Tensor
    teacher: Tensor
    real: Tensor
    real_y: Tensor
    fresh_z: Tensor


def load_batch(
    pairs: Rows, real: Rows, *, seed: int, step: int, batch: int, truncation: float
) -> Batch:
    """Gather the data of one step; it depends on (seed, step) alone."""
    rows = rows_of_step(seed, "train/pairs", step, batch, len(pairs))
    real_rows = rows_of_step(seed, "train/real", step, batch, len(real))
    z = pairs.gather("z", rows)
    fresh = truncated_normal(stream(seed, "train/z", step), batch, z.shape[1], truncation)
    return Batch(
        z=torch.from_numpy(z),
        y=torch.from_numpy(pairs.gather("labels", rows)),
        teacher=to_unit(pairs.gather("images", rows)),
        real=to_unit(real.gather("images", real_rows)),
        real_y=torch.from_numpy(real.gather("labels", real_rows)),
        fresh_z=torch.from_numpy(fresh),
    )


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
    scores = list(scores.split(len(batch.y)))
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
            terms["feature"] = losses.feature(target, features, weights.feature)
        if kd_scored:
            terms["kd_student"] = losses.adversarial_generator(scores)
            factor["kd_student"] = weights.kd_student
    if adversarial and weights.gan_student > 0:
        terms["gan_student"] = losses.adversarial_generator(
            discriminator(gan_fake, batch.real_y)[0]
        )
        factor["gan_student"] = weights.gan_student
    if not terms:
        return None, terms
    return sum(factor[name] * term for name, term in terms.items()), terms


def train(
    pairs: Sequence[Shard],
    real: Sequence[Shard],
    generator: StudentGenerator,
    discriminator: Discriminator,
    weights: LossWeights,
    *,
    seed: int,
    truncation: float,
    steps: int,
    batch: int,
    learning_rate: float,
    decay_from: float,
    adversarial_every: int,
    log_every: int,
    snapshot_steps: Sequence[int],
    out: Path,
    name: str = "train",
) -> None:
    """Train a student on harvested pairs and real images, in place.

    At every step the discriminator takes one step on Eq. 7 and the generator one on its feature
    and pixel terms; at every `adversarial_every`-th step the generator's adversarial terms are
    added (the authors' scheme; the paper's "one generator update after 10 discriminator updates").

    Args:
        pairs: the teacher's shards, with z.
        real: shards of real images.
        generator: S, initialised.
        discriminator: D, initialised; untouched where no term needs it.
        weights: of Eq. 6 and 7.
        seed: seed of the order of the data and of the fresh z.
        truncation: scale of the fresh z, the teacher's.
        steps: optimisation steps.
        batch: pairs a step, and as many real images.
        learning_rate: of Adam(0.0, 0.9), for both networks.
        decay_from: fraction of the steps after which the rate falls linearly to 0.
        adversarial_every: see above.
        log_every: steps averaged in one row of log.csv.
        snapshot_steps: steps after which the generator's weights are kept in snapshots/.
        out: folder for log.csv, snapshots/ and generator.safetensors.
        name: shown beside the progress bar.

    Raises:
        FloatingPointError: a loss became NaN or infinite; the step and the term are named.
        ValueError: images of pairs and real differ in size.
    """
    pair_rows, real_rows = Rows(pairs), Rows(real)
    if pairs[0].images.shape[1:] != real[0].images.shape[1:]:
        raise ValueError(
            f"teacher images are {pairs[0].images.shape[1:]}, real ones {real[0].images.shape[1:]}"
        )
    networks = [generator] + [discriminator] * weights.discriminator
    for network in networks:
        network.to(memory_format=torch.channels_last).train()
    optimisers = [
        torch.optim.Adam(network.parameters(), learning_rate, betas=(0.0, 0.9))
        for network in networks
    ]
    window: dict[str, list[Tensor]] = {term: [] for term in TERMS}
    started, logged = time.monotonic(), 0
    with atomic_file(out / "log.csv") as log, open(log, "w", newline="") as file:
        rows = csv.writer(file)
        losses_columns = [f"loss_{term}" for term in TERMS]
        rows.writerow(
            ["step", *losses_columns, "pixel_weight", "learning_rate", "images_per_second"]
        )
        progress = tqdm(range(1, steps + 1), desc=name, unit="step", mininterval=2)
        for step in progress:
            rate = learning_rate_at(step, steps, learning_rate, decay_from)
            for optimiser in optimisers:
                optimiser.param_groups[0]["lr"] = rate
            data = load_batch(
                pair_rows, real_rows, seed=seed, step=step, batch=batch, truncation=truncation
            )
            pixel_weight = weights.pixel_at(step, steps)
            adversarial = step % adversarial_every == 0
            terms = _step(
                generator, discriminator, optimisers, weights, pixel_weight, data, adversarial
            )
            for term, value in terms.items():
                window[term].append(value.detach())

            if step % log_every == 0 or step == steps:
                row = {term: _mean(values, step, term) for term, values in window.items()}
                now = time.monotonic()
                speed = (step - logged) * batch / (now - started)
                started, logged = now, step
                rows.writerow(
                    [step, *row.values(), f"{pixel_weight:.6g}", f"{rate:.6g}", f"{speed:.1f}"]
                )
                shown = {term: value for term, value in row.items() if value}
                progress.set_postfix(shown | {"img/s": round(speed)})
                window = {term: [] for term in TERMS}
            if step in snapshot_steps:
                save_weights(generator, out / "snapshots" / f"{step:06d}.safetensors")
    save_weights(generator, out / "generator.safetensors")


def _step(
    generator: StudentGenerator,
    discriminator: Discriminator,
    optimisers: list[torch.optim.Adam],
    weights: LossWeights,
    pixel_weight: float,
    data: Batch,
    adversarial: bool,
) -> dict[str, Tensor]:
    """One update of D, then one of S; each image of the student is computed once for both."""
    kd_fake = generator(data.z, data.y) if weights.distils else None
    gan_fake = None
    if weights.gan_discriminator > 0 or weights.gan_student > 0:
        with torch.set_grad_enabled(adversarial):
            gan_fake = generator(data.fresh_z, data.real_y)
    terms: dict[str, Tensor] = {}
    if weights.discriminator:
        loss, terms = discriminator_loss(discriminator, weights, data, kd_fake, gan_fake)
        optimisers[1].zero_grad()
        loss.backward()
        optimisers[1].step()
        discriminator.requires_grad_(False)
    loss, generator_terms = generator_loss(
        discriminator, weights, pixel_weight, data, kd_fake, gan_fake, adversarial=adversarial
    )
    if loss is not None:
        optimisers[0].zero_grad()
        loss.backward()
        optimisers[0].step()
    if weights.discriminator:
        discriminator.requires_grad_(True)
    return terms | generator_terms


def _mean(values: list[Tensor], step: int, term: str) -> str:
    """Average the window of one term for the log; empty where it was not used."""
    if not values:
        return ""
    mean = float(torch.stack(values).mean())
    if not np.isfinite(mean):
        raise FloatingPointError(
            f"loss {term} is {mean} within the steps before {step}: lower train.learning_rate"
        )
    return f"{mean:.6g}"


def build(
    *, student: dict, seed: int, classes: int, image_size: int, z_dim: int
) -> tuple[StudentGenerator, Discriminator, dict]:
    """Initialise S and D of a variant from the config's section `student`.

    The initial weights depend on (seed, network, shapes) alone, so all variants of one
    architecture start from the same point.

    Returns:
        The two networks, and the arguments that build the generator again, for its card.
    """
    arguments = {
        "architecture": student["architecture"],
        "channels": student["channels"],
        "classes": classes,
        "image_size": image_size,
        "z_dim": z_dim,
        "embedding": student["embedding"],
    }
    torch.manual_seed(stream_seed(seed, "train/generator"))
    generator = StudentGenerator(**arguments)
    torch.manual_seed(stream_seed(seed, "train/discriminator"))
    discriminator = Discriminator(
        channels=student["discriminator_channels"], classes=classes, image_size=image_size
    )
    return generator, discriminator, arguments
