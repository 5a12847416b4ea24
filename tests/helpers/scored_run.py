"""A run with students, their scores and model cards: the shipped model, with made-up scores."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from helpers.command_line import complete, mini
from helpers.paths import ROOT
from tinygan.cli import main
from tinygan.files import read_json, write_json, write_text
from tinygan.release.evaluation import METRICS

SHIPPED = ROOT / "resources" / "tinygan_dw_mini"
WEIGHTS = ("generator.safetensors", "discriminator.safetensors")


def write_run(run: Path, *students: str, config: Mapping[str, Any] | None = None) -> Path:
    """Write a run's config, models, scores and model cards; return `run`.

    Args:
        run: its folder of results.
        students: their names, such as ``dw/seed1``.
        config: complete; None: that of `mini`.
    """
    write_text(run / "config.yaml", yaml.safe_dump(dict(config or complete(mini()))))
    for name, fid in (("teacher", 125.25), ("real", 37.5)):
        write_json(run / "scores" / f"{name}.json", scores(name, fid))
    for student in students:
        folder = run / "models" / student
        folder.mkdir(parents=True)
        for name in (*WEIGHTS, "card.json"):
            shutil.copy(SHIPPED / name, folder)
        seed = int(student.partition("/seed")[2] or 0)
        change = {"variant": student.partition("/")[0], "seed": seed}
        write_json(folder / "card.json", read_json(folder / "card.json") | change)
        write_json(run / "scores" / f"{student}.json", scores(student, 163.5 + seed))
        assert write_card(run, student) == 0
    return run


def write_card(run: Path, student: str) -> int:
    """Write the model card of a student as the rule does; return the exit status."""
    words = ["--config", run / "config.yaml", "--model", run / "models" / student]
    for option, name in (("--scores", student), ("--teacher", "teacher"), ("--real", "real")):
        words += [option, run / "scores" / f"{name}.json"]
    return main(["model-card", *map(str, words), "--out", str(run / "cards" / f"{student}.md")])


def scores(source: str, fid: float) -> dict[str, Any]:
    """Return scores as the pipeline writes them; all follow from the FID."""
    found = {"source": source}
    for i, key in enumerate(METRICS):
        found |= {
            key: fid / 3**i,
            f"{key}_low": fid / 3**i - 0.01,
            f"{key}_high": fid / 3**i + 0.02,
        }
    real = source == "real"
    return found | {
        "inception_score_std": 0.25, "intra_fid_std": 2.5, "samples": 2010, "overall_samples": 2000,
        "pairwise_samples": 1990, "real_samples": 7990 if real else 10000, "fid_mode": "exact",
        "prdc_k": 5, "jackknife_groups": 20, "extractor": "efficientnet_lite0",
        "extractor_sha256": "e5" * 32, "input_size": 64, "seed": 0,
        "truncation": None if real else 0.8, "classes": mini()["classes"],
    }  # fmt: skip
