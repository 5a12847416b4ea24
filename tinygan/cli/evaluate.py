"""Subcommands that extract features from images and compute scores from features."""

import csv
import os
from pathlib import Path

from tinygan.cli.options import (
    FEATURES,
    FOLDER,
    MODEL,
    OUT_FILE,
    REAL_FEATURES,
    Arguments,
    Config,
    Subcommand,
)
from tinygan.config.derived import resolve_variant, snapshot_steps
from tinygan.data.classes import class_ids
from tinygan.files import atomic_file, read_json
from tinygan.gpu import claim_gpus
from tinygan.runtime import configure_torch


def _features(config: Config, arguments: Arguments) -> None:
    """Compute the features and logits of one shard of images."""
    from tinygan.classes.by_name import match
    from tinygan.data.shards import open_shard
    from tinygan.features.extract import features_of
    from tinygan.features.files import write_features

    claim_gpus(config["device"])
    shard = open_shard(arguments.images, verify=True)
    if shard.class_names is not None:
        match(class_ids(config), shard.class_names, what="the run", by=str(arguments.images))
    features = features_of(
        shard.images,
        shard.labels,
        extractor=config["metrics"]["extractor"],
        graph=config["metrics"]["inception_graph"],
        input_size=config["metrics"]["input_size"],
        batch=config["metrics"]["batch"],
        threads=arguments.threads,
        progress=f"features {shard.manifest['source']}",
        class_names=shard.class_names,
        device=config["device"],
    )
    write_features(arguments.out, features)


def _score(config: Config, arguments: Arguments) -> None:
    """Score the features of one source against those of the real images; see also `score`.

    The pipeline calls it as `tinygan score --source NAME ...`, on the output of `tinygan features`.
    Without --images, one half of the real images is scored against the other (the floor). To score
    two folders of images directly, run `tinygan score A B`.
    """
    from tinygan.evaluation.parts import read_parts, real_vs_real
    from tinygan.evaluation.scores import Settings, score, write_scores
    from tinygan.features.files import read_features

    ids = class_ids(config)
    if arguments.images:
        parts = read_parts(arguments.images, arguments.real, ids)
    else:
        samples, seed = config["metrics"]["samples_per_class"], config["seed"]
        parts = (real_vs_real(read_features([path], ids), samples, seed) for path in arguments.real)
    # Real and external images were not drawn with this run's truncation.
    is_external = not arguments.images or arguments.source in config["sources"]
    result, rows = score(
        arguments.source,
        parts,
        config["classes"],
        Settings.of(config, threads=arguments.threads),
        {
            "seed": config["seed"],
            "truncation": None if is_external else config["teacher"]["truncation"],
            "classes": ids,
        },
        progress=f"scores {arguments.source}",
    )
    if ids != config["classes"]:
        rows = [row | {"wnid": ids[row["class"]]} for row in rows]
    write_scores(arguments.out, arguments.intra, result, rows)


def _curve(config: Config, arguments: Arguments) -> None:
    """Score the snapshots of one training: FID and Inception score by step."""
    from tinygan.evaluation.curve import curve_point
    from tinygan.evaluation.parts import read_moments
    from tinygan.metrics.fid import Gaussian

    claim_gpus(config["device"])
    configure_torch(arguments.threads)
    moments, example = read_moments(arguments.real, class_ids(config))
    real = Gaussian.of_moments(moments)
    variant = read_json(arguments.model / "card.json")["variant"]
    with atomic_file(arguments.out) as partial, open(partial, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["step", "fid", "inception_score"])
        for step in snapshot_steps(resolve_variant(config, variant)):
            fid, inception = curve_point(
                arguments.model, step, real, example, config, threads=arguments.threads
            )
            rows.writerow([step, f"{fid:.6f}", "" if inception is None else f"{inception:.6f}"])


def use_one_blas_thread() -> None:
    """Limit BLAS to one thread; call this before NumPy is imported.

    The order in which BLAS sums depends on its number of threads, so scores would depend on it too.
    """
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


SUBCOMMANDS: dict[str, Subcommand] = {
    "features": (
        _features,
        {
            "--images": FOLDER | {"help": "folder of a shard of images"},
            "--out": OUT_FILE | {"help": "NPZ file to write"},
        },
    ),
    "score-features": (
        _score,
        {
            "--source": {
                "required": True,
                "metavar": "NAME",
                "help": "name of the scored source, recorded with its scores",
            },
            "--real": REAL_FEATURES,
            # The pipeline passes no file to score real images against real images.
            "--images": FEATURES | {"nargs": "*"},
            "--intra": {
                "type": Path,
                "required": True,
                "metavar": "CSV",
                "help": "file to write the scores per class to",
            },
            "--out": OUT_FILE | {"help": "JSON file to write the scores to"},
        },
    ),
    "curve": (
        _curve,
        {
            "--model": MODEL,
            "--real": REAL_FEATURES,
            "--out": OUT_FILE | {"help": "CSV file to write"},
        },
    ),
}
