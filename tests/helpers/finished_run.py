"""The files of a finished run that its record reads, without arrays or weights."""

import json
from pathlib import Path
from typing import Any

from helpers.command_line import complete, mini
from tinygan.files import write_json, write_text

RANGES = ("000-004", "005-009")
TEACHER = "a1" * 32


def two_shards(**sections: dict) -> dict[str, Any]:
    """Return the completed config of mini, with changes, for the shards `RANGES`."""
    return complete(mini(**sections) | {"classes_per_shard": 5})


def write_finished(results: Path) -> dict[str, Any]:
    """Write a finished run of config.yaml into a folder; return its config."""
    config = two_shards()
    for store in ("real", "teacher", "teacher_pairs"):
        for each in RANGES:
            write_manifest(results, store, each)
    for variant in config["variants"]:
        card = {"variant": variant, "seed": config["seed"], "sha256": f"{variant} weights"}
        card |= {"device": "cuda"}
        write_json(results / "models" / variant / "card.json", card)
    score = {"extractor": "efficientnet_lite0", "extractor_sha256": "e5" * 32, "input_size": 64}
    write_json(results / "scores" / "teacher.json", score)
    write_text(results / "tables" / "table1.csv", "model,fid\ndw,1\n")
    write_text(results / "claims.md", "# Claims\n")
    for name, seconds, memory in (("train/dw", "60.5", "400"), ("train/std", "30", "500")):
        write_benchmark(results, name, seconds, memory)
    return config


def write_manifest(results: Path, store: str, each: str, **changes: Any) -> None:
    """Write the manifest of a shard; `changes` are those of its provenance."""
    provenance = {"seed": 0} | ({"teacher": TEACHER} if store != "real" else {}) | changes
    arrays = {"images": {"sha256": f"{store} {each}"}}
    manifest = {"count": 10, "arrays": arrays, "provenance": provenance}
    write_json(results / "images" / store / each / "manifest.json", manifest)


def write_benchmark(results: Path, name: str, seconds: str, memory: str) -> None:
    """Write a benchmark file as Snakemake does, with the columns that are read."""
    write_text(results / "benchmarks" / f"{name}.tsv", f"s\tmax_rss\n{seconds}\t{memory}\n")


def files_of(results: Path) -> list[Path]:
    """Return the results that the run's record lists."""
    found = [*results.glob("tables/*"), *results.glob("scores/*"), results / "claims.md"]
    return [*found, *results.glob("models/*/card.json")]


def change_json(path: Path, **changes: Any) -> None:
    """Replace some keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
