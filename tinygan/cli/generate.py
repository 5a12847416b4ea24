"""Subcommands that write the images to be scored: a student's, and external ones."""

from tinygan.cli.options import CLASSES, MODEL, Arguments, Config, Subcommand
from tinygan.config.derived import parse_range
from tinygan.config.read import ConfigError
from tinygan.data.classes import class_ids
from tinygan.planning.disk import require_shard
from tinygan.runtime import configure_torch


def _sample(config: Config, arguments: Arguments) -> None:
    """Draw a model's images of a class range, with the z of the teacher's evaluation split."""
    from tinygan.classes.by_name import warn_unnamed
    from tinygan.data.shards import new_shard
    from tinygan.generation.sampling import draw_model
    from tinygan.models.io import read_card

    configure_torch(arguments.threads)
    card = read_card(arguments.model)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
    require_shard(arguments.out, classes, count, config)
    names = class_ids(config) if "classes" in card else None
    if names is None:
        # Its images do not name their classes either, so that nothing takes them for others.
        warn_unnamed(str(arguments.model))
    drawn, provenance = draw_model(
        arguments.model,
        classes,
        count,
        seed=config["seed"],
        batch=config["metrics"]["batch"],
        names=names,
    )
    with new_shard(
        arguments.out, source=card["variant"], provenance=provenance, names=names
    ) as shard:
        for rows in drawn:
            shard.append(*rows)


def _source(config: Config, arguments: Arguments) -> None:
    """Read, or draw, the images of one entry under `sources` as a shard, for a class range."""
    import torch

    from tinygan.data.shards import new_shard
    from tinygan.evaluation.sources import read_source

    sources = config["sources"]
    if arguments.name not in sources:
        raise ConfigError(
            f"config: {arguments.name} is not under sources ({', '.join(sources) or 'none'})"
        )
    # Not configure_torch: freed memory, kept, would bring SNGAN at 128 px from 2.9 to 6.3 GB.
    torch.set_num_threads(arguments.threads)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
    require_shard(arguments.out, classes, count, config)
    read, provenance = read_source(
        sources[arguments.name],
        config["classes"],
        classes,
        count,
        image_size=config["image_size"],
        seed=config["seed"],
        batch=config["metrics"]["batch"],
    )
    names = class_ids(config)
    with new_shard(
        arguments.out, source=arguments.name, provenance=provenance, names=names
    ) as shard:
        for rows in read:
            shard.append(*rows)


SUBCOMMANDS: dict[str, Subcommand] = {
    "sample": (_sample, {"--model": MODEL, "--classes": CLASSES}),
    "source": (
        _source,
        {
            "--name": {"required": True, "help": "a name under `sources` in the config"},
            "--classes": CLASSES,
        },
    ),
}
