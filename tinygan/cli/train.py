"""The subcommand that trains a student."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygan.cli.options import MANIFESTS, REAL, Arguments, Config, Subcommand
from tinygan.config.derived import resolve_variant
from tinygan.data.classes import class_ids
from tinygan.files import digest_json
from tinygan.runtime import configure_torch

if TYPE_CHECKING:
    from tinygan.data.shards import Shard

# What neither a student's weights nor its log depend on.
_FREE = ("threads", "checkpoint_every", "dvclive")


def _train(config: Config, arguments: Arguments) -> None:
    """Train one variant; writes generator.safetensors, snapshots/, log.csv and card.json."""
    from tinygan.data.shards import open_store
    from tinygan.models.flops import count_parameters
    from tinygan.models.io import save_card
    from tinygan.training.checkpoint import CheckpointFolder
    from tinygan.training.distributed import launch, processes
    from tinygan.training.loop import train
    from tinygan.training.settings import Settings
    from tinygan.training.step import build_networks, generator_shape

    config = resolve_variant(config, arguments.variant)
    settings, ids = Settings.of(config), class_ids(config)
    count = settings.train.processes
    threads = max(1, arguments.threads // count)
    launch(arguments.argv, count, threads)
    configure_torch(threads)
    pairs = open_store(arguments.pairs, ids, what="the store of --pairs", verify=True)
    real = open_store(arguments.real, ids, what="the store of --real", verify=True)
    data = {"pairs": list(map(_digest, pairs)), "real": list(map(_digest, real))}
    folder = _beside(arguments.checkpoints, arguments, "checkpoints")
    checkpoints = CheckpointFolder(folder, _identity(config, data))
    live = _beside(arguments.live, arguments, "live") if settings.train.dvclive else None
    with processes(count) as world, checkpoints.locked() if world.is_main else nullcontext():
        options = {"name": arguments.variant, "checkpoints": checkpoints, "live": live}
        train(settings, pairs, real, arguments.out, **options, world=world)
    if not world.is_main:
        return
    generator, discriminator = build_networks(settings)
    used = settings.loss.needs_discriminator
    card = {
        "variant": arguments.variant,
        "generator": generator_shape(settings),
        "classes": ids,
        "parameters": count_parameters(generator),
        "discriminator_parameters": count_parameters(discriminator) if used else 0,
        "loss": config["loss"],
        "train": config["train"],
        "seed": config["seed"],
        "truncation": config["teacher"]["truncation"],
        "data": data,
    }
    save_card(arguments.out, card)


def _digest(shard: "Shard") -> str:
    """Return a hash over a shard's arrays and what its labels stand for."""
    return digest_json([shard.manifest["arrays"], shard.manifest.get("class_names")])


def _beside(folder: Path | None, arguments: Arguments, ending: str) -> Path:
    """Return a folder that was given, or else OUT.ending."""
    return folder or arguments.out.with_name(f"{arguments.out.name}.{ending}")


def _identity(config: Config, data: dict[str, list[str]]) -> dict[str, Any]:
    """Return all that decides what a training makes, for its checkpoint to be compared with."""
    import torch

    from tinygan.code import digests_of
    from tinygan.training.distributed import World

    code = digests_of("train", f"tinygan.models.students.{config['student']['architecture']}")
    sections = ("seed", "image_size", "z_dim", "classes", "student", "loss")
    settings = {key: value for key, value in config["train"].items() if key not in _FREE}
    # On a machine without GPU, `auto` and `cpu` are one.
    settings["device"] = World().device(settings["device"]).type
    return {
        **{section: config[section] for section in sections},
        "train": settings,
        "truncation": config["teacher"]["truncation"],
        "data": {source: digest_json(digests) for source, digests in data.items()},
        "code": code | {"torch": torch.__version__},
    }


SUBCOMMANDS: dict[str, Subcommand] = {
    "train": (
        _train,
        {
            "--variant": {"required": True, "help": "a name under `variants` in the config"},
            "--pairs": MANIFESTS | {"help": "the teacher's shards"},
            "--real": REAL,
            "--checkpoints": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "where the checkpoints are saved (default: OUT.checkpoints)",
            },
            "--live": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "where train.dvclive shows the log (default: OUT.live)",
            },
        },
    ),
}
