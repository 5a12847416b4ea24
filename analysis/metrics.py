"""A few numbers of each source to compare runs by, for `dvc metrics show`."""

import pandas as pd

from results import read_scores
from script import Run, main
from tinygan.files import write_json

KEYS = ("fid", "intra_fid", "inception_score", "kid")


def metrics(run: Run) -> dict[str, dict[str, float]]:
    """Write, and return, the scores of every source with six significant digits."""
    sources = [path.stem for path in run.inputs["scores"]]
    scores = read_scores(run.inputs["scores"], sources)
    numbers = {
        source: {key: float(f"{row[key]:.6g}") for key in KEYS if pd.notna(row[key])}
        for source, row in scores.iterrows()
    }
    write_json(run.out.with_suffix(".json"), numbers)
    return numbers


if __name__ == "__main__":
    main(metrics, __doc__, scores="scores/*.json")
