"""The table of exported students shows the numbers that it is given."""

import importlib
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers.run_results import FID, reading, script, set_score, write_results, write_score

from tinygan.files import read_json, write_json

compression = importlib.import_module("compression")

PRECISIONS = ("fp32", "fp16", "int8")
SIZES = {"fp32": 800_000, "fp16": 410_000, "int8": 250_000}


def write_exports(results: Path, seed: int = 0) -> None:
    for variant in ("dw", "std"):
        folder = results / "exports" / variant
        files = {}
        for i, precision in enumerate(PRECISIONS):
            write_score(results, f"{variant}.{precision}", FID[variant] + i)
            files[precision] = {
                "file": f"generator_{precision}.onnx", "bytes": SIZES[precision], "sha256": "ab",
                "largest_difference": 10 * i, "mean_difference": 0.25 * i,
            }  # fmt: skip
        export = {"calibration": "500 z of x", "weights_bytes": 700_000, "files": files}
        write_json(folder / "export.json", export)
        models = [f"results/mini/models/{reading.file_name(variant, seed)}"]
        models += [f"results/mini/exports/{variant}/{file['file']}" for file in files.values()]
        times = [
            {"model": model, "batch": batch, "images_per_second": 100.0 * batch + i}
            for batch in (1, 64)
            for i, model in enumerate(models)
        ]
        write_json(folder / "speed.json", {"processor": "a processor", "times": times})


def make(results: Path, seed: int = 0) -> pd.DataFrame:
    config = yaml.safe_load((results / "config.yaml").read_text())
    named = [f"{v}.{p}" for v in ("dw", "std") for p in PRECISIONS]
    named += [reading.file_name(variant, seed) for variant in ("dw", "std")]
    inputs = {
        "scores": [results / "scores" / f"{name}.json" for name in named],
        "exports": [results / "exports" / variant / "export.json" for variant in ("dw", "std")],
        "times": [results / "exports" / variant / "speed.json" for variant in ("dw", "std")],
    }
    return compression.compression(script.Run(config, inputs, results / "out" / "compression"))


@pytest.fixture
def exported(results: Path) -> Path:
    write_exports(results)
    return results


def test_a_row_per_student_and_format(exported: Path) -> None:
    set_score(exported, "dw.int8", fid=30.25, fid_low=28.0, fid_high=32.5)
    frame = make(exported)
    keys = list(zip(frame.variant, frame.format, strict=True))
    assert keys == [(v, f) for v in ("dw", "std") for f in ("pytorch", *PRECISIONS)]
    dw = frame[frame.variant == "dw"].set_index("format")
    assert dw.bytes.to_list() == [700_000, 800_000, 410_000, 250_000]
    assert dw.images_per_second_1.to_list() == [100, 101, 102, 103]
    assert dw.images_per_second_64.to_list() == [6400, 6401, 6402, 6403]
    assert dw.fid.to_list() == [23.3, 23.3, 24.3, 30.25] and dw.fid_low["int8"] == 28
    assert dw.largest_difference.to_list() == [0, 0, 10, 20]
    stored = pd.read_csv(exported / "out" / "compression.csv")
    pd.testing.assert_frame_equal(stored, frame, check_dtype=False)
    text = (exported / "out" / "compression.md").read_text()
    assert "**TinyGAN-dw**" in text and "**TinyGAN-std**" in text
    assert "| PyTorch, float32 | 700 | 100 | 6400 | 23.3 (± 0.5) | – | – |" in text
    assert "| ONNX, int8 | 250 | 103 | 6403 | 30.2 (± 2.2) | 20 | 0.5 |" in text
    assert "one thread on a processor" in text and "calibrated on 500 z of x" in text
    for suffix in ("html", "tex"):
        assert "30.2" in (exported / "out" / f"compression.{suffix}").read_text()


def test_students_of_another_seed(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", seeds=[3])
    write_exports(results, seed=3)
    frame = make(results, seed=3)
    expected = read_json(results / "scores" / "dw" / "seed3.json")["fid"]
    assert (
        frame.fid[0] == expected and "(seed 3)" in (results / "out" / "compression.md").read_text()
    )


def test_missing_times_and_scores_are_named(exported: Path) -> None:
    path = exported / "exports" / "std" / "speed.json"
    timed = read_json(path)
    write_json(path, timed | {"times": timed["times"][:-1]})
    with pytest.raises(ValueError, match="there are no times of int8 of std; make them again"):
        make(exported)
    write_json(path, timed)
    (exported / "scores" / "dw.fp16.json").unlink()
    with pytest.raises(FileNotFoundError, match="dw.fp16.json is missing; make it with"):
        make(exported)
