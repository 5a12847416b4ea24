"""Subcommands that interpolate between latent vectors and classes, and measure the result."""

import csv

from tinygan.cli.options import MANIFESTS, MODEL, OUT, OUT_FILE, Arguments, Config, Subcommand
from tinygan.data.classes import class_ids
from tinygan.files import atomic_file, require_own
from tinygan.gpu import claim_gpus
from tinygan.runtime import configure_torch


def _interpolate(config: Config, arguments: Arguments) -> None:
    """Draw a student's images between latent vectors and between classes (Figure 10)."""
    from tinygan.generation.interpolation import interpolate
    from tinygan.generation.interpolation_files import FILES, write_interpolation
    from tinygan.generation.paths import draw_paths
    from tinygan.generation.student_mixtures import open_student_mixtures
    from tinygan.models.io import read_card

    require_own(arguments.out, FILES)
    claim_gpus(config["device"])
    configure_torch(arguments.threads)
    card, names = read_card(arguments.model), config["classes"]
    student = open_student_mixtures(arguments.model, class_ids(config), device=config["device"])
    z_dim, truncation = card["generator"]["z_dim"], card["truncation"]
    paths = draw_paths(config["seed"], len(names), z_dim, truncation)
    batch = config["metrics"]["batch"]
    write_interpolation(
        arguments.out,
        interpolate(student, paths, len(names), batch=batch),
        paths,
        names=names,
        source=card.get("variant", arguments.model.name),
        seed=card.get("seed", 0),
        provenance={
            "seed": config["seed"],
            "truncation": truncation,
            "batch": batch,
            "generator": card["sha256"],
        },
    )


def _interpolate_teacher(config: Config, arguments: Arguments) -> None:
    """Draw the teacher's images on the same paths; a teacher of kind python has none."""
    from tinygan.generation.interpolation import interpolate
    from tinygan.generation.interpolation_files import FILES, write_interpolation
    from tinygan.generation.paths import draw_paths
    from tinygan.teacher.mixtures import open_mixtures

    require_own(arguments.out, FILES)
    claim_gpus(config["device"])
    settings, names = config["teacher"], config["classes"]
    teacher, fingerprint = open_mixtures(config, threads=arguments.threads)
    truncation, batch = settings["truncation"], settings["batch"]
    paths = draw_paths(config["seed"], len(names), config["z_dim"], truncation)
    write_interpolation(
        arguments.out,
        interpolate(teacher, paths, len(names), batch=batch),
        paths,
        names=names,
        source="teacher",
        seed=0,
        provenance={
            "seed": config["seed"],
            "truncation": truncation,
            "batch": batch,
            "teacher": fingerprint,
        },
    )


def _smoothness(config: Config, arguments: Arguments) -> None:
    """Measure the largest and the mean step in feature space of each interpolation."""
    from tinygan.evaluation.smoothness import COLUMNS, smoothness
    from tinygan.features.extract import open_extractor

    claim_gpus(config["device"])
    metrics = config["metrics"]
    with open_extractor(
        metrics["extractor"],
        input_size=metrics["input_size"],
        threads=arguments.threads,
        graph=metrics["inception_graph"],
        device=config["device"],
    ) as extractor:
        rows = list(smoothness(arguments.paths, extractor, batch=metrics["batch"]))
    with atomic_file(arguments.out) as partial, open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            sizes = {key: f"{row[key]:.6f}" for key in ("largest", "mean")}
            writer.writerow(row | sizes)


SUBCOMMANDS: dict[str, Subcommand] = {
    "interpolate": (_interpolate, {"--model": MODEL, "--out": OUT}),
    "interpolate-teacher": (_interpolate_teacher, {"--out": OUT}),
    "smoothness": (
        _smoothness,
        {
            "--paths": MANIFESTS | {"help": "manifest.json of each folder of interpolations"},
            "--out": OUT_FILE | {"help": "CSV file to write"},
        },
    ),
}
