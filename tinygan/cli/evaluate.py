"""Subcommands that turn images into features, and features into scores."""

import csv
import os
from pathlib import Path

from tinygan.cli.options import (
    FEATURES,
    FOLDER,
    MODEL,
    REAL_FEATURES,
    Arguments,
    Config,
    Subcommand,
)
from tinygan.config.derived import resolve_variant, snapshot_steps
from tinygan.data.classes import class_ids
from tinygan.files import atomic_file, read_json
from tinygan.runtime import configure_torch


def _features(config: Config, arguments: Arguments) -> None:
    """Compute the extractor's features and logits of one shard of images."""
    from tinygan.classes.by_name import match
    from tinygan.data.shards import open_shard
    from tinygan.features.extract import features_of
    from tinygan.features.files import write_features

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
    )
    write_features(arguments.out, features)


def _score(config: Config, arguments: Arguments) -> None:
    """Score features against the real images'; without --images, real against real.

    This is the pipeline's form; `tinygan score A B` scores two folders of images.
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
    # Real images, and those from outside, were not drawn with the truncation of this run.
    of_others = not arguments.images or arguments.source in config["sources"]
    result, rows = score(
        arguments.source,
        parts,
        config["classes"],
        Settings.of(config, threads=arguments.threads),
        {
            "seed": config["seed"],
            "truncation": None if of_others else config["teacher"]["truncation"],
            "classes": ids,
        },
        progress=f"scores {arguments.source}",
    )
    if ids != config["classes"]:
        rows = [row | {"wnid": ids[row["class"]]} for row in rows]
    write_scores(arguments.out, arguments.intra, result, rows)


def _curve(config: Config, arguments: Arguments) -> None:
    """Score the snapshots of one training run: FID and Inception score against the step."""
    from tinygan.evaluation.curve import curve_point
    from tinygan.evaluation.parts import read_moments
    from tinygan.metrics.fid import Gaussian

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
    """Give each product of matrices one thread; to be called before anything imports NumPy.

    Scores then do not depend on the number of threads, in whose parts BLAS would sum.
    """
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


SUBCOMMANDS: dict[str, Subcommand] = {
    "features": (_features, {"--images": FOLDER | {"help": "a shard of images"}}),
    "score-features": (
        _score,
        {
            "--source": {"required": True, "help": "name under which the scores are kept"},
            "--real": REAL_FEATURES,
            # The pipeline passes no file to score real images against real images.
            "--images": FEATURES | {"nargs": "*"},
            "--intra": {"type": Path, "required": True, "help": "CSV of the per-class scores"},
        },
    ),
    "curve": (_curve, {"--model": MODEL, "--real": REAL_FEATURES}),
}
