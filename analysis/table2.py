"""Table 2: the ablations, each against the full objective."""

import pandas as pd
from _common import (
    INTERVAL_NOTE,
    INTERVALS,
    NAMES,
    PAPER,
    Run,
    describe,
    main,
    number,
    read_scores,
    with_interval,
    write_table,
)

ROWS = {source: NAMES[source] for source in ("dw", "no_feat", "no_gan", "no_kd_adv", "pix_only")}
COLUMNS = ["FID ↓", "FID × full", "intra-FID ↓", "intra-FID × full"]


def table2(run: Run) -> pd.DataFrame:
    """Write Table 2; return its numbers, the paper's in columns paper_*."""
    scores = read_scores(run.results, list(ROWS))
    if (scores.loc["dw", ["fid", "intra_fid"]] <= 0).any():
        raise ValueError(f"{run.results}/scores/dw.json: a Frechet distance must be above zero")
    records, rows = [], []
    for source, name in ROWS.items():
        record = {"model": name if source != "dw" else f"{name} (full)", "source": source}
        cells = []
        for prefix, values, full, shown in (
            ("", scores.loc[source], scores.loc["dw"], with_interval),
            ("paper_", PAPER[source], PAPER["dw"], lambda v, key: number(v[key], 1)),
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
    write_table(run.out, frame, COLUMNS, rows, "Table 2", caption, note)
    return frame


if __name__ == "__main__":
    main(table2, __doc__)
