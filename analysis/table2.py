"""Table 2: the ablations, each against the full objective."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from paper import PAPER, compares, labels, own_ablations
from results import read_scores
from script import Run, main
from seeds import Difference, difference, over_seeds, paired
from tables import (
    INTERVAL_NOTE,
    Block,
    describe,
    interval,
    needed,
    number,
    score_heading,
    signed,
    with_spread,
    write_table,
)

ROWS = ("dw", "no_feat", "no_gan", "no_kd_adv", "pix_only")
METRICS = {"fid": "FID", "intra_fid": "intra-FID"}
_COMPARED = ["× full", "− full", "95 % interval", "seeds to decide"]


def table2(run: Run) -> pd.DataFrame:
    """Write Table 2; return its numbers, the paper's in columns paper_*."""
    names, own = labels(run.config), own_ablations(run.config)
    names["dw"] += " (full)"
    read = read_scores(run.inputs["scores"], [*ROWS, *own])
    scores = over_seeds(read)
    if (scores.loc["dw", [*METRICS]] <= 0).any():
        raise ValueError("the scores of dw: a Frechet distance must be above zero")
    records, rows = [], {key: [] for key in METRICS}
    for source in (*ROWS, *own):
        record = {"model": names[source], "source": source}
        for key in METRICS:
            found = difference(paired(read, key, source, "dw")) if source != "dw" else None
            record |= _numbers(scores, source, key) | _compared(found, key)
            row = (names[source], *_cells(scores.loc[source], record, found, key))
            rows[key].append(row)
        facts = {key: scores.loc[source, key] for key in ("extractor", "samples", "real_samples")}
        facts |= {"preset": run.config["preset"], "seed": run.config["seed"]}
        records.append(record | facts | {"seeds": scores.loc[source, "seeds"]})
    seeds = scores.seeds.max()
    blocks = [
        Block(
            f"{name} of this run: {score_heading(seeds)}",
            [f"{name} ↓", *_COMPARED],
            [f"{name} ↓", "× full"] if compares(run.config) else [],
            rows[key],
        )
        for key, name in METRICS.items()
    ]
    frame = pd.DataFrame(records)
    caption = "Ablations of TinyGAN-dw's objective"
    note = f"{describe(run, read)} {_note(seeds)}"
    if own:
        note += f" Variants of this run that the paper does not have: {', '.join(own)}."
    write_table(run.out, frame, blocks, "Table 2", caption, note)
    return frame


def _numbers(scores: pd.DataFrame, source: str, key: str) -> dict[str, float]:
    """Return a score and its ratio to the full objective's: this run's, and the paper's."""
    mine, paper = scores[key][source], PAPER.get(source, {}).get(key, float("nan"))
    ends = {name: scores[name][source] for name in (f"{key}_low", f"{key}_high", f"{key}_sd_seeds")}
    return {
        key: float(mine),
        f"{key}_ratio": float(mine / scores[key]["dw"]),
        f"paper_{key}": paper,
        f"paper_{key}_ratio": paper / PAPER["dw"][key],
        **ends,
    }


def _compared(found: Difference | None, key: str) -> dict[str, Any]:
    """Return the columns of a difference to the full objective, empty for that itself."""
    return {
        f"{key}_difference": found and found.mean,
        f"{key}_difference_low": found and found.low,
        f"{key}_difference_high": found and found.high,
        f"{key}_seeds_to_decide": found and found.to_decide,
    }


def _cells(
    values: Mapping[str, float], record: Mapping[str, Any], found: Difference | None, key: str
) -> tuple[list[str], list[str]]:
    compared = [signed(found.mean), interval(found), needed(found)] if found else ["–"] * 3
    run = [with_spread(values, key), number(record[f"{key}_ratio"]), *compared]
    return run, [number(record[f"paper_{key}"], 1), number(record[f"paper_{key}_ratio"])]


def _note(seeds: int) -> str:
    note = f"× full, − full: the score over, and minus, that of the full objective. {INTERVAL_NOTE}"
    if seeds == 1:
        return f"{note} One seed decides no difference, and how many seeds would is unknown."
    return (
        f"{note} 95 % interval: of the mean difference to the full objective, paired by seed "
        f"(Student's t, {seeds - 1} degrees of freedom); it decides the row where it excludes "
        "zero. Seeds to decide: the least number for which it would, if mean and deviation of the "
        "differences stayed as they are."
    )


if __name__ == "__main__":
    main(table2, __doc__, scores="scores/*.json")
