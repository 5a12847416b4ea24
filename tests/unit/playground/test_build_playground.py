"""The playground's folder: its files, its data, and what is refused."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import mini, write_config
from helpers.paths import ROOT
from helpers.playground_run import CLASSES, VARIANTS, write_playground_run
from PIL import Image

from tinygan.cli import main
from tinygan.data.shards import open_shard
from tinygan.export.files import PRECISIONS
from tinygan.files import read_json, write_json
from tinygan.playground.build import COUNT, build
from tinygan.playground.files import (
    PACKAGE,
    PAGE,
    PAGE_FOLDER,
    RUNTIME,
    model_file,
    playground_files,
)
from tinygan.seeding import draw_z, stream


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A run, and beside it a stand-in for npm's package."""
    write_playground_run(tmp_path / "results", exported=False)
    (tmp_path / "runtime").mkdir()
    for name in RUNTIME:
        (tmp_path / "runtime" / name).write_text(name)
    return tmp_path / "results"


def make(results: Path, **changes: object) -> Path:
    out = results / "playground"
    options = {"classes": CLASSES, "seed": 3, "runtime": results.parent / "runtime"}
    build(results, VARIANTS, out, **options | changes)
    return out


def decode(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_the_names_are_those_of_the_page() -> None:
    found = {path.name for path in (ROOT / PAGE_FOLDER).iterdir()} - {"node_modules"}
    assert found == {*PAGE, *PACKAGE}


def test_it_writes_the_files_that_the_rule_expects(results: Path) -> None:
    out = make(results)
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert found == set(playground_files(VARIANTS, len(CLASSES)))
    assert (out / "app.js").read_bytes() == (ROOT / "playground" / "app.js").read_bytes()
    assert [(out / "runtime" / name).read_text() for name in RUNTIME] == list(RUNTIME)
    for name in VARIANTS:
        file = model_file(name, "int8")
        assert (out / "models" / file).read_bytes() == (results / "exports" / file).read_bytes()


def test_each_stored_z_is_that_of_the_image(results: Path) -> None:
    out = make(results)
    data = read_json(out / "data.json")
    assert data["format"] == 1 and data["classes"] == CLASSES
    for label, stored in enumerate(data["stored"]):
        shard = open_shard(results / "previews" / "teacher" / f"{label:03d}-{label:03d}")
        assert len(stored) == COUNT < len(shard.images)
        strip = np.asarray(Image.open(out / data["teacher_images"][label]))
        for i, text in enumerate(stored):
            assert np.array_equal(decode(text), shard.z[i])
            assert np.array_equal(strip[:, 16 * i : 16 * (i + 1)], shard.images[i])


def test_classes_are_matched_by_name(results: Path) -> None:
    before = read_json(make(results) / "data.json")["stored"]
    after = read_json(make(results, classes=CLASSES[::-1]) / "data.json")["stored"]
    assert after == before[::-1]


def test_the_data_describe_z_and_the_models(results: Path) -> None:
    data = read_json(make(results) / "data.json")
    directions = draw_z(stream(3, "playground/z"), 2, data["z_dim"], data["truncation"])
    assert np.array_equal([decode(text) for text in data["directions"]], directions)
    assert data["teacher"] == {"parameters": 1500000, "macs": 150000000}
    assert [each["name"] for each in data["students"]] == list(VARIANTS)
    assert data["students"][1] == {
        "name": "std",
        "parameters": 123456,
        "macs": 2345678,
        "files": {kind: f"models/std/generator_{kind}.onnx" for kind in PRECISIONS},
    }


def test_it_is_the_same_bytes_each_time(results: Path) -> None:
    first = {path: path.read_bytes() for path in make(results).rglob("*") if path.is_file()}
    make(results)
    assert all(path.read_bytes() == content for path, content in first.items())


def test_a_teacher_of_unknown_cost_is_no_obstacle(results: Path) -> None:
    cost = results / "cost.csv"
    cost.write_text("".join(x for x in cost.open() if not x.startswith("teacher")))
    assert read_json(make(results) / "data.json")["teacher"] is None


@pytest.mark.parametrize(
    ("missing", "advice"),
    [
        (f"runtime/{RUNTIME[1]}", "run `make playground`"),
        ("results/exports/dw/generator_int8.onnx", "run `snakemake playground`"),
    ],
)
def test_a_missing_file_is_named_with_what_makes_it(results: Path, missing, advice) -> None:
    path = results.parent / missing
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(str(path))} is missing: {advice}$"):
        make(results)
    # The page would not work, so it is not there.
    assert not (results / "playground" / "index.html").exists()


def test_students_with_different_z_are_refused(results: Path) -> None:
    report = {"model": {"z_dim": 12, "truncation": None}}
    write_json(results / "exports" / "std" / "export.json", report)
    with pytest.raises(ValueError, match=r"^dw and std have different z"):
        make(results)


def test_too_few_images_are_refused(results: Path) -> None:
    write_playground_run(results, images_per_class=COUNT - 1, exported=False)
    with pytest.raises(ValueError, match="has 7 images of bear, but the page shows 8"):
        make(results)


def test_the_command_builds_it_from_a_config(results: Path) -> None:
    config = write_config(results.parent, mini() | {"classes": CLASSES, "seed": 3})
    folders = {"--runtime": results.parent / "runtime", "--out": results / "by_command"}
    words = [str(word) for option in folders.items() for word in option]
    words += ["--results", str(results), "--variants", *VARIANTS]
    assert main(["playground", "--config", str(config), *words]) == 0
    expected = make(results)
    for name in playground_files(VARIANTS, len(CLASSES)):
        assert (folders["--out"] / name).read_bytes() == (expected / name).read_bytes()


def test_the_lock_file_has_hashes_and_names_no_host() -> None:
    text = (ROOT / PAGE_FOLDER / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    wanted = json.loads((ROOT / PAGE_FOLDER / "package.json").read_text())["dependencies"]
    assert "http" not in text and "resolved" not in text
    assert all("integrity" in package for name, package in packages.items() if name)
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
