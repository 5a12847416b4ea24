"""What the scores vary with: the seed of the training, the draw of the images, and rounding."""

import numpy as np
import pandas as pd

from paper import NAMES, labels, rounding_twins
from results import read_scores
from script import Run, main
from seeds import over_seeds, paired
from tables import Block, about, number, write_table

METRICS = {"fid": "FID", "intra_fid": "intra-FID"}
PARTS = ["seed", "images", "rounding"]
_NORMAL = 1.96  # half a 95 % interval is this many standard deviations


def variance(run: Run) -> pd.DataFrame:
    """Write the table of standard deviations; return its numbers, absent ones NaN."""
    names, twins = labels(run.config), rounding_twins(run.config)
    read = read_scores(run.inputs["scores"], list(run.config["variants"]))
    scores = over_seeds(read)
    records = [{"model": names[name], "source": name} for name in names]
    for record in records:
        for key in METRICS:
            row = scores.loc[record["source"]]
            half = (row[f"{key}_high"] - row[f"{key}_low"]) / 2
            record |= {
                f"{key}": row[key],
                f"{key}_seed": row[f"{key}_sd_seeds"],
                f"{key}_images": half / _NORMAL,
                f"{key}_rounding": rounding(read, key, record["source"], twins),
            }
        record["seeds"] = scores.seeds[record["source"]]
    blocks = [
        Block(
            f"{metric}: mean, and standard deviations",
            ["mean", *PARTS],
            [],
            [
                (r["model"], [number(r[k]) for k in (key, *(f"{key}_{p}" for p in PARTS))], [])
                for r in records
            ],
        )
        for key, metric in METRICS.items()
    ]
    note = f"{about(run, read)} {_note(scores.seeds.max(), twins)}"
    frame = pd.DataFrame(records)
    write_table(run.out, frame, blocks, "Variance", "what the scores vary with", note)
    return frame


def rounding(scores: pd.DataFrame, key: str, name: str, twins: dict[str, str]) -> float:
    """Return the deviation of a score by rounding alone: sqrt(mean d^2 / 2).

    Args:
        scores: of `read_scores`.
        key: the score.
        name: a variant.
        twins: repetition -> variant, of `rounding_twins`.

    Returns:
        Over all pairs of this variant or of the one that it repeats, d being the difference of the
        two trainings of a seed; NaN where there is no pair, or one seed alone.
    """
    repeated = twins.get(name, name)
    pairs = [paired(scores, key, twin, of) for twin, of in twins.items() if of == repeated]
    if not pairs or len(pairs[0]) == 1:
        return float("nan")
    return float(np.sqrt(np.mean(np.square(pairs)) / 2))


def _note(seeds: int, twins: dict[str, str]) -> str:
    parts = [
        "Seed: between trainings with other initial weights, order of data and fresh z; it contains"
        " rounding, because another seed also rounds differently.",
        "Images: of the score of one student, by the draw of the images (the jackknife's 95 % "
        f"interval over {2 * _NORMAL:.2f}). All students draw for the same z and are scored against"
        " the same real images, so a difference between two of them varies less.",
    ]
    if seeds == 1:
        parts.append("Of one seed, neither the seed's nor rounding's part is known.")
    elif twins:
        repeated = ", ".join(f"{t} repeats {NAMES.get(of, of)}" for t, of in twins.items())
        parts.append(
            f"Rounding: between trainings that agree in all but the order of their sums ({repeated}"
            f", {seeds} pairs): sqrt(mean d² / 2) over the differences d of a pair."
        )
    else:
        parts.append("No variant repeats another one with other rounding, so its part is unknown.")
    return " ".join([*parts, "Variances add, standard deviations do not."])


if __name__ == "__main__":
    main(variance, __doc__, scores="scores/*.json")
