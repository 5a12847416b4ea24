"""Verbs that bring in what others made: published weights, and images."""

from pathlib import Path
from typing import Any

from tinygan.cli.options import CLASSES, Arguments, Config, Verb
from tinygan.config import ConfigError, parse_range
from tinygan.disk import require_shard

_FILE = {"type": Path, "metavar": "FILE"}


def _import_tinygan(config: Config, arguments: Arguments) -> None:
    """Turn the TinyGAN authors' checkpoint (model_30.tar) into a model to sample and score."""
    from tinygan.importers import tinygan_authors

    generator, recipe = tinygan_authors.read_student(arguments.file)
    _save(arguments, generator, recipe, "tinygan_authors", tinygan_authors.TRUNCATION)


def _import_sngan(config: Config, arguments: Arguments) -> None:
    """Turn a Chainer snapshot of SNGAN-projection's generator into a model to sample and score."""
    from tinygan.importers.sngan_chainer import read_generator

    generator, recipe = read_generator(arguments.file)
    _save(arguments, generator, {"architecture": "sngan"} | recipe, "sngan", None)


def _save(
    arguments: Arguments,
    generator: Any,
    recipe: dict[str, Any],
    name: str,
    truncation: float | None,
) -> None:
    from tinygan.checkpoint import save_card, save_weights
    from tinygan.cost import parameters
    from tinygan.files import sha256

    save_weights(generator, arguments.out / "generator.safetensors")
    card = {
        "variant": name,
        "generator": recipe,
        "parameters": parameters(generator),
        "truncation": truncation,
        "imported_from": {"file": arguments.file.name, "sha256": sha256(arguments.file)},
    }
    save_card(arguments.out, card)
    print(f"{arguments.out}: {recipe}, {card['parameters']:,} parameters")


def _source(config: Config, arguments: Arguments) -> None:
    """Read, or draw, the images of one entry under `sources` as a shard, for a class range."""
    import torch

    from tinygan.shards import new_shard
    from tinygan.sources import read_source

    sources = config.get("sources", {})
    if arguments.name not in sources:
        raise ConfigError(
            f"config: {arguments.name} is not under sources ({', '.join(sources) or 'none'})"
        )
    # Not use_cpu: freed memory, kept, would bring SNGAN at 128 px from 2.9 to 6.3 GB.
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
    with new_shard(arguments.out, source=arguments.name, provenance=provenance) as shard:
        for rows in read:
            shard.append(*rows)


VERBS: dict[str, Verb] = {
    "import-tinygan": (_import_tinygan, {"file": _FILE | {"help": "e.g. model_30.tar"}}),
    "import-sngan": (_import_sngan, {"file": _FILE | {"help": "e.g. ResNetGenerator_850000.npz"}}),
    "source": (
        _source,
        {
            "--name": {"required": True, "help": "a name under `sources` in the config"},
            "--classes": CLASSES,
        },
    ),
}
