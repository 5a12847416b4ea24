"""The subcommand that counts what the models cost."""

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tinygan.cli.options import Arguments, Config, Subcommand
from tinygan.config.derived import resolve_variant
from tinygan.data.classes import teacher_classes
from tinygan.files import atomic_file

if TYPE_CHECKING:
    from torch import nn

    # Source, architecture, ch, generator, and discriminator if it is trained with one.
    Row = tuple[str, str, int, nn.Module, nn.Module | None]


def _cost(config: Config, arguments: Arguments) -> None:
    """Count parameters and multiply-accumulates of the preset's models, or of the paper's."""
    from tinygan.models.flops import count_parameters, multiply_accumulates
    from tinygan.models.paper import SYSTEMS, Z_DIM

    rows = _paper_rows() if arguments.paper else _preset_rows(config)
    z_dim = Z_DIM if arguments.paper else config["z_dim"]
    with atomic_file(arguments.out) as partial, open(partial, "w", newline="") as file:
        columns = ["source", "architecture", "channels", "parameters_total"]
        columns += ["parameters_generator", "macs", "macs_attention"]
        printed = ["parameters_total", "parameters_generator", "macs"]
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns + [f"paper_{name}" for name in printed if arguments.paper])
        for source, architecture, channels, generator, discriminator in rows:
            own = count_parameters(generator)
            total = own + (count_parameters(discriminator) if discriminator else 0)
            # On the device "meta" shapes are followed and nothing is computed.
            macs = multiply_accumulates(generator.to("meta"), z_dim)
            row: list[Any] = [source, architecture, channels, total, own, *macs]
            if arguments.paper:
                units = zip(SYSTEMS[source].printed, ("e6", "e6", "e9"), strict=True)
                row += [int(float(value + unit)) for value, unit in units]
            table.writerow(row)


def _paper_rows() -> Iterator["Row"]:
    """Give the systems of Table 1 one after the other, so that one at a time is in memory."""
    from tinygan.models.paper import SYSTEMS

    for source, system in SYSTEMS.items():
        yield source, system.architecture, system.channels, *system.build()


def _preset_rows(config: Config) -> Iterator["Row"]:
    """Give the teacher and the variants of a preset; what a function costs is not known."""
    from tinygan.training.settings import Settings
    from tinygan.training.step import build_networks

    if config["teacher"]["kind"] != "python":
        yield "teacher", "biggan-deep", *_teacher(config)
    for name in config["variants"]:
        settings = Settings.of(resolve_variant(config, name))
        generator, discriminator = build_networks(settings)
        used = discriminator if settings.loss.needs_discriminator else None
        yield name, settings.student.architecture, settings.student.channels, generator, used


def _teacher(config: Config) -> tuple[int, "nn.Module", "nn.Module"]:
    """Build the preset's teacher: ch, generator, discriminator.

    A black box does not tell its cost: BigGAN-deep at 128 px is known by its file's kind or its
    name on TF-Hub, and every other module counts as the mini teacher.
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
                "help": "the six systems of Table 1 at 128 px, beside the paper's numbers",
            }
        },
    ),
}
