"""Time and memory of a run's jobs, from Snakemake's benchmark files."""

import csv
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tinygan.config.derived import shard_ranges, students


def jobs_by_rule(results: Path, config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sum up the benchmarks of a run, with the paths ``benchmarks/RULE[/NAME][/RANGE].tsv``.

    A job that was repeated has the numbers of its last attempt. Files of students and sources that
    the config no longer has are left out, and so are the jobs that write the record and, from it,
    the report.

    Args:
        results: the run's folder of results.
        config: validated.

    Returns:
        by rule, sorted: ``jobs``, ``seconds`` (sum of wall times) and ``peak_mb`` (the largest
        resident memory of a job, MiB; None if all were too short to be measured).
    """
    names = {"", "real", "real_train", "teacher", "teacher_pairs"}
    names |= {*students(config), *config["sources"]}
    ranges = shard_ranges(config)
    folder, rules = results / "benchmarks", {}
    for path in sorted(folder.rglob("*.tsv")):
        rule, *rest = path.relative_to(folder).with_suffix("").parts
        if rest and rest[-1] in ranges:
            rest.pop()
        if rule not in ("provenance", "report_page") and "/".join(rest) in names:
            rules.setdefault(rule, []).extend(_rows(path))
    return {rule: _summed(rows) for rule, rows in rules.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _summed(rows: Collection[Mapping[str, str]]) -> dict[str, Any]:
    # Snakemake writes "NA" or "-" for what it could not measure.
    peaks = [peak for row in rows if (peak := _number(row["max_rss"])) is not None]
    seconds = math.fsum(_number(row["s"]) or 0.0 for row in rows)
    return {
        "jobs": len(rows),
        "seconds": round(seconds, 1),
        "peak_mb": max(peaks, default=None),
    }


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
