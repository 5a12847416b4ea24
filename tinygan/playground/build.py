"""Build the playground: the page, its runtime, the students, and images of the teacher."""

import base64
import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.code import ROOT
from tinygan.data.shards import find_manifests, open_store
from tinygan.export.files import PRECISIONS
from tinygan.files import atomic_file, read_json, write_json
from tinygan.generation.pictures import grid, write_png
from tinygan.playground.files import (
    DATA,
    PAGE,
    PAGE_FOLDER,
    RUNTIME,
    model_file,
    strip_file,
)
from tinygan.seeding import draw_z, stream

COUNT = 8  # images of the teacher per class
FORMAT = 1


def build(
    results: Path,
    variants: Sequence[str],
    out: Path,
    *,
    classes: Sequence[str],
    seed: int,
    runtime: Path,
) -> None:
    """Write the playground of a run, index.html last.

    Args:
        results: the run's folder, such as ``results/mini``.
        variants: such as ``"dw"``, at least one; exported before.
        out: the folder to write.
        classes: the names of the run's classes, in the order of the class index.
        seed: of the two directions in which the page moves z.
        runtime: the folder with the files of onnxruntime-web.

    Raises:
        FileNotFoundError: a file is missing; the message says what makes it.
        ValueError: the variants differ in z, or a class has fewer than `COUNT` images.
    """
    z = _shared_z({name: results / "exports" / name / "export.json" for name in variants})
    for name in RUNTIME:
        _copy(runtime / name, out / "runtime" / name, made_by="make playground")
    for name in variants:
        for file in _models(name).values():
            _copy(results / "exports" / file, out / "models" / file, made_by="snakemake playground")
    stored = _write_strips(results / "previews" / "teacher", classes, out)
    costs = _read_costs(results / "cost.csv")
    data = z | {
        "format": FORMAT,
        "classes": list(classes),
        "directions": _encode(draw_z(stream(seed, "playground/z"), 2, **z)),
        "stored": [_encode(rows) for rows in stored],
        "teacher_images": [strip_file(label) for label in range(len(classes))],
        "teacher": costs.get("teacher"),
        "students": [
            {"name": name, "files": {k: f"models/{f}" for k, f in _models(name).items()}}
            | costs[name]
            for name in variants
        ],
    }
    write_json(out / DATA, data)
    # index.html is the first of them.
    for name in reversed(PAGE):
        _copy(ROOT / PAGE_FOLDER / name, out / name, made_by="git checkout")


def _models(variant: str) -> dict[str, str]:
    return {precision: model_file(variant, precision) for precision in PRECISIONS}


def _shared_z(reports: Mapping[str, Path]) -> dict[str, Any]:
    """Return the length of z and its truncation, of which the page has one for all variants."""
    models = {name: read_json(path)["model"] for name, path in reports.items()}
    found = {
        name: {key: model[key] for key in ("z_dim", "truncation")} for name, model in models.items()
    }
    first, *others = found
    for name in others:
        if found[name] != found[first]:
            raise ValueError(
                f"{first} and {name} have different z ({found[first]}, {found[name]}):"
                " one playground cannot show both"
            )
    return found[first]


def _write_strips(folder: Path, classes: Sequence[str], out: Path) -> list[np.ndarray]:
    """Write the teacher's first images of each class, side by side.

    Returns:
        their z of each class, float32 [COUNT, z_dim].
    """
    store = open_store(find_manifests(folder), classes, what=str(folder), verify=True)
    stored = []
    for label, name in enumerate(classes):
        shard = next(shard for shard in store if label in shard.labels)
        rows = np.flatnonzero(shard.labels == label)[:COUNT]
        if len(rows) < COUNT:
            raise ValueError(
                f"{folder} has {len(rows)} images of {name}, but the page shows {COUNT}: set "
                f"metrics.previews_per_class to {COUNT} or more, and run the pipeline again"
            )
        write_png(out / strip_file(label), grid(shard.images[rows], COUNT))
        stored.append(shard.z[rows])
    return stored


def _read_costs(path: Path) -> dict[str, dict[str, int]]:
    """Return parameters and multiply-accumulates of each source in cost.csv."""
    with open(path, newline="") as file:
        return {
            row["source"]: {
                "parameters": int(row["parameters_generator"]),
                "macs": int(row["macs"]),
            }
            for row in csv.DictReader(file)
        }


def _encode(vectors: np.ndarray) -> list[str]:
    """Return each row of float32 [N, z_dim] as little-endian bytes in base64."""
    return [base64.b64encode(row.astype("<f4").tobytes()).decode("ascii") for row in vectors]


def _copy(source: Path, target: Path, *, made_by: str) -> None:
    if not source.is_file():
        raise FileNotFoundError(f"{source} is missing: run `{made_by}`")
    with atomic_file(target) as partial:
        shutil.copyfile(source, partial)
