"""One step of training: an update of the discriminator (Eq. 7), then of the student (Eq. 6)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tinygan.models.discriminator import Discriminator
from tinygan.models.students import build_student
from tinygan.seeding import stream_seed
from tinygan.training.data import Batch
from tinygan.training.distributed import ALONE, World
from tinygan.training.images import Images
from tinygan.training.losses import TERMS
from tinygan.training.settings import Settings, Weights

BETAS = (0.0, 0.9)  # of Adam, section 5.4


@dataclass
class TrainingStep:
    """The networks, their optimisers, and the whole of Eq. 1-7.

    Attributes:
        generator: S, in training mode; with several processes wrapped in DDP.
        discriminator: D, likewise; None where no term trains one.
        optimisers: of S and D, under ``"generator"`` and ``"discriminator"``.
        autocast: the context in which the networks run: float32, or mixed precision.
        device: where the networks are.
    """

    generator: nn.Module
    discriminator: nn.Module | None
    optimisers: dict[str, torch.optim.Optimizer]
    autocast: torch.autocast
    device: torch.device

    @classmethod
    def of(cls, settings: Settings, world: World = ALONE) -> "TrainingStep":
        """Build both networks with their initial weights, on the device of this process.

        Raises:
            ValueError: there is no such device.
        """
        train, device = settings.train, world.device(settings.train.device)
        networks = dict(zip(("generator", "discriminator"), build_networks(settings), strict=True))
        if not settings.loss.needs_discriminator:
            del networks["discriminator"]
        optimisers = {}
        for name, network in networks.items():
            network.to(device, memory_format=torch.channels_last).train()
            if train.compile:
                network.compile()
            optimisers[name] = torch.optim.Adam(
                network.parameters(), train.learning_rate, betas=BETAS
            )
        wrapped = {name: world.wrap_ddp(network) for name, network in networks.items()}
        autocast = autocast_on(device, train.precision)
        return cls(wrapped["generator"], wrapped.get("discriminator"), optimisers, autocast, device)

    def __call__(self, batch: Batch, weights: Weights) -> dict[str, Tensor]:
        """Update D, then S, which draws its images once for both.

        Args:
            batch: the data of the step, on the device.
            weights: of the terms that enter at this step, see `LossSettings.at`.

        Returns:
            The terms by name, unweighted scalars on the device.
        """
        student = {n: w for n, w in weights.items() if TERMS[n].trains == "student"}
        discriminator = {n: w for n, w in weights.items() if TERMS[n].trains == "discriminator"}
        images = self.draw(batch, learning={TERMS[name].needs for name in student})
        terms, _ = self.update_discriminator(images, discriminator)
        return terms | self.update_student(images, student)

    def draw(self, batch: Batch, learning: set[str]) -> Images:
        """Draw the student's images: S(z, y) of the pairs, and S(z', y) beside the real images.

        Args:
            batch: the data of the step.
            learning: what the student learns from at this step, ``"pairs"`` or ``"real"``; other
                images are drawn without a graph.
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
        """Take a step on L_D, Eq. 7: all images in one pass of D.

        Returns:
            The terms, and the images with the scores that they got.
        """
        if not weights:
            return {}, images
        with self.autocast:
            needs = {TERMS[name].needs for name in weights}
            seen = images.seen_at_once_by(self.discriminator, needs)
            loss, terms = weighted(seen, weights)
        self.descend("discriminator", loss)
        return terms, seen

    def update_student(self, images: Images, weights: Weights) -> dict[str, Tensor]:
        """Take a step on L_S, Eq. 6, through a frozen D."""
        if not weights:
            return {}
        # Of D no gradient is wanted, so none has to be reduced over the processes.
        raw_discriminator = getattr(self.discriminator, "module", self.discriminator)
        if raw_discriminator is not None:
            raw_discriminator.requires_grad_(False)
        with self.autocast:
            loss, terms = weighted(images.seen_by(raw_discriminator), weights)
        self.descend("generator", loss)
        if raw_discriminator is not None:
            raw_discriminator.requires_grad_(True)
        return terms

    def descend(self, name: str, loss: Tensor) -> None:
        """Take a step of one network's optimiser."""
        self.optimisers[name].zero_grad()
        loss.backward()
        self.optimisers[name].step()

    def set_learning_rate(self, rate: float) -> None:
        """Set the rate of both networks."""
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = rate

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks that are trained, without DDP's wrappers."""
        both = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: getattr(n, "module", n) for name, n in both.items() if n is not None}


def weighted(images: Images, weights: Weights) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted sum of terms, and each of them; one of several layers comes weighted."""
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
    """Return the context of mixed precision: ``bfloat16``, or ``float32`` for none."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def build_networks(settings: Settings) -> tuple[nn.Module, Discriminator]:
    """Return S and D with their initial weights.

    These depend on (seed, network, shapes) alone, so all variants of one architecture start from
    the same point.
    """
    torch.manual_seed(stream_seed(settings.seed, "train/generator"))
    generator = build_student(**generator_shape(settings))
    torch.manual_seed(stream_seed(settings.seed, "train/discriminator"))
    discriminator = Discriminator(
        channels=settings.student.discriminator_channels,
        classes=settings.classes,
        image_size=settings.image_size,
    )
    return generator, discriminator


def generator_shape(settings: Settings) -> dict[str, str | int]:
    """Return the arguments of `build_student`, which the model's card records."""
    return {
        "architecture": settings.student.architecture,
        "channels": settings.student.channels,
        "classes": settings.classes,
        "image_size": settings.image_size,
        "z_dim": settings.z_dim,
        "embedding": settings.student.embedding,
        "image_channels": settings.student.image_channels,
    }
