"""The results of a finished run, and the analysis scripts that read them."""

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from helpers.paths import ROOT
from tinygan.config.derived import students
from tinygan.config.read import DEFAULT
from tinygan.data.shards import write_shard
from tinygan.files import write_json
from tinygan.planning.run import load

sys.path.insert(0, str(ROOT / "analysis"))  # the scripts import each other as they do when run

reading, script = (importlib.import_module(name) for name in ("results", "script"))
make = {
    name: getattr(importlib.import_module(name), name)
    for name in (
        *("table1", "table2", "variance", "score_sheet", "claims"),
        *("fig1", "fig3", "fig7", "fig8", "fig9", "fig11"),
    )
}
FID = {
    "real": 2.0, "teacher": 14.5, "std": 19.2, "dw": 23.3, "std_half": 27.9, "scratch": 61.0,
    "no_feat": 40.0, "no_gan": 25.0, "no_kd_adv": 44.0, "pix_only": 88.0,
}  # fmt: skip
CLASSES = ["bear", "bird", "cat", "black-and-tan coonhound", "dog", "zebra"]


def set_score(results: Path, source: str, **changes) -> None:
    path = results / "scores" / f"{source}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def write_results(root: Path, seeds: Sequence[int] = (0,)) -> Path:
    """Write a finished run of six classes of 8 px images, in which claims 1 to 5 hold.

    Of several seeds, claims 2 to 4 hold. Every seed moves all students' scores together, by 3, and
    each of them by up to 0.1 more.
    """
    rng = np.random.default_rng(0)
    config = load(DEFAULT) | {"preset": "mini", "seed": 7, "classes": CLASSES}
    config["train"]["seeds"] = list(seeds)
    root.mkdir(parents=True)
    (root / "config.yaml").write_text(yaml.safe_dump(config))
    for source, fid in FID.items():
        trained = source in config["variants"]
        for seed in seeds if trained else [0]:
            shift = 3 * (seed - seeds[0]) + rng.uniform(-0.1, 0.1) if seed != seeds[0] else 0
            name = reading.file_name(source, seed)
            write_score(root, name, fid + shift * trained)
            values = fid + shift * trained + 10 * np.arange(6) + rng.normal(0, 3, 6)
            table = pd.DataFrame({"class": range(6), "name": CLASSES, "intra_fid": values})
            write_csv(root / "intra_fid" / f"{name}.csv", table)
    for variant, fid in (("dw", [90, 40, 24, 23.3]), ("scratch", [80, 120, 50, 61])):
        for seed in seeds:
            curve = pd.DataFrame({"step": [10, 20, 30, 40], "fid": fid, "inception_score": 3.0})
            curve.fid += rng.uniform(0, 0.1, 4) * (seed != seeds[0])
            write_csv(root / "scores" / "curve" / f"{reading.file_name(variant, seed)}.csv", curve)
    costs = (
        "source,architecture,channels,parameters_total,parameters_generator,macs\n"
        "teacher,biggan_deep,,,50370000,8320000000\n"
        "dw,dw,32,6370980,3070659,434000000\n"
        "std,std,32,12629604,9329283,2286000000\n"
        "std_half,std,16,6152740,2852419,577000000\n"
    )
    (root / "cost.csv").write_text(costs)
    (root / "cost_paper.csv").write_text(costs)
    for first in (0, 3):
        labels = np.repeat(np.arange(first, first + 3), 5)
        z = rng.standard_normal((15, 4)).astype(np.float32)
        for source in ("teacher", "dw", "pix_only", "scratch"):
            images = rng.integers(0, 256, (15, 8, 8, 3), dtype=np.uint8)
            name = reading.file_name(source, 0 if source == "teacher" else seeds[0])
            folder = root / "previews" / name / f"{first:03d}-{first + 2:03d}"
            write_shard(folder, images, labels, z, source=source, provenance={})
    return root


def write_score(root: Path, name: str, fid: float) -> None:
    """Write the scores of a source or student, whose intra-FID is twice its FID."""
    score = {
        "source": name, "inception_score": 5.25, "inception_score_std": 0.0, "fid": fid,
        "intra_fid": 2 * fid, "intra_fid_std": 1.0, "samples": 1200, "real_samples": 6000,
        "overall_samples": 1200, "pairwise_samples": 1000,
        "extractor": "efficientnet_lite0", "extractor_sha256": "ab", "input_size": 64,
        "seed": 7,
        "kid": 0.1, "precision": 0.8, "recall": 0.7, "density": 0.9, "coverage": 0.6,
        "fd_infinity": fid - 1, "mmd_rbf": fid / 100, "vendi": 20.5, "intra_vendi": 10.25,
        "authenticity": 0.625, "copies": 0.0125, "pair_copies": 0.0075,
    }  # fmt: skip
    for key in ("inception_score", "fid", "intra_fid", *reading.MORE, *reading.SHEET):
        score |= {f"{key}_low": score[key] - 0.5, f"{key}_high": score[key] + 0.5}
    score |= {"fd_infinity_low": None, "fd_infinity_high": None}
    write_json(root / "scores" / f"{name}.json", score)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)


def shown_tiles(
    page: Path, rows: int, columns: int, *, tile: int = 128, blocks: int = 1, group: int = 2
) -> np.ndarray:
    """Return the tiles [rows, columns, tile, tile, 3] of a figure of images; check its width.

    Args:
        page: the PNG; no pixel in the first row of the first tile may be white.
        rows: rows of tiles.
        columns: columns of tiles.
        tile: px of a tile.
        blocks: blocks that the columns are split into, equally.
        group: rows that belong together.
    """
    left, gap = (length * tile // 128 for length in (154, 4))
    with Image.open(page) as file:
        pixels = np.asarray(file.convert("RGB"))
    white = (pixels[:, left : left + tile] == 255).all(axis=2)
    top = int(np.argmin(white.any(axis=1)))  # the first row of pixels without white
    tops = [top + i * (tile + gap) + i // group * 2 * gap for i in range(rows)]
    lefts = [left + j * (tile + gap) + j * blocks // columns * 2 * gap for j in range(columns)]
    assert pixels.shape[1] == lefts[-1] + tile + 2 * gap
    return np.array([[pixels[y : y + tile, x : x + tile] for x in lefts] for y in tops])


def call(name: str, results: Path, out: Path | None = None):
    """Call a script with every file of the run that it may read."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    seeds = config["train"]["seeds"]
    sources = ["real", "teacher", *students(config), *config.get("sources", {})]
    shown = {variant: reading.file_name(variant, seeds[0]) for variant in config["variants"]}
    per_class = [shown["dw"]] if name == "fig11" else sources
    curves = [reading.file_name(v, seed) for v in ("dw", "scratch") for seed in seeds]
    inputs = {
        "scores": [results / "scores" / f"{source}.json" for source in sources],
        "intra": [results / "intra_fid" / f"{source}.csv" for source in per_class],
        "curves": [results / "scores" / "curve" / f"{student}.csv" for student in curves],
        "cost": [results / "cost.csv"],
        "cost_paper": [results / "cost_paper.csv"],
        "interpolation": [*results.glob("interpolation.csv")],
        "teacher": manifests(results, "teacher"),
        "student": manifests(results, shown["pix_only" if name == "fig3" else "dw"]),
        "baseline": manifests(results, shown["scratch"]),
    }
    return make[name](script.Run(config, inputs, out or results / "out" / name))


def manifests(results: Path, source: str) -> list[Path]:
    return sorted((results / "previews" / source).glob("*/manifest.json"))
