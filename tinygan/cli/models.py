"""Verbs about models as such: what they cost."""

import csv

from tinygan.cli.options import Arguments, Config, Verb
from tinygan.config import resolve_variant
from tinygan.files import atomic_file


def _cost(config: Config, arguments: Arguments) -> None:
    """Count parameters and multiply-accumulates of the mini teacher and of every variant."""
    from tinygan.cost import multiply_accumulates, parameters
    from tinygan.models import biggan_deep
    from tinygan.models.discriminator import Discriminator
    from tinygan.training import LossWeights, build

    classes, z_dim = len(config["classes"]), config["z_dim"]
    shape = config["mini_teacher"]
    systems = {
        "teacher": (
            "biggan-deep",
            shape["generator_widths"][-1],
            biggan_deep.Generator(classes, z_dim, shape["embedding"], shape["generator_widths"]),
            Discriminator(
                channels=shape["discriminator_channels"],
                classes=classes,
                image_size=config["image_size"],
                group=shape["group"],
            ),
        )
    }
    for name in config["variants"]:
        resolved = resolve_variant(config, name)
        student = resolved["student"]
        generator, discriminator, _ = build(
            student=student,
            seed=config["seed"],
            classes=classes,
            image_size=config["image_size"],
            z_dim=z_dim,
        )
        used = discriminator if LossWeights(**resolved["loss"]).discriminator else None
        systems[name] = (student["architecture"], student["channels"], generator, used)
    with atomic_file(arguments.out) as partial, open(partial, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            ["source", "architecture", "channels"]
            + ["parameters_total", "parameters_generator", "macs"]
        )
        for name, (architecture, channels, generator, discriminator) in systems.items():
            own = parameters(generator)
            total = own + (parameters(discriminator) if discriminator else 0)
            macs = multiply_accumulates(generator, z_dim)
            rows.writerow([name, architecture, channels, total, own, macs])


VERBS: dict[str, Verb] = {
    "cost": (_cost, {}),
}
