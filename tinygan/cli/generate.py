"""Subcommands that draw the images to be scored, of a model or from outside."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from tinygan.assets.cache import require
from tinygan.cli.options import CLASSES, MODEL, STREAM, Arguments, Config, Subcommand
from tinygan.config.derived import parse_range
from tinygan.config.read import ConfigError
from tinygan.data.classes import class_ids
from tinygan.gpu import claim_gpus
from tinygan.planning.disk import require_features, require_shard
from tinygan.runtime import configure_torch

if TYPE_CHECKING:
    from tinygan.evaluation.streaming import Outputs
    from tinygan.features.files import Features


def outputs_of(config: Config, arguments: Arguments) -> "Outputs":
    """Return what the options `STREAM` say to write.

    Raises:
        ValueError: nothing, or scores without the real images.
        OSError: it does not fit on the disk.
    """
    from tinygan.evaluation.streaming import Outputs

    names = [field.name for field in fields(Outputs)]
    outputs = Outputs(**{name: getattr(arguments, name) for name in names})
    if outputs == Outputs():
        options = ", ".join(f"--{name}" for name in names[:-1])
        raise ValueError(f"nothing would be written: give {options} or --{names[-1]}")
    if bool(outputs.scores) != bool(arguments.real):
        raise ValueError("--scores needs --real, the features of the real images, and vice versa")
    classes, metrics = parse_range(arguments.classes), config["metrics"]
    if outputs.features:
        require_features(outputs.features, len(classes), config)
    for folder, count in (
        (outputs.previews, metrics["previews_per_class"]),
        (outputs.images, metrics["samples_per_class"]),
    ):
        if folder:
            require_shard(folder, classes, count, config)
    return outputs


def references_of(config: Config, arguments: Arguments) -> dict[str, "Features | None"]:
    """Return the features of --real and --pairs, by name; None for an option that is not given.

    Raises:
        FileNotFoundError, ValueError: see `read_features`; or they are not of the classes to draw,
            --real is compact, --pairs is without --real, or of another extractor.
    """
    import numpy as np

    real, pairs = (
        _features_of(path, config, arguments) for path in (arguments.real, arguments.pairs)
    )
    if real is not None and real.features.dtype == np.float16:
        raise ValueError(
            f"--real {arguments.real} has compact features, which have no logits: write it again "
            "by `tinygan features` without --compact"
        )
    if pairs is not None:
        if real is None:
            raise ValueError("--pairs is for --scores: give --scores and --real, or leave it out")
        real.check_comparable(pairs, logits=False)
    return {"real": real, "pairs": pairs}


def _features_of(path: Path | None, config: Config, arguments: Arguments) -> "Features | None":
    import numpy as np

    from tinygan.features.files import read_features

    if path is None:
        return None
    features = read_features([path], class_ids(config))
    wanted, found = list(parse_range(arguments.classes)), np.unique(features.labels).tolist()
    if found != wanted:
        raise ValueError(
            f"{path} has the classes {found[0]} to {found[-1]}, {len(found)} in all, but "
            f"--classes is {arguments.classes}: give the features of the same classes"
        )
    return features


def _sample(config: Config, arguments: Arguments) -> None:
    """Draw the images of a model that are scored, and write their scores, or images.

    A student gets the latent vectors of the teacher's evaluation split, so their images can be
    compared one by one.
    """
    from tinygan.classes.by_name import warn_unnamed
    from tinygan.evaluation.streaming import write_stream
    from tinygan.generation.sampling import draw_model
    from tinygan.models.io import read_card

    outputs, references = outputs_of(config, arguments), references_of(config, arguments)
    claim_gpus(config["device"])
    configure_torch(arguments.threads)
    card = read_card(arguments.model)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
    names = class_ids(config) if "classes" in card else None
    if names is None:
        # What is written gets no class names either, so that none is matched by a wrong name.
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
    about = {"source": card["variant"], "provenance": provenance, "names": names}
    write_stream(drawn, outputs, config, **about, **references, threads=arguments.threads)


def _source(config: Config, arguments: Arguments) -> None:
    """Draw the images of an external source that are scored, and write their scores, or images.

    A source is an entry of `sources` in the config: a folder of images, a shard store or a model.
    """
    import torch

    from tinygan.evaluation.sources import read_source
    from tinygan.evaluation.streaming import write_stream

    sources = config["sources"]
    if arguments.name not in sources:
        raise ConfigError(
            f"config: {arguments.name} is not under sources ({', '.join(sources) or 'none'})"
        )
    outputs, references = outputs_of(config, arguments), references_of(config, arguments)
    claim_gpus(config["device"])
    # Not `configure_torch`: reusing freed memory would raise SNGAN's peak from 2.9 to 6.3 GB.
    torch.set_num_threads(arguments.threads)
    classes, count = parse_range(arguments.classes), config["metrics"]["samples_per_class"]
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
    about = {"source": arguments.name, "provenance": provenance, "names": class_ids(config)}
    write_stream(batches, outputs, config, **about, **references, threads=arguments.threads)


SUBCOMMANDS: dict[str, Subcommand] = {
    "sample": (_sample, {"--model": MODEL, "--classes": CLASSES, **STREAM}),
    "source": (
        _source,
        {
            "--name": {"required": True, "help": "a name under `sources` in the config"},
            "--classes": CLASSES,
            **STREAM,
        },
    ),
}
