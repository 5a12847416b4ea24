"""The score sheet: scores that the paper does not have, beside the FID, a row per source."""

import pandas as pd

from paper import labels
from results import SHEET, ends_of, read_scores
from script import Run, main
from seeds import over_seeds
from tables import INTERVAL_NOTE, Block, about, score_heading, with_spread, write_table

# For each score its heading and its decimals.
COLUMNS = {
    "fid": ("FID ↓", 1),
    "fd_infinity": ("FD∞ ↓", 1),
    "mmd_rbf": ("MMD ↓", 3),
    "vendi": ("Vendi ↑", 1),
    "intra_vendi": ("Vendi per class ↑", 1),
    "authenticity": ("authentic", 3),
    "copies": ("copies ↓", 4),
    "pair_copies": ("of pairs ↓", 4),
}
_NOTE = (
    "FD∞: the FID extrapolated to infinitely many samples. MMD: 1000 times the squared maximum mean"
    " discrepancy of CMMD, but on these features, so it is not a CMMD. Vendi: the effective number "
    "of different images, of all classes and as the mean over the classes; it grows with their "
    "number. Authentic: the share of images that are farther from the nearest real image than that "
    "one is from another real image. Copies: the share whose nearest real image of the class is "
    "nearer than 0.4 times the mean distance to the 50 nearest. Of pairs: the same for the "
    "teacher's images that the students were trained on; compare with the teacher's other images, "
    "and with the student from scratch, which saw none. Compare authenticity and copies with the "
    "row of real images: its copies are real images that occur twice, nearly or exactly."
)


def score_sheet(run: Run) -> pd.DataFrame:
    """Write the score sheet; return its numbers."""
    outside = list(run.config["sources"])
    names = {"teacher": "Teacher"} | labels(run.config) | {name: name for name in outside}
    names |= {"real": "Real images (split)"}
    read = read_scores(run.inputs["scores"], list(names), SHEET)
    scores = over_seeds(read, SHEET)
    keys = [*COLUMNS, *ends_of(COLUMNS), *(f"{key}_sd_seeds" for key in COLUMNS)]
    facts = ["extractor", "samples", "pairwise_samples", "real_samples"]
    frame = scores.reindex(names)[[*keys, *facts, "seeds"]].reset_index(names="source")
    frame.insert(0, "model", list(names.values()))
    frame["seeds"] = frame.seeds.where(frame.source.isin(run.config["variants"])).astype("Int64")
    rows = [
        (row["model"], [with_spread(row, key, digits) for key, (_, digits) in COLUMNS.items()], [])
        for row in frame.to_dict("records")
    ]
    headings = [heading for heading, _ in COLUMNS.values()]
    block = Block(f"Scores of this run: {score_heading(scores.seeds.max())}", headings, [], rows)
    note = f"{about(run, read)} {_NOTE} {INTERVAL_NOTE}"
    write_table(run.out, frame, [block], "Score sheet", "bias, diversity and copies", note)
    return frame


if __name__ == "__main__":
    main(score_sheet, __doc__, scores="scores/*.json")
