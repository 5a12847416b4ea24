"""Students in smaller number formats: size, speed on one core, and FID of each ONNX file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from paper import labels
from results import MORE, read_scores
from script import Run, main, present
from tables import Block, about, number, with_spread, write_table
from tinygan.export.names import PRECISIONS
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
    exports = {path.parent.name: read_json(present(path)) for path in run.inputs["exports"]}
    sources = [f"{variant}.{precision}" for variant in exports for precision in PRECISIONS]
    read = read_scores(run.inputs["scores"], [*exports, *sources])
    timed = {path.parent.name: read_json(present(path)) for path in run.inputs["times"]}
    scores = read.droplevel("train_seed")[SCORES]
    records = []
    for variant, export in exports.items():
        if variant not in timed:
            raise ValueError(f"there is no file of times of {variant}; make it again")
        speeds = _speeds(timed[variant])
        for record in _sizes(export):
            precision = record["format"]
            source = variant if precision == "pytorch" else f"{variant}.{precision}"
            for batch in BATCHES:
                record[f"images_per_second_{batch}"] = speeds.get((precision, batch))
            records.append({"variant": variant} | record | scores.loc[source].to_dict())
    frame = pd.DataFrame(records)
    if absent := frame[frame.filter(like="images_per_second").isna().any(axis=1)].index.to_list():
        row = frame.loc[absent[0]]
        raise ValueError(f"the times of {row.variant} lack {row.format}; make them again")
    _write(run, frame, f"{about(run, read)} {_note(exports, timed)}")
    return frame


def _sizes(export: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the format, size and difference of PyTorch's weights and of each ONNX file."""
    weights = export["weights_bytes"]
    yield {"format": "pytorch", "bytes": weights, "largest_difference": 0, "mean_difference": 0.0}
    for precision in PRECISIONS:
        file = export["files"][precision]
        yield {"format": precision} | {
            key: file[key] for key in ("bytes", "largest_difference", "mean_difference")
        }


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
