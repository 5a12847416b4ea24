"""A few numbers of each source to compare runs by, for `dvc metrics show`."""

import pandas as pd

from results import file_name, name_of, read_scores
from script import Run, main
from tinygan.files import write_json

KEYS = ("fid", "intra_fid", "inception_score", "kid")


def metrics(run: Run) -> dict[str, dict[str, float]]:
    """Write, and return, the scores of every source and student with six significant digits."""
    sources = dict.fromkeys(name_of(path)[0] for path in run.inputs["scores"])
    scores = read_scores(run.inputs["scores"], list(sources))
    numbers = {
        file_name(*student): {key: float(f"{row[key]:.6g}") for key in KEYS if pd.notna(row[key])}
        for student, row in scores.iterrows()
    }
    write_json(run.out.with_suffix(".json"), numbers)
    return numbers


if __name__ == "__main__":
    main(metrics, __doc__, scores="scores/*.json")
