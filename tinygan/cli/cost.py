"""The subcommand that counts parameters and multiply-accumulates of models."""

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tinygan.cli.options import OUT_FILE, Arguments, Config, Subcommand
from tinygan.config.derived import resolve_variant, sweep_points
from tinygan.data.classes import teacher_classes
from tinygan.files import atomic_file
from tinygan.runtime import configure_torch

if TYPE_CHECKING:
    from torch import nn

    # Source, architecture, ch, generator, and the discriminator if one is trained.
    System = tuple[str, str, int, nn.Module, nn.Module | None]


def _cost(config: Config, arguments: Arguments) -> None:
    """Count parameters and multiply-accumulates of the config's models, its sweep, or the paper's.

    Writes CSV with one row per model. The multiply-accumulates are those of one image.
    """
    from tinygan.models.flops import count_parameters, multiply_accumulates
    from tinygan.models.paper import SYSTEMS, Z_DIM

    configure_torch(arguments.threads)
    names = sweep_points(config) if arguments.sweep else config["variants"]
    systems = _paper_systems() if arguments.paper else _config_systems(config, names)
    z_dim = Z_DIM if arguments.paper else config["z_dim"]
    with atomic_file(arguments.out) as partial, open(partial, "w", newline="") as file:
        columns = ["source", "architecture", "channels", "parameters_total"]
        columns += ["parameters_generator", "macs", "macs_attention"]
        printed = ["parameters_total", "parameters_generator", "macs"]
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns + [f"paper_{name}" for name in printed if arguments.paper])
        for source, architecture, channels, generator, discriminator in systems:
            parameters = count_parameters(generator)
            total = parameters + (count_parameters(discriminator) if discriminator else 0)
            # The device "meta" propagates shapes and computes nothing.
            macs = multiply_accumulates(generator.to("meta"), z_dim)
            row: list[Any] = [source, architecture, channels, total, parameters, *macs]
            if arguments.paper:
                units = zip(SYSTEMS[source].printed, ("e6", "e6", "e9"), strict=True)
                row += [int(float(value + unit)) for value, unit in units]
            table.writerow(row)


def _paper_systems() -> Iterator["System"]:
    """Yield the systems of Table 1, so that only one at a time is in memory."""
    from tinygan.models.paper import SYSTEMS

    for source, system in SYSTEMS.items():
        yield source, system.architecture, system.channels, *system.build()


def _config_systems(config: Config, names: Iterable[str]) -> Iterator["System"]:
    """Yield the teacher and these students of a config; the cost of a Python teacher is unknown.

    Args:
        config: checked.
        names: variants, or points of the sweep.
    """
    from tinygan.training.settings import Settings
    from tinygan.training.step import build_networks

    if config["teacher"]["kind"] != "python":
        yield "teacher", "biggan-deep", *_teacher(config)
    for name in names:
        resolved = resolve_variant(config, name)
        # What E(y) starts from costs nothing, and its file may be gone.
        resolved["student"]["embedding_file"] = None
        settings = Settings.of(resolved)
        generator, discriminator = build_networks(settings)
        used = discriminator if settings.loss.needs_discriminator else None
        yield name, settings.student.architecture, settings.student.channels, generator, used


def _teacher(config: Config) -> tuple[int, "nn.Module", "nn.Module"]:
    """Build the config's teacher: ch, generator, discriminator.

    The teacher is a black box, so its architecture is guessed. BigGAN-deep at 128 px is recognised
    by the kind ``torch`` or by its name on TF-Hub; every other module counts as the mini teacher.
    """
    from tinygan.models import biggan_deep
    from tinygan.models.discriminator import Discriminator
    from tinygan.models.paper import SYSTEMS

    teacher, shape = config["teacher"], config["mini_teacher"]
    if teacher["kind"] == "torch" or "biggan-deep-128" in teacher["handle"]:
        return SYSTEMS["teacher"].channels, *SYSTEMS["teacher"].build()
    widths, classes = shape["generator_widths"], len(teacher_classes(config))
    generator = biggan_deep.Generator(classes, config["z_dim"], shape["embedding"], widths)
    discriminator = Discriminator(
        channels=shape["discriminator_channels"],
        classes=classes,
        image_size=config["image_size"],
        group=shape["group"],
    )
    return widths[-1], generator, discriminator


SUBCOMMANDS: dict[str, Subcommand] = {
    "cost": (
        _cost,
        {
            "--paper": {
                "action": "store_true",
                "help": "count the six systems of Table 1 at 128 px, with the paper's numbers",
            },
            "--sweep": {
                "action": "store_true",
                "help": "count the points of the section `sweep` instead of the variants",
            },
            "--out": OUT_FILE | {"help": "CSV file to write"},
        },
    ),
}
