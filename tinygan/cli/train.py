"""The subcommand that trains a student."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygan.cli.options import MANIFESTS, OUT, REAL, Arguments, Config, Subcommand
from tinygan.config.derived import resolve_variant
from tinygan.data.classes import class_ids
from tinygan.files import digest_json, sha256
from tinygan.gpu import claim_gpus
from tinygan.runtime import configure_torch, device_type

if TYPE_CHECKING:
    from tinygan.data.shards import Shard


def whole_number(text: str) -> int:
    """Read a seed; argparse reports a ValueError."""
    if (number := int(text)) < 0:
        raise ValueError
    return number


# Keys of `train` that affect neither a student's weights nor its log.
_WITHOUT_EFFECT = ("threads", "nodes", "checkpoint_every", "dvclive")


def _train(config: Config, arguments: Arguments) -> None:
    """Train a variant with one seed.

    It writes generator.safetensors, discriminator.safetensors if a term trains one, snapshots/,
    log.csv and card.json.
    A stopped training resumes from its checkpoint when the same command runs again.
    """
    from tinygan.data.shards import open_store
    from tinygan.models.flops import count_parameters
    from tinygan.models.io import save_card
    from tinygan.training.checkpoint import CheckpointFolder
    from tinygan.training.distributed import launch, processes
    from tinygan.training.loop import train
    from tinygan.training.settings import Settings
    from tinygan.training.step import discriminator_shape, generator_shape

    config = resolve_variant(config, arguments.variant, arguments.seed)
    settings, ids = Settings.of(config), class_ids(config)
    count = settings.train.processes
    threads = max(1, arguments.threads // count)
    nodes = settings.train.nodes
    claim_gpus(config["device"], count // nodes)
    launch(arguments.argv, count, threads, nodes)
    configure_torch(threads)
    pairs = open_store(arguments.pairs, ids, what="the store of --pairs", verify=True)
    real = open_store(arguments.real, ids, what="the store of --real", verify=True)
    data = {"pairs": list(map(_digest, pairs)), "real": list(map(_digest, real))}
    if file := settings.student.embedding_file:
        data["embedding"] = [sha256(Path(file))]
    folder = arguments.checkpoints or _default_folder(arguments, "checkpoints")
    checkpoints = CheckpointFolder(folder, _identity(config, data))
    live = arguments.live or _default_folder(arguments, "live")
    live = live if settings.train.dvclive else None
    with processes(count) as world, checkpoints.locked() if world.is_main else nullcontext():
        options = {
            "name": f"{arguments.variant}, seed {settings.seed}",
            "checkpoints": checkpoints,
            "live": live,
        }
        networks = train(settings, pairs, real, arguments.out, **options, world=world)
    if not world.is_main:
        return
    parameters = {name: count_parameters(network) for name, network in networks.items()}
    card = {
        "variant": arguments.variant,
        "generator": generator_shape(settings),
        "discriminator": discriminator_shape(settings) if "discriminator" in networks else None,
        "classes": ids,
        "parameters": parameters["generator"],
        "discriminator_parameters": parameters.get("discriminator", 0),
        "loss": config["loss"],
        "train": config["train"],
        "seed": settings.seed,
        "device": device_type(config["device"]),
        "truncation": config["teacher"]["truncation"],
        "data": data,
    }
    save_card(arguments.out, card)


def _digest(shard: "Shard") -> str:
    """Return a hash over a shard's arrays and the names of its labels."""
    return digest_json([shard.manifest["arrays"], shard.manifest.get("class_names")])


def _default_folder(arguments: Arguments, suffix: str) -> Path:
    """Return the folder OUT.suffix, beside the output folder."""
    return arguments.out.with_name(f"{arguments.out.name}.{suffix}")


def _identity(config: Config, data: dict[str, list[str]]) -> dict[str, Any]:
    """Return everything that determines the result of a training, see `CheckpointFolder`.

    Args:
        config: resolved for the variant.
        data: the digests of the shards, by kind.
    """
    import torch

    from tinygan.code import digests_of

    code = digests_of("train", f"tinygan.models.students.{config['student']['architecture']}")
    sections = ("image_size", "z_dim", "classes", "student", "loss")
    settings = {key: value for key, value in config["train"].items() if key not in _WITHOUT_EFFECT}
    return {
        **{section: config[section] for section in sections},
        "train": settings,
        # The device that is used: without a GPU, `auto` is the same as `cpu`.
        "device": device_type(config["device"]),
        "truncation": config["teacher"]["truncation"],
        "data": {source: digest_json(digests) for source, digests in data.items()},
        "code": code | {"torch": torch.__version__},
    }


SUBCOMMANDS: dict[str, Subcommand] = {
    "train": (
        _train,
        {
            "--variant": {
                "required": True,
                "metavar": "NAME",
                "help": "a name under `variants` in the config",
            },
            "--seed": {
                "type": whole_number,
                "metavar": "N",
                "help": "seed of the training (default: the first of train.seeds)",
            },
            "--pairs": MANIFESTS | {"help": "manifest.json of the teacher's shards of pairs"},
            "--real": REAL,
            "--checkpoints": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "folder for checkpoints (default: OUT.checkpoints)",
            },
            "--live": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "folder for DVCLive's plots, if train.dvclive is on (default: OUT.live)",
            },
            "--out": OUT | {"help": "folder of the model to write"},
        },
    ),
}
