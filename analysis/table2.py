"""Table 2: the ablations, each against the full objective."""

import math

import pandas as pd

from paper import PAPER, compares, labels, own_ablations
from results import INTERVALS, read_scores
from script import Run, main
from tables import INTERVAL_NOTE, describe, number, with_interval, write_table

ROWS = ("dw", "no_feat", "no_gan", "no_kd_adv", "pix_only")
_ABSENT = {"fid": math.nan, "intra_fid": math.nan}
COLUMNS = ["FID ↓", "FID × full", "intra-FID ↓", "intra-FID × full"]


def table2(run: Run) -> pd.DataFrame:
    """Write Table 2; return its numbers, the paper's in columns paper_*."""
    names, own = labels(run.config), own_ablations(run.config)
    scores = read_scores(run.inputs["scores"], [*ROWS, *own])
    if (scores.loc["dw", ["fid", "intra_fid"]] <= 0).any():
        raise ValueError("the scores of dw: a Frechet distance must be above zero")
    records, rows = [], []
    for source in (*ROWS, *own):
        name = names[source]
        record = {"model": name if source != "dw" else f"{name} (full)", "source": source}
        cells = []
        for prefix, values, full, shown in (
            ("", scores.loc[source], scores.loc["dw"], with_interval),
            ("paper_", PAPER.get(source, _ABSENT), PAPER["dw"], lambda v, k: number(v[k], 1)),
        ):
            group = []
            for key in ("fid", "intra_fid"):
                ratio = float(values[key] / full[key])
                record |= {f"{prefix}{key}": float(values[key]), f"{prefix}{key}_ratio": ratio}
                group += [shown(values, key), number(ratio)]
            cells.append(group)
        record |= {
            k: scores.loc[source, k] for k in INTERVALS if k.startswith(("fid", "intra_fid"))
        }
        facts = {key: scores.loc[source, key] for key in ("extractor", "samples", "real_samples")}
        facts |= {"preset": run.config["preset"], "seed": run.config["seed"]}
        records.append(record | facts)
        rows.append((record["model"], *cells))
    frame = pd.DataFrame(records)
    caption = "Ablations of TinyGAN-dw's objective"
    note = (
        describe(run, scores)
        + f" × full: the score over that of the full objective.{INTERVAL_NOTE}."
    )
    if own:
        note += f" Variants of this run that the paper does not have: {', '.join(own)}."
    beside = compares(run.config)
    write_table(run.out, frame, COLUMNS, rows, "Table 2", caption, note, beside=beside)
    return frame


if __name__ == "__main__":
    main(table2, __doc__, scores="scores/*.json")
