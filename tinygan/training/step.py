"""One training step: an update of the discriminator (Eq. 7), then one of the student (Eq. 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tinygan.models.discriminator import Discriminator
from tinygan.models.embedding import read_embedding
from tinygan.models.students import build_student
from tinygan.seeding import stream_seed
from tinygan.training.data import Batch
from tinygan.training.distributed import ALONE, World
from tinygan.training.images import Images
from tinygan.training.losses import TERMS
from tinygan.training.settings import Settings, Weights

BETAS = (0.0, 0.9)  # Adam, section 5.4


@dataclass
class TrainingStep:
    """The student, the discriminator and their optimisers; a call performs one step.

    Attributes:
        generator: the student S in training mode; wrapped in DDP if there are several processes.
        discriminator: D, likewise; None if no term trains one.
        optimisers: Adam of S under ``"generator"`` and of D under ``"discriminator"``.
        autocast: the context in which the networks run: float32 or mixed precision.
        device: the device of the networks.
        compiled: whether the networks run through torch.compile.
    """

    generator: nn.Module
    discriminator: nn.Module | None
    optimisers: dict[str, torch.optim.Optimizer]
    autocast: torch.autocast
    device: torch.device
    compiled: bool = False

    @classmethod
    def of(cls, settings: Settings, world: World = ALONE) -> "TrainingStep":
        """Build both networks with initial weights, on the device of this process.

        Args:
            settings: the settings of the training.
            world: the processes that share it.

        Raises:
            ValueError: the device does not exist.
        """
        train, device = settings.train, world.device(settings.device)
        networks = dict(zip(("generator", "discriminator"), build_networks(settings), strict=True))
        if not settings.loss.needs_discriminator:
            del networks["discriminator"]
        optimisers = {}
        for name, network in networks.items():
            network.to(device, memory_format=torch.channels_last).train()
            if train.compile:
                network.compile(mode=train.compile_mode)
            optimisers[name] = torch.optim.Adam(
                network.parameters(), train.learning_rate, betas=BETAS, fused=True
            )
        wrapped = {name: world.wrap_ddp(network) for name, network in networks.items()}
        autocast = autocast_on(device, train.precision)
        both = wrapped["generator"], wrapped.get("discriminator")
        return cls(*both, optimisers, autocast, device, train.compile)

    def __call__(self, batch: Batch, weights: Weights) -> dict[str, Tensor]:
        """Update D, then S. The student draws its images once, for both updates.

        Args:
            batch: the data of the step, on the device.
            weights: weights of the terms that enter at this step, see `LossSettings.at`.

        Returns:
            The value of each term by name, see `weighted`.
        """
        if self.compiled:  # CUDA graphs keep what this step draws until the next one begins
            torch.compiler.cudagraph_mark_step_begin()
        student = {n: w for n, w in weights.items() if TERMS[n].trains == "student"}
        discriminator = {n: w for n, w in weights.items() if TERMS[n].trains == "discriminator"}
        images = self.draw(batch, learning={TERMS[name].needs for name in student})
        terms, _ = self.update_discriminator(images, discriminator)
        return terms | self.update_student(images, student)

    def draw(self, batch: Batch, learning: set[str]) -> Images:
        """Draw the student's images: S(z, y) for the pairs, and S(z', y) for the real images.

        Args:
            batch: the data of the step, on the device.
            learning: what the student's terms need at this step: ``"pairs"``, ``"real"`` or both.
                Other images are drawn without a graph.
        """
        student = fresh = None
        with self.autocast:
            if batch.teacher is not None:
                with torch.set_grad_enabled("pairs" in learning):
                    student = self.generator(batch.z, batch.y).float()
            if batch.real is not None:
                with torch.set_grad_enabled("real" in learning):
                    fresh = self.generator(batch.fresh_z, batch.real_y).float()
        return Images(batch.teacher, student, batch.y, batch.real, fresh, batch.real_y)

    def update_discriminator(
        self, images: Images, weights: Weights
    ) -> tuple[dict[str, Tensor], Images]:
        """Minimise L_D, Eq. 7, by one step; D scores all images in one forward pass.

        Returns:
            The terms by name, and the images with their scores.
        """
        if not weights:
            return {}, images
        with self.autocast:
            needs = {TERMS[name].needs for name in weights}
            scored = images.scored_in_one_pass(self.discriminator, needs)
            loss, terms = weighted(scored, weights)
        self.descend("discriminator", loss)
        return terms, scored

    def update_student(self, images: Images, weights: Weights) -> dict[str, Tensor]:
        """Minimise L_S, Eq. 6, by one step, through a frozen D; return the terms by name."""
        if not weights:
            return {}
        # D gets no gradients here, so DDP, which would reduce them over the processes, is bypassed.
        raw_discriminator = getattr(self.discriminator, "module", self.discriminator)
        if raw_discriminator is not None:
            raw_discriminator.requires_grad_(False)
        with self.autocast:
            loss, terms = weighted(images.with_discriminator(raw_discriminator), weights)
        self.descend("generator", loss)
        if raw_discriminator is not None:
            raw_discriminator.requires_grad_(True)
        return terms

    def descend(self, name: str, loss: Tensor) -> None:
        """Compute the gradients of a loss and step the optimiser of one network."""
        self.optimisers[name].zero_grad()
        loss.backward()
        self.optimisers[name].step()

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of both optimisers."""
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = rate

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The trained networks by name, without the wrappers of DDP."""
        both = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: getattr(n, "module", n) for name, n in both.items() if n is not None}


def weighted(images: Images, weights: Weights) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted sum of some terms, and the value of each term by name.

    The value of a term is unweighted, or the weighted sum over layers if it has one per layer.
    """
    total, terms = 0, {}
    for name, weight in weights.items():
        value = TERMS[name].compute(images)
        if isinstance(weight, (list, tuple)):
            terms[name] = sum(alpha * layer for alpha, layer in zip(weight, value, strict=True))
            total = total + terms[name]
        else:
            terms[name] = value
            total = total + weight * value
    return total, terms


def autocast_on(device: torch.device, precision: str) -> torch.autocast:
    """Return the autocast context: mixed precision for ``bfloat16``, none for ``float32``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def build_networks(settings: Settings) -> tuple[nn.Module, Discriminator]:
    """Return S and D with initial weights.

    The weights depend on (seed, network, shapes) only, so all variants of one architecture start
    from the same ones; E(y) may come from a file.

    Raises:
        FileNotFoundError, ValueError: see `tinygan.models.embedding.read_embedding`.
    """
    torch.manual_seed(stream_seed(settings.seed, "train/generator"))
    generator = build_student(**generator_shape(settings))
    if file := settings.student.embedding_file:
        shape = settings.classes, settings.student.embedding
        with torch.no_grad():
            generator.embedding.weight.copy_(read_embedding(Path(file), shape))
    torch.manual_seed(stream_seed(settings.seed, "train/discriminator"))
    return generator, Discriminator(**discriminator_shape(settings))


def generator_shape(settings: Settings) -> dict[str, str | int]:
    """Return the arguments of `build_student`, which the model card records."""
    return {
        "architecture": settings.student.architecture,
        "channels": settings.student.channels,
        "classes": settings.classes,
        "image_size": settings.image_size,
        "z_dim": settings.z_dim,
        "embedding": settings.student.embedding,
        "image_channels": settings.student.image_channels,
    }


def discriminator_shape(settings: Settings) -> dict[str, int]:
    """Return the arguments of `Discriminator`, which the model card records."""
    return {
        "channels": settings.student.discriminator_channels,
        "classes": settings.classes,
        "image_size": settings.image_size,
    }
