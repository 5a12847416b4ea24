"""The settings of a training: the sections `student`, `train` and `loss` as dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tinygan.config.derived import snapshot_steps
from tinygan.training.losses import TERMS

# The weight of each term by name: a number, or one per discriminator layer.
Weights = dict[str, float | list[float]]


@dataclass(frozen=True)
class StudentSettings:
    """Section `student`: the networks (section 4).

    Attributes:
        architecture: a module of `tinygan.models.students`.
        channels: ch, the channel multiplier of the generator.
        embedding: length of the shared class embedding E(y).
        discriminator_channels: ch of the discriminator's first layer.
        image_channels: channels of the generator's last layer: 3, or 1 for grey images.
        embedding_file: NPY file of the initial E(y), float [classes, embedding]; None: random.
    """

    architecture: str
    channels: int
    embedding: int
    discriminator_channels: int
    image_channels: int = 3
    embedding_file: str | None = None


@dataclass(frozen=True)
class TrainSettings:
    """Section `train`: the optimisation (section 5.4); see config/README.md for every key."""

    steps: int
    batch: int
    learning_rate: float
    decay_from: float
    adversarial_every: int
    log_every: int
    snapshots: int = 1
    checkpoint_every: float = 60
    precision: str = "float32"
    compile: bool = False
    compile_mode: str = "default"
    threads: int = 1
    processes: int = 1
    nodes: int = 1
    dvclive: bool = False

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate at a step (from 1): constant, then linear to 0 (section 5.4)."""
        left = (self.steps - (step - 1)) / self.steps
        return self.learning_rate * min(1.0, left / (1 - self.decay_from))

    @property
    def snapshot_steps(self) -> list[int]:
        """The steps after which a snapshot of the generator is saved for the learning curve."""
        return snapshot_steps({"train": {"steps": self.steps, "snapshots": self.snapshots}})


@dataclass(frozen=True)
class LossSettings:
    """Section `loss`: the weights of Eq. 6 and 7. A weight of 0 or [] drops a term and its cost.

    Attributes:
        weights: weight of each term, see `tinygan.training.losses.TERMS`.
        pixel_zero_at: fraction of the steps at which lambda_1, the weight of `pixel`, reaches 0;
            None for a constant weight.
    """

    weights: Weights
    pixel_zero_at: float | None = None

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Self:
        """Read the config's section."""
        weights = {name: section[name] for name in TERMS if name in section}
        return cls(weights, section["pixel_zero_at"])

    @property
    def uses_teacher(self) -> bool:
        """Whether any term in use needs harvested pairs."""
        return any(TERMS[name].needs == "pairs" for name in self._in_use())

    @property
    def uses_real(self) -> bool:
        """Whether any term in use needs real images."""
        return any(TERMS[name].needs == "real" for name in self._in_use())

    @property
    def needs_discriminator(self) -> bool:
        """Whether any term in use trains a discriminator."""
        return any(TERMS[name].trains == "discriminator" for name in self._in_use())

    def pixel_at(self, step: int, steps: int) -> float:
        """Return lambda_1 at a step (from 1) of `steps`: linear from its initial value to 0."""
        weight = self.weights.get("pixel", 0.0)
        if self.pixel_zero_at is None:
            return weight
        return weight * max(0.0, 1 - (step - 1) / (self.pixel_zero_at * steps))

    def at(self, step: int, train: TrainSettings) -> Weights:
        """Return the nonzero weights at a step (from 1), with the schedules applied."""
        adversarial = step % train.adversarial_every == 0
        weights = {
            name: self.weights[name]
            for name in self._in_use()
            if adversarial or not TERMS[name].adversarial
        }
        if "pixel" in weights:
            weights["pixel"] = self.pixel_at(step, train.steps)
        return {name: weight for name, weight in weights.items() if weight}

    def _in_use(self) -> list[str]:
        return [name for name, weight in self.weights.items() if weight]


@dataclass(frozen=True)
class Settings:
    """Everything that determines a training except its data.

    Attributes:
        seed: seed of the initial weights, the order of the data and the fresh z.
        classes: number of classes.
        image_size: height and width of the images in pixels.
        z_dim: length of z.
        truncation: truncation of the fresh z, the same as the teacher's; None: standard normal.
        student: see `StudentSettings`.
        train: see `TrainSettings`.
        loss: see `LossSettings`.
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU if there is one.
    """

    seed: int
    classes: int
    image_size: int
    z_dim: int
    truncation: float | None
    student: StudentSettings
    train: TrainSettings
    loss: LossSettings
    device: str = "auto"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Read a config that is resolved for one variant (see `config.derived.resolve_variant`)."""
        train = dict(config["train"])
        return cls(
            seed=train.pop("seed"),
            classes=len(config["classes"]),
            image_size=config["image_size"],
            z_dim=config["z_dim"],
            truncation=config["teacher"]["truncation"],
            student=StudentSettings(**config["student"]),
            train=TrainSettings(**train),
            loss=LossSettings.of(config["loss"]),
            device=config["device"],
        )
