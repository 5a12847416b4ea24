"""The record of a finished run: all that decided its results, and what it took."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinygan import __version__
from tinygan.config.derived import shard_ranges, students
from tinygan.files import digest_json, read_json, sha256
from tinygan.provenance.jobs import jobs_by_rule
from tinygan.provenance.machine import machine
from tinygan.provenance.software import code_state, package_versions

FORMAT = 1
NAME = "provenance.json"
# The stores of images that a run keeps; the second real one is there only with a crop of its own.
_STORES = ("real", "real_train", "teacher", "teacher_pairs")


def record(
    config: Mapping[str, Any],
    results: Path,
    files: Iterable[Path],
    root: Path,
    *,
    environments: Sequence[Path] = (),
    snakemake: str | None = None,
) -> dict[str, Any]:
    """Return the record of a run, a JSON value; docs/reference/formats.md describes it.

    Args:
        config: the run's config, validated and complete.
        results: the run's folder of results.
        files: the results to list with their SHA-256, all inside `results`.
        root: the top folder of the checkout.
        environments: see `package_versions`.
        snakemake: the version of Snakemake that ran the jobs; None if it is not known.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: its files belong to different runs.
    """
    ranges = shard_ranges(config)
    stores = {
        name: _store([results / "images" / name / each / "manifest.json" for each in ranges])
        for name in _STORES
    }
    stores = {name: store for name, store in stores.items() if store}
    if missing := {"real", "teacher", "teacher_pairs"} - stores.keys():
        raise FileNotFoundError(
            f"{results}/images/{min(missing)} lacks shards: finish the run first, with"
            " snakemake --cores 2 all"
        )
    cards = {name: _read(results / "models" / name / "card.json") for name in students(config)}
    score = _read(results / "scores" / "teacher.json")
    return {
        "format": FORMAT,
        "preset": config["preset"],
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": code_state(root),
        "software": {
            "python": platform.python_version(),
            "tinygan": __version__,
            "snakemake": snakemake,
            "packages": package_versions(environments),
        },
        "machine": machine(),
        "device": {
            "requested": config["device"],
            "models": {name: card["device"] for name, card in cards.items()},
        },
        "seeds": {
            "run": config["seed"],
            "models": {name: card["seed"] for name, card in cards.items()},
        },
        "data": stores,
        "teacher": {
            "kind": config["teacher"]["kind"],
            # As in the config: a place in the cache is that of this machine alone.
            "handle": config["teacher"]["target"] or config["teacher"]["handle"],
            "fingerprint": _fingerprint(stores),
        },
        "extractor": {
            "name": score["extractor"],
            "sha256": score["extractor_sha256"],
            "input_size": score["input_size"],
        },
        "models": {name: card["sha256"] for name, card in cards.items()},
        "jobs": jobs_by_rule(results, config),
        "files": {str(path.relative_to(results)): sha256(path) for path in sorted(files)},
        "config": config,
    }


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: finish the run first, with snakemake --cores 2 all"
        )
    return read_json(path)


def _store(paths: Sequence[Path]) -> dict[str, Any] | None:
    """Summarise a shard store, given the manifests of its shards; None if one is missing.

    Its digest covers the arrays' hashes of all shards, in this order. `provenance` has the keys on
    which all shards agree.
    """
    if not all(path.is_file() for path in paths):
        return None
    manifests = [read_json(path) for path in paths]
    first, *others = (manifest["provenance"] for manifest in manifests)
    common = {
        key: value
        for key, value in first.items()
        if all(other.get(key) == value for other in others)
    }
    return {
        "images": sum(manifest["count"] for manifest in manifests),
        "shards": len(manifests),
        "digest": digest_json([manifest["arrays"] for manifest in manifests]),
        "provenance": common,
    }


def _fingerprint(stores: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the fingerprint of the teacher, which all of its shards must have."""
    found = {stores[name]["provenance"].get("teacher") for name in ("teacher", "teacher_pairs")}
    if len(found) > 1 or None in found:
        raise ValueError(
            "the shards of the teacher are of different teachers: run snakemake --cores 2 all"
        )
    return found.pop()
