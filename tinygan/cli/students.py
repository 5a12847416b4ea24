"""Verbs that train a student and draw its images."""

from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygan.cli.options import CLASSES, MANIFESTS, MODEL, REAL, Arguments, Config, Verb
from tinygan.config.derived import parse_range, resolve_variant, snapshot_steps
from tinygan.data.classes import class_ids
from tinygan.files import digest_json
from tinygan.planning.disk import require_shard
from tinygan.runtime import configure_torch

if TYPE_CHECKING:
    from tinygan.data.shards import Shard

# What neither a student's weights nor its log depend on.
_FREE = ("threads", "checkpoint_every", "dvclive")
# Keys of `train` that are no argument of the training loop.
_NOT_THE_LOOPS = ("snapshots", "threads", "processes", "dvclive")


def _train(config: Config, arguments: Arguments) -> None:
    """Train one variant; writes generator.safetensors, snapshots/, log.csv and card.json."""
    from tinygan.data.shards import open_store
    from tinygan.models.flops import count_parameters
    from tinygan.models.io import save_card
    from tinygan.training.checkpoint import StateFolder
    from tinygan.training.distributed import launch, processes
    from tinygan.training.loop import LossWeights, build, train

    config = resolve_variant(config, arguments.variant)
    settings = config["train"]
    count = settings.get("processes", 1)
    threads = max(1, arguments.threads // count)
    launch(arguments.argv, count, threads)
    configure_torch(threads)
    generator, discriminator, recipe = build(
        student=config["student"],
        seed=config["seed"],
        classes=len(config["classes"]),
        image_size=config["image_size"],
        z_dim=config["z_dim"],
    )
    ids = class_ids(config)
    pairs = open_store(arguments.pairs, ids, what="the store of --pairs", verify=True)
    real = open_store(arguments.real, ids, what="the store of --real", verify=True)
    data = {"pairs": list(map(_digest, pairs)), "real": list(map(_digest, real))}
    weights = LossWeights(**config["loss"])
    state = StateFolder(
        _beside(arguments.state, arguments, "state"),
        _identity(config, data),
    )
    card = {
        "variant": arguments.variant,
        "generator": recipe,
        "classes": ids,
        "parameters": count_parameters(generator),
        "discriminator_parameters": count_parameters(discriminator) if weights.discriminator else 0,
        "loss": config["loss"],
        "train": settings,
        "seed": config["seed"],
        "truncation": config["teacher"]["truncation"],
        "data": data,
    }
    with processes(count) as world, state.locked() if world.main else nullcontext():
        train(
            pairs,
            real,
            generator,
            discriminator,
            weights,
            seed=config["seed"],
            truncation=config["teacher"]["truncation"],
            snapshot_steps=snapshot_steps(config),
            out=arguments.out,
            name=arguments.variant,
            state=state,
            live=_beside(arguments.live, arguments, "live") if settings.get("dvclive") else None,
            world=world,
            **{key: value for key, value in settings.items() if key not in _NOT_THE_LOOPS},
        )
    if world.main:
        save_card(arguments.out, card)


def _digest(shard: "Shard") -> str:
    """Return a hash over a shard's arrays and what its labels stand for."""
    return digest_json([shard.manifest["arrays"], shard.manifest.get("class_names")])


def _beside(folder: Path | None, arguments: Arguments, ending: str) -> Path:
    """Return a folder that was given, or else OUT.ending."""
    return folder or arguments.out.with_name(f"{arguments.out.name}.{ending}")


def _identity(config: Config, data: dict[str, list[str]]) -> dict[str, Any]:
    """Return all that decides what a training makes, for its state to be compared with."""
    import torch

    from tinygan.code import closure, file_of, roots_of
    from tinygan.training.checkpoint import code_digests
    from tinygan.training.distributed import World

    names = sorted(name for name in closure(*roots_of("train")) if file_of(name))
    modules = [import_module(name) for name in names]
    sections = ("seed", "image_size", "z_dim", "classes", "student", "loss")
    settings = {key: value for key, value in config["train"].items() if key not in _FREE}
    # On a machine without GPU, `auto` and `cpu` are one.
    settings["device"] = World().device(settings.get("device", "auto")).type
    return {
        **{section: config[section] for section in sections},
        "train": settings,
        "truncation": config["teacher"]["truncation"],
        "data": {source: digest_json(digests) for source, digests in data.items()},
        "code": code_digests(modules) | {"torch": torch.__version__},
    }


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


VERBS: dict[str, Verb] = {
    "train": (
        _train,
        {
            "--variant": {"required": True, "help": "a name under `variants` in the config"},
            "--pairs": MANIFESTS | {"help": "the teacher's shards"},
            "--real": REAL,
            "--state": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "where the checkpoints are kept (default: OUT.state)",
            },
            "--live": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "where train.dvclive shows the log (default: OUT.live)",
            },
        },
    ),
    "sample": (_sample, {"--model": MODEL, "--classes": CLASSES}),
}
