"""A made-up finished run for the report, on top of that of run_results."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from helpers.paths import ROOT
from helpers.run_results import call, script, write_results

TABLES = ("table1", "table2")
FIGURES = ("fig1", "fig3", "fig8", "fig9", "fig11")
CLAIMS = [
    {
        "number": 1,
        "title": "The students need the stated fraction of the teacher's parameters",
        "check": "every fraction is within 0.5 percentage points of Table 1's",
        "verdict": "holds",
        "reason": "the largest difference is 0.3 percentage points",
        "header": ["fraction of the teacher", "paper", "this run"],
        "rows": [["TinyGAN-std", "18.5 %", "18.4 %"], ["TinyGAN-dw", "6.2 %", "6.1 %"]]
        + [["a third", "–", "1,024.5 %"]],
        "note": "",
    },
    {
        "number": 2,
        "title": "TinyGAN-std is better than TinyGAN-dw",
        "check": "the interval of the paired difference leaves out zero",
        "verdict": "undecided",
        "reason": "the interval of std - dw, -9 to 4, contains zero",
        "header": ["model", "paper FID", "run FID"],
        "rows": [["TinyGAN-std", "21.6", "19.20 ± 0.50"], ["TinyGAN-dw", "24.2", "23.30 ± 0.50"]],
        "note": "11 seeds would decide it.",
    },
    {
        "number": 3,
        "title": "Every ablation is worse than the full objective",
        "check": "every difference is above zero",
        "verdict": "does not hold",
        "reason": "− L_GAN is better",
        "header": ["model", "run FID"],
        "rows": [["− L_GAN", "20.00"], ["TinyGAN-dw", "23.30"]],
        "note": "",
    },
]


def write_report_inputs(results: Path, claims: list[dict[str, Any]] = CLAIMS) -> Path:
    """Write a finished run with all that the report shows; return its folder."""
    write_results(results)
    (results / "claims.json").write_text(
        json.dumps({"preset": "mini", "seeds": [0], "claims": claims})
    )
    (results / "tables").mkdir()
    for name in TABLES:
        call(name, results, results / "tables" / name)
    (results / "figures").mkdir()
    for i, name in enumerate(FIGURES):
        pixels = np.full((40 + i, 60, 3), 40 * i, np.uint8)
        Image.fromarray(pixels).save(results / "figures" / f"{name}.png")
    config = yaml.safe_load((results / "config.yaml").read_text())
    (results / "provenance.json").write_text(json.dumps(record(config)))
    return results


def record(config: dict[str, Any]) -> dict[str, Any]:
    """Return a made-up record of a run, as tinygan.provenance.record writes it."""
    return {
        "format": 1,
        "preset": config["preset"],
        "written": "2026-01-02T03:04:05+00:00",
        "code": {"commit": "c0ffee" * 6, "changed": [], "sha256": "00"},
        "software": {
            "python": "3.11.2", "tinygan": "0.0", "snakemake": "9.1",
            "packages": {"this": {"numpy": "2.4.6", "torch": "2.13.0"}},
        },
        "machine": {"platform": "Linux", "processor": "a CPU", "cores": 2, "gpus": []},
        "device": {"requested": "cpu", "models": {"dw": "cpu"}},
        "seeds": {"run": config["seed"], "models": {"dw": 0}},
        "data": {
            store: {"images": 1200, "shards": 2, "digest": "d1" * 8, "provenance": {}}
            for store in ("real", "teacher", "teacher_pairs")
        },
        "teacher": {"kind": "tfhub", "handle": "resources/mini_teacher", "fingerprint": "a1" * 32},
        "extractor": {"name": "efficientnet_lite0", "sha256": "e5" * 32, "input_size": 64},
        "models": {"dw": "b2" * 32},
        "jobs": {
            "train": {"jobs": 8, "seconds": 1480.5, "peak_mb": 440.2},
            "score": {"jobs": 10, "seconds": 89.5, "peak_mb": None},
        },
        "files": {"tables/table1.csv": "c3" * 32},
        "config": config,
    }  # fmt: skip


def report_run(results: Path, **inputs: list[Path]) -> Any:
    """Return the call of the report's script for a run; `inputs` replace some of its files."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    tables = [results / "tables" / f"{name}{end}" for name in TABLES for end in (".md", ".csv")]
    given = {
        "claims": [results / "claims.json"],
        "tables": tables,
        "figures": [results / "figures" / f"{name}.png" for name in reversed(FIGURES)],
        "captions": [ROOT / "workflow" / "report" / f"{name}.rst" for name in FIGURES],
        "cost": [results / "cost.csv"],
        "provenance": [results / "provenance.json"],
    }
    return script.Run(config, given | inputs, results / "report")
