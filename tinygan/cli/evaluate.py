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
from tinygan.config.read import ConfigError
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
    write_features(arguments.out, features.compact() if arguments.compact else features)


def _score(config: Config, arguments: Arguments) -> None:
    """Score the features of one source against those of the real images; see also `score`.

    The pipeline calls it as `tinygan score --source NAME ...`, on the output of `tinygan features`,
    or of `tinygan sample --scores` with the moments of the real images. With --real alone, one half
    of the real images is scored against the other (the floor). To score two folders of images
    directly, run `tinygan score A B`.
    """
    from tinygan.evaluation.class_scores import read_class_scores
    from tinygan.evaluation.parts import read_parts, real_vs_real
    from tinygan.evaluation.real_moments import read_real_moments
    from tinygan.evaluation.scores import combine, score, write_scores
    from tinygan.evaluation.settings import Settings
    from tinygan.features.files import read_features

    if bool(arguments.real) == bool(arguments.classes) or (
        bool(arguments.classes) != bool(arguments.moments)
    ):
        raise ConfigError("give either --real, or --classes with --moments")
    if arguments.pairs and len(arguments.pairs) != len(arguments.images or ()):
        raise ConfigError("--pairs needs a file for each one of --images, of the same classes")
    ids, seed = class_ids(config), config["seed"]
    settings = Settings.of(config, threads=arguments.threads)
    is_floor = bool(arguments.real) and not arguments.images
    # Real and external images were not drawn with this run's truncation.
    is_external = is_floor or arguments.source in config["sources"]
    truncation = None if is_external else config["teacher"]["truncation"]
    provenance = {"seed": seed, "truncation": truncation, "classes": ids}
    about = (config["classes"], settings, provenance)
    if arguments.classes:
        classes = read_class_scores(arguments.classes)
        moments, example = read_real_moments(arguments.moments)
        example.check_comparable(classes[0].overall)
        result, rows = combine(arguments.source, classes, moments, *about)
    else:
        if is_floor:
            samples = config["metrics"]["samples_per_class"]
            real = (read_features([path], ids) for path in arguments.real)
            parts = (real_vs_real(part, samples, seed) for part in real)
        else:
            parts = read_parts(arguments.images, arguments.real, ids)
        pairs = arguments.pairs and (read_features([path], ids) for path in arguments.pairs)
        options = {"pairs": pairs, "progress": f"scores {arguments.source}"}
        result, rows = score(arguments.source, parts, *about, **options)
    if ids != config["classes"]:
        rows = [row | {"wnid": ids[row["class"]]} for row in rows]
    write_scores(arguments.out, arguments.intra, arguments.metrics, result, rows)


def _moments(config: Config, arguments: Arguments) -> None:
    """Compute the moments of the features of all real images."""
    from tinygan.evaluation.real_moments import write_real_moments

    write_real_moments(arguments.out, arguments.real, class_ids(config))


def _curve(config: Config, arguments: Arguments) -> None:
    """Score the snapshots of one training: FID and Inception score by step."""
    from tinygan.evaluation.curve import curve_point
    from tinygan.evaluation.real_moments import read_real_moments
    from tinygan.metrics.fid import Gaussian

    claim_gpus(config["device"])
    configure_torch(arguments.threads)
    moments, example = read_real_moments(arguments.moments)
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


MOMENTS = {"type": Path, "metavar": "NPZ", "help": "output of `tinygan moments`"}
SUBCOMMANDS: dict[str, Subcommand] = {
    "features": (
        _features,
        {
            "--images": FOLDER | {"help": "folder of a shard of images"},
            "--compact": {
                "action": "store_true",
                "help": "in half precision and without logits: for copies, not for other scores",
            },
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
            "--real": REAL_FEATURES | {"required": False},
            # The pipeline passes no file to score real images against real images.
            "--images": FEATURES | {"nargs": "*"},
            "--pairs": FEATURES
            | {"help": "features of the harvested pairs, a file for each of --images, for copies"},
            "--classes": FEATURES | {"help": "output of `sample --scores`, in place of both"},
            "--moments": MOMENTS,
            "--intra": {
                "type": Path,
                "required": True,
                "metavar": "CSV",
                "help": "file to write the scores per class to",
            },
            "--metrics": {
                "type": Path,
                "metavar": "JSON",
                "help": "file to write FID, intra-FID, IS and KID to, for `dvc metrics show`",
            },
            "--out": OUT_FILE | {"help": "JSON file to write the scores to"},
        },
    ),
    "moments": (
        _moments,
        {"--real": REAL_FEATURES, "--out": OUT_FILE | {"help": "NPZ file to write"}},
    ),
    "curve": (
        _curve,
        {
            "--model": MODEL,
            "--moments": MOMENTS | {"required": True},
            "--out": OUT_FILE | {"help": "CSV file to write"},
        },
    ),
}
