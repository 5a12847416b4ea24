"""The record of a run as reStructuredText, for the first page of Snakemake's report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

# More class names than this are not listed on the page.
_MOST_CLASSES = 20


def page(record: Mapping[str, Any]) -> str:
    """Return the record of a run (see `tinygan.provenance.record`) as tables and the config."""
    config, classes = record["config"], record["config"]["classes"]
    if len(classes) > _MOST_CLASSES:
        config = config | {"classes": f"{len(classes)} names, listed in provenance.json"}
    text = yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=60)
    return "\n".join(
        [
            "**Provenance**",
            "",
            *_table(["", ""], facts(record)),
            "**Time and memory by rule**",
            "",
            *_table(["rule", "jobs", "time of all jobs", "peak memory of a job"], _jobs(record)),
            "**Config**",
            "",
            "::",
            "",
            *(f"    {line}" for line in text.splitlines()),
            "",
        ]
    )


def facts(record: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    """Yield what decided the results of a run (see `tinygan.provenance.record`), name and text."""
    code, software, machine = record["code"], record["software"], record["machine"]
    yield "code", _code(code)
    yield "written", record["written"]
    yield "machine", f"{machine['platform']}, {machine['processor']}, {machine['cores']} cores"
    yield "GPUs", ", ".join(machine["gpus"]) or "none"
    device = record["device"]
    trained = ", ".join(sorted(set(device["models"].values())))
    yield "device", f"{device['requested']} requested; students trained on {trained}"
    yield "seed", str(record["seeds"]["run"])
    for name, store in record["data"].items():
        yield f"images/{name}", f"{store['images']:,} images, digest {store['digest']}"
    teacher, extractor = record["teacher"], record["extractor"]
    yield (
        "teacher",
        f"{teacher['kind']}, {teacher['handle']}, fingerprint {_short(teacher['fingerprint'])}",
    )
    yield (
        "extractor",
        f"{extractor['name']}, {extractor['input_size']} px, weights {_short(extractor['sha256'])}",
    )
    names = ("python", "tinygan", "snakemake")
    yield "software", ", ".join(f"{name} {software[name]}" for name in names if software[name])
    for name, versions in software["packages"].items():
        listed = ", ".join(f"{package} {version}" for package, version in versions.items())
        yield ("packages" if name == "this" else f"packages ({name})"), listed


def _code(code: Mapping[str, Any]) -> str:
    if code["commit"] is None:
        return "no commit"
    changes = ", ".join(code["changed"])
    return f"commit {_short(code['commit'])}, " + (f"changed: {changes}" if changes else "clean")


def _short(digest: str) -> str:
    """Return the beginning of a hash: the table has to fit beside the report's graph."""
    return digest[:16]


def _jobs(record: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    jobs = record["jobs"]
    for rule, row in jobs.items():
        memory = "–" if row["peak_mb"] is None else f"{row['peak_mb']:,.0f} MiB"
        yield rule, str(row["jobs"]), f"{row['seconds']:,.1f} s", memory
    total = sum(row["seconds"] for row in jobs.values())
    yield "all", str(sum(row["jobs"] for row in jobs.values())), f"{total:,.1f} s", ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a list-table; without a head if that is empty."""
    lines = [".. list-table::"]
    rows = [head, *rows] if any(head) else list(rows)
    lines += ["    :header-rows: 1", ""] if any(head) else [""]
    for row in rows:
        lines += [f"    {'  -' if i else '* -'} {_text(cell)}" for i, cell in enumerate(row)]
    return [*lines, ""]


def _text(cell: str) -> str:
    """Return text in which docutils sees no markup."""
    return "".join(f"\\{c}" if c in "\\`*_|" else c for c in cell)
