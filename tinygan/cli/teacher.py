"""Subcommands that harvest the teacher, and that train the shipped teachers."""

from typing import TYPE_CHECKING

from tinygan.cli.options import (
    CLASSES,
    FEATURES,
    FOLDER,
    MANIFESTS,
    OUT,
    OUT_FILE,
    OUT_SHARD,
    REAL,
    REAL_FEATURES,
    STREAM,
    Arguments,
    Config,
    Subcommand,
)
from tinygan.config.derived import parse_range
from tinygan.data.classes import class_ids, teacher_classes
from tinygan.gpu import claim_gpus
from tinygan.planning.disk import require_shard
from tinygan.runtime import configure_torch, quiet_tensorflow

if TYPE_CHECKING:
    import numpy as np


def _harvest(config: Config, arguments: Arguments) -> None:
    """Draw the teacher's images of a class range, and write them with their z as one shard.

    With --previews, the first images of each class become a shard of their own, which the pipeline
    keeps for figures.
    """
    from tinygan.data.previews import write_previews
    from tinygan.data.shards import FILES, open_shard
    from tinygan.files import require_own
    from tinygan.teacher.harvest import harvest
    from tinygan.teacher.open import open_teacher

    settings = config["teacher"]
    count = {
        "pairs": settings["pairs_per_class"],
        "evaluation": config["metrics"]["samples_per_class"],
    }
    claim_gpus(config["device"])
    require_shard(arguments.out, parse_range(arguments.classes), count[arguments.split], config)
    require_own(arguments.out, FILES)
    teacher, fingerprint = open_teacher(config, threads=arguments.threads)
    harvest(
        teacher,
        split=arguments.split,
        classes=parse_range(arguments.classes),
        count=count[arguments.split],
        truncation=settings["truncation"],
        seed=config["seed"],
        z_dim=config["z_dim"],
        batch=settings["batch"],
        folder=arguments.out,
        provenance={"teacher": fingerprint},
        names=class_ids(config),
    )
    if arguments.previews:
        count = config["metrics"]["previews_per_class"]
        write_previews(open_shard(arguments.out), arguments.previews, count)


def _train_teacher(config: Config, arguments: Arguments) -> None:
    """Train the mini teacher; write generator.safetensors and log.csv."""
    from tinygan.mini_teacher.train import MiniTeacherSettings, save_teacher, train_teacher

    configure_torch(arguments.threads)
    settings = MiniTeacherSettings.of(config)
    train_teacher(
        *_real_images(config, arguments),
        settings,
        seed=config["seed"],
        z_dim=config["z_dim"],
        log=arguments.out / "log.csv",
        snapshot_every=settings.steps,
        on_snapshot=lambda generator, step: save_teacher(
            generator,
            settings.truncations,
            arguments.out,
            seed=config["seed"],
            z_dim=config["z_dim"],
        ),
    )


def _train_diffusion(config: Config, arguments: Arguments) -> None:
    """Train the mini diffusion model; write denoiser.safetensors and log.csv."""
    from tinygan.mini_diffusion.train import MiniDiffusionSettings, train_diffusion

    configure_torch(arguments.threads)
    train_diffusion(
        *_real_images(config, arguments),
        MiniDiffusionSettings.of(config),
        seed=config["seed"],
        folder=arguments.out,
    )


def _real_images(config: Config, arguments: Arguments) -> tuple["np.ndarray", "np.ndarray"]:
    """Return the real images and labels that a shipped teacher learns.

    Raises:
        ValueError: its classes would be others than those of the run.
    """
    import numpy as np

    from tinygan.data.shards import open_store

    if teacher_classes(config) != config["classes"]:
        raise ValueError(
            f"the mini teacher learns the run's classes in their order: set teacher.classes to "
            f"{config['classes']} as well, or `classes` to {teacher_classes(config)}"
        )
    shards = open_store(arguments.real, class_ids(config), what="the store of --real", verify=True)
    images, labels = ([getattr(s, name) for s in shards] for name in ("images", "labels"))
    return np.concatenate(images), np.concatenate(labels)


def _export_teacher(config: Config, arguments: Arguments) -> None:
    """Export the trained mini teacher as a TF1-format TF-Hub module."""
    from safetensors.numpy import load_file

    quiet_tensorflow()
    from tinygan.mini_teacher.export import export

    weights = load_file(arguments.weights / "generator.safetensors")
    export(weights, config["mini_teacher"]["truncations"], arguments.out)


def _teacher_card(config: Config, arguments: Arguments) -> None:
    """Write the mini teacher's card: its data, settings, scores, hashes and a grid of samples."""
    from tinygan.data.shards import open_store
    from tinygan.features.files import read_features
    from tinygan.mini_teacher.card import write_card

    configure_torch(arguments.threads)
    ids = class_ids(config)
    images, real = (read_features(files, ids) for files in (arguments.images, arguments.real))
    shards = open_store(arguments.shards, ids, what="the store of --shards", verify=True)
    write_card(arguments.out, config, shards, images, real)


SUBCOMMANDS: dict[str, Subcommand] = {
    "harvest": (
        _harvest,
        {
            "--split": {
                "choices": ["pairs", "evaluation"],
                "required": True,
                "help": "pairs: for training; evaluation: for the scores, with other z",
            },
            "--classes": CLASSES,
            "--previews": STREAM["--previews"],
            "--out": OUT_SHARD,
        },
    ),
    "train-teacher": (_train_teacher, {"--real": REAL}),
    "train-diffusion": (_train_diffusion, {"--real": REAL}),
    "export-teacher": (
        _export_teacher,
        {
            "--weights": FOLDER | {"help": "output folder of train-teacher"},
            "--out": OUT | {"help": "folder of the module to write"},
        },
    ),
    "teacher-card": (
        _teacher_card,
        {
            "--shards": MANIFESTS | {"help": "manifest.json of the teacher's previews"},
            "--real": REAL_FEATURES,
            "--images": FEATURES | {"required": True, "help": "features of the teacher's images"},
            "--out": OUT_FILE | {"help": "Markdown file to write; the grid is a PNG beside it"},
        },
    ),
}
