"""Students in smaller number formats: size, speed on one core, and FID of each ONNX file."""

from pathlib import Path
from typing import Any

import pandas as pd

from paper import labels
from results import MORE, read_scores
from script import Run, main, present
from tables import Block, about, number, with_spread, write_table
from tinygan.files import read_json

BATCHES = (1, 64)  # those of `tinygan speed`
FORMATS = {
    "pytorch": "PyTorch, float32",
    "fp32": "ONNX, float32",
    "fp16": "ONNX, float16",
    "int8": "ONNX, int8",
}
SCORES = ["fid", "fid_low", "fid_high", "intra_fid", "intra_fid_low", "intra_fid_high", *MORE]


def compression(run: Run) -> pd.DataFrame:
    """Write the table; return its numbers: per student a row of PyTorch, then one per precision."""
    exports, timed = (
        {path.parent.name: read_json(present(path)) for path in run.inputs[name]}
        for name in ("exports", "times")
    )
    sources = [f"{variant}.{kind}" for variant in exports for kind in exports[variant]["files"]]
    read = read_scores(run.inputs["scores"], [*exports, *sources])
    scores = read.droplevel("train_seed")[SCORES]
    records = []
    for variant, export in exports.items():
        speeds = _speeds(timed[variant]) if variant in timed else {}
        for kind, size in _sizes(export).items():
            rates = {f"images_per_second_{batch}": speeds.get((kind, batch)) for batch in BATCHES}
            if None in rates.values():
                raise ValueError(f"there are no times of {kind} of {variant}; make them again")
            row = scores.loc[variant if kind == "pytorch" else f"{variant}.{kind}"].to_dict()
            records.append({"variant": variant, "format": kind} | size | rates | row)
    frame = pd.DataFrame(records)
    _write(run, frame, f"{about(run, read)} {_note(exports, timed)}")
    return frame


def _sizes(export: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return size and difference by format: of PyTorch's weights, and of each ONNX file."""
    weights = {"bytes": export["weights_bytes"], "largest_difference": 0, "mean_difference": 0.0}
    files = {kind: {key: file[key] for key in weights} for kind, file in export["files"].items()}
    return {"pytorch": weights} | files


def _speeds(timed: dict[str, Any]) -> dict[tuple[str, int], float]:
    """Return images per second by format and batch size, from a file of `tinygan speed`."""
    return {
        (_format(Path(row["model"])), row["batch"]): row["images_per_second"]
        for row in timed["times"]
    }


def _format(model: Path) -> str:
    """Return the format of a timed model: a folder is PyTorch's."""
    return model.stem.rpartition("_")[2] if model.suffix == ".onnx" else "pytorch"


def _write(run: Run, frame: pd.DataFrame, note: str) -> None:
    names = labels(run.config)
    heads = ["kB", *(f"images/s, batch {batch}" for batch in BATCHES), "FID ↓"]
    heads += ["largest difference", "mean difference"]
    blocks = []
    for variant, rows in frame.groupby("variant", sort=False):
        cells = []
        for row in rows.to_dict("records"):
            rates = [number(row[f"images_per_second_{batch}"], 0) for batch in BATCHES]
            differences = ["–", "–"]
            if row["format"] != "pytorch":
                mean = f"{row['mean_difference']:.2g}"
                differences = [str(row["largest_difference"]), mean]
            shown = [number(row["bytes"] / 1e3, 0), *rates, with_spread(row, "fid"), *differences]
            cells.append((FORMATS[row["format"]], shown, []))
        blocks.append(Block(names[variant], heads, [], cells))
    write_table(run.out, frame, blocks, "Compression", "students in smaller number formats", note)


def _note(exports: dict[str, Any], timed: dict[str, Any]) -> str:
    export, times = next(iter(exports.values())), next(iter(timed.values()))
    return (
        "± in parentheses: half the 95 % interval over the draw of the images, which are of the "
        "same z in all rows. kB: the file of the weights, or the ONNX file. images/s: one thread "
        f"on {times['processor']}, median processor time, all rows of a student in turn in one "
        "process. ONNX Runtime computes float16 as float32 on most processors. Differences of the "
        "pixels from PyTorch's: in levels of 0 to 255, over 1,000 images. int8: convolutions and "
        f"linear layers, calibrated on {export['calibration']}."
    )


if __name__ == "__main__":
    main(
        compression,
        __doc__,
        scores="scores/{dw,std}{,.fp32,.fp16,.int8}.json",
        exports="exports/{dw,std}/export.json",
        times="exports/{dw,std}/speed.json",
    )
