"""Subcommands that write the images to be scored: a model's, and external ones."""

from tinygan.assets.cache import require
from tinygan.cli.options import CLASSES, MODEL, OUT_SHARD, Arguments, Config, Subcommand
from tinygan.config.derived import parse_range
from tinygan.config.read import ConfigError
from tinygan.data.classes import class_ids
from tinygan.gpu import claim_gpus
from tinygan.planning.disk import require_shard
from tinygan.runtime import configure_torch


def _sample(config: Config, arguments: Arguments) -> None:
    """Draw a model's images of a class range, and write them as one shard.

    A student gets the latent vectors of the teacher's evaluation split, so their images can be
    compared one by one.
    """
    from tinygan.classes.by_name import warn_unnamed
    from tinygan.data.shards import new_shard
    from tinygan.generation.sampling import draw_model
    from tinygan.models.io import read_card

    claim_gpus(config["device"])
    configure_torch(arguments.threads)
    card = read_card(arguments.model)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
    require_shard(arguments.out, classes, count, config)
    names = class_ids(config) if "classes" in card else None
    if names is None:
        # The shard gets no class names either, so that it cannot be matched by a wrong name.
        warn_unnamed(str(arguments.model))
    drawn, provenance = draw_model(
        arguments.model,
        classes,
        count,
        seed=config["seed"],
        batch=config["metrics"]["batch"],
        names=names,
        device=config["device"],
    )
    with new_shard(
        arguments.out, source=card["variant"], provenance=provenance, names=names
    ) as shard:
        for batch in drawn:
            shard.append(*batch)


def _source(config: Config, arguments: Arguments) -> None:
    """Read or draw an external source's images of a class range, and write them as one shard.

    A source is an entry of `sources` in the config: a folder of images, a shard store or a model.
    """
    import torch

    from tinygan.data.shards import new_shard
    from tinygan.evaluation.sources import read_source

    sources = config["sources"]
    if arguments.name not in sources:
        raise ConfigError(
            f"config: {arguments.name} is not under sources ({', '.join(sources) or 'none'})"
        )
    claim_gpus(config["device"])
    # Not `configure_torch`: reusing freed memory would raise SNGAN's peak from 2.9 to 6.3 GB.
    torch.set_num_threads(arguments.threads)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
    require_shard(arguments.out, classes, count, config)
    batches, provenance = read_source(
        require(sources[arguments.name]),
        config["classes"],
        classes,
        count,
        image_size=config["image_size"],
        seed=config["seed"],
        batch=config["metrics"]["batch"],
        device=config["device"],
    )
    names = class_ids(config)
    with new_shard(
        arguments.out, source=arguments.name, provenance=provenance, names=names
    ) as shard:
        for batch in batches:
            shard.append(*batch)


SUBCOMMANDS: dict[str, Subcommand] = {
    "sample": (_sample, {"--model": MODEL, "--classes": CLASSES, "--out": OUT_SHARD}),
    "source": (
        _source,
        {
            "--name": {"required": True, "help": "a name under `sources` in the config"},
            "--classes": CLASSES,
            "--out": OUT_SHARD,
        },
    ),
}
