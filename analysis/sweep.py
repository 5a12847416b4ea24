"""The sweep: FID against multiply-accumulates and against time, one curve per architecture."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import checkout  # noqa: F401
from paper import COST, NAMES, SCORES
from results import INTERVALS, MORE, extractor_label, name_of, read_cost, read_scores
from script import Run, main, present
from seeds import over_seeds
from sweep_figure import draw
from tables import Block, about, number, quantity, score_heading, with_spread, write_table
from tinygan.config.derived import sweep_points
from tinygan.files import read_json

QUALITY = {"inception_score": "IS ↑", "fid": "FID ↓", "intra_fid": "intra-FID ↓"}
TIMES = ["ms_per_image", "ms_per_image_q1", "ms_per_image_q3", "images_per_second"]
BATCHES = (1, 64)  # those of `tinygan speed`


def sweep(run: Run) -> pd.DataFrame:
    """Draw the figure and write the table; return its numbers: a row per point, then the teacher.

    Scores are means over the seeds of a point, times those of its first seed.
    """
    points = sweep_points(run.config)
    read = read_scores(run.inputs["scores"], [*points, "teacher"])
    (file,) = run.inputs["speed"]
    speed, times = read_json(present(file)), read_times(file, list(points))
    scores, cost = over_seeds(read), read_cost(run.inputs["cost"])
    if absent := [name for name in points if name not in cost.index]:
        raise ValueError(f"{run.inputs['cost'][0]} lacks {', '.join(absent)}; make it again")
    deviations = [f"{key}_sd_seeds" for key in QUALITY]
    measured = scores[[*SCORES, *MORE, *INTERVALS, *deviations, "seeds"]]
    frame = measured.join(cost[COST[1:]]).join(times)
    students = {name: point["student"] for name, point in points.items()}
    frame.insert(0, "channels", [students.get(n, {}).get("channels") for n in frame.index])
    frame.insert(0, "architecture", [students.get(n, {}).get("architecture") for n in frame.index])
    frame.loc["teacher", "seeds"] = None
    counts = ["channels", "seeds", *COST[1:]]
    frame[counts] = frame[counts].astype(float).astype("Int64")
    frame = frame.reset_index(names="source")
    seeds = read.loc[list(points), "fid"]
    draw(run.out, frame, seeds, extractor_label(read))
    # For its sentence on the trainings, the points are what was trained.
    described = about(replace(run, config=run.config | {"variants": points}), read)
    _write_table(run, frame, f"{described} {_timed(speed)}")
    return frame


def read_times(path: Path, names: list[str]) -> pd.DataFrame:
    """Read the times of these points from a file of `tinygan speed`.

    Returns:
        One row per point; for each batch size the columns ms_per_image_{batch} and so on, see
        `tinygan.evaluation.speed.per_image`.

    Raises:
        ValueError: a point or a batch size is missing, or a time is not a number above zero.
    """
    rows = {}
    for row in read_json(present(path))["times"]:
        name, _ = name_of(Path(row["model"]))
        rows.setdefault(name, {}).update({f"{key}_{row['batch']}": row[key] for key in TIMES})
    columns = [f"{key}_{batch}" for batch in BATCHES for key in TIMES]
    frame = pd.DataFrame.from_dict(rows, orient="index").reindex(index=names, columns=columns)
    bad = ~(np.isfinite(frame) & (frame > 0)).all(axis=1)
    if bad.any():
        raise ValueError(f"{path} has no times of {', '.join(frame.index[bad])}; make it again")
    return frame


def _write_table(run: Run, frame: pd.DataFrame, described: str) -> None:
    cost, quality = [], []
    for row in frame.to_dict("records"):
        name = _name(row)
        times = [_time(row, batch) for batch in BATCHES]
        rate = number(row[f"images_per_second_{BATCHES[-1]}"], 0)
        sizes = [quantity(row["parameters_generator"], 1e6), quantity(row["macs"], 1e9)]
        cost.append((name, [*sizes, *times, rate], []))
        quality.append((name, [with_spread(row, key) for key in QUALITY], []))
    heads = [f"ms per image, batch {batch} (quartiles)" for batch in BATCHES]
    heads = ["G Par.", "MACs", *heads, f"images/s, batch {BATCHES[-1]}"]
    seeds = int(frame.seeds.max())
    blocks = [
        Block("Cost", heads, [], cost),
        Block(f"Scores: {score_heading(seeds)}", [*QUALITY.values()], [], quality),
    ]
    note = (
        f"{described} MACs: multiply-accumulates for one image. In parentheses after a score: half "
        "its 95 % interval over the draw of the images; it does not include what another seed of "
        "the training would change."
    )
    write_table(run.out, frame, blocks, "Sweep", "cost, speed and scores of each width", note)


def _name(row: dict[str, Any]) -> str:
    if row["source"] == "teacher":
        return NAMES["teacher"]
    return f"{NAMES.get(row['architecture'], row['architecture'])}, {row['channels']} ch."


def _time(row: dict[str, Any], batch: int) -> str:
    low, median, high = (row[f"ms_per_image{end}_{batch}"] for end in ("_q1", "", "_q3"))
    if np.isnan(median):
        return "–"
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def _timed(speed: dict[str, Any]) -> str:
    return (
        f"Times: the processor's, median of repeated calls in PyTorch {speed['torch']}, "
        f"{speed['threads']} thread on {speed['processor']}; all points in turn in one process. "
        "The teacher, a black box, is not timed."
    )


if __name__ == "__main__":
    main(
        sweep,
        __doc__,
        scores="scores/{teacher,dw_ch8,dw,dw_ch32,std_half,std}.json",
        cost="sweep/cost.csv",
        speed="sweep/speed.json",
    )
