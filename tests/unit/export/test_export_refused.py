"""What `tinygan export` refuses, in one sentence and without writing a file."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.class_stores import store
from helpers.paths import ROOT

from tinygan.cli import main
from tinygan.data.shards import write_shard
from tinygan.export import calibration, write
from tinygan.export.calibration import harvested, seeded
from tinygan.export.check import Difference
from tinygan.export.session import OnnxGenerator

SHIPPED = ROOT / "resources" / "tinygan_dw_mini"
CLASSES = json.loads((SHIPPED / "card.json").read_text())["classes"]


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["export", *map(str, words)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygan export: ") and error.count("\n") == 1
    return error


def test_no_model_and_no_folder_to_write(tmp_path: Path, capsys) -> None:
    assert "did you mean mini-dw?" in refused(capsys, "mini-dv", "--out", tmp_path)
    assert "it has no card.json" in refused(capsys, tmp_path, "--out", tmp_path / "out")
    (tmp_path / "file").touch()
    assert "file" in refused(capsys, "mini-dw", "--out", tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_unknown_precision(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["export", "mini-dw", "--out", str(tmp_path), "--precision", "fp8"])
    assert end.value.code == 2
    assert "invalid choice: 'fp8' (choose from" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package(package: str, tmp_path: Path, monkeypatch, capsys) -> None:
    for name in [name for name in sys.modules if name.startswith("tinygan.export.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    error = refused(capsys, "mini-dw", "--out", tmp_path / "out")
    assert f"this needs the package {package}: pip install 'tinygan[export]'" in error
    assert not (tmp_path / "out").exists()


@pytest.fixture
def without_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace what takes long: the file is empty but for its metadata."""
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", width])
        for name, width in (("z", 128), ("y", 10), ("images", 128))
    ]
    node = onnx.helper.make_node("Identity", ["z"], ["images"])
    graph = onnx.helper.make_graph([node], "empty", ends[:2], ends[2:])
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)
    monkeypatch.setattr(write, "to_onnx", lambda *words, **options: model)
    monkeypatch.setattr(write, "draw_pixels", lambda generator, z, y: np.zeros((1, 1, 1, 3)))


@pytest.mark.usefixtures("without_graph")
def test_images_that_differ_by_more_than_a_level(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(write, "difference", lambda images, others: Difference(2, 0.1))
    words = ("mini-dw", "--precision", "fp32", "--out", tmp_path / "out")
    error = refused(capsys, *words)
    assert "differ from PyTorch's by 2 levels, more than 1; nothing was written" in error
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(write, "difference", lambda images, others: Difference(1, 0.1))
    assert main(["export", *map(str, words)]) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "export.json",
        "generator_fp32.onnx",
    ]


@pytest.mark.usefixtures("without_graph")
def test_pairs_of_another_model(tmp_path: Path, capsys) -> None:
    words = ("mini-dw", "--out", tmp_path / "out", "--pairs")
    assert "has no manifest.json" in refused(capsys, *words, tmp_path / "nothing")
    cats = store(tmp_path / "cats", ["cat", "dog"], 128) / "manifest.json"
    assert "--pairs" in refused(capsys, *words, cats)
    for z_dim, said in ((0, "has no z"), (64, "has z of 64 numbers")):
        manifest = _pairs(tmp_path / f"z{z_dim}", z_dim)
        assert f"{said}: the model needs z of 128 numbers" in refused(capsys, *words, manifest)
    assert not (tmp_path / "out").exists()


def _pairs(folder: Path, z_dim: int, names: list[str] = CLASSES, count: int = 2) -> Path:
    """Write a shard whose z is the label everywhere."""
    labels = np.repeat(np.arange(len(names)), count)
    images = np.zeros((len(labels), 8, 8, 3), np.uint8)
    z = np.repeat(labels[:, None], z_dim, axis=1).astype(np.float32) if z_dim else None
    write_shard(folder, images, labels, z, source="x", provenance={}, names=dict(enumerate(names)))
    return folder / "manifest.json"


def test_harvested_z_have_the_labels_of_the_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(calibration, "SAMPLES", 30)
    manifest = _pairs(tmp_path / "pairs", 4, CLASSES[::-1], count=5)
    z, labels, origin = harvested([manifest], CLASSES, 4)
    assert origin == "30 z of the teacher's training pairs"
    assert np.bincount(labels).tolist() == [3] * 10
    assert np.array_equal(z[:, 0], 9 - labels)  # in the store the classes are in reverse order


def test_drawn_z_have_the_truncation_of_the_model() -> None:
    z, labels, origin = seeded(z_dim=16, classes=10, truncation=0.5)
    assert z.shape == (500, 16) and 0.9 < np.abs(z).max() <= 1
    assert np.bincount(labels).tolist() == [50] * 10 and "truncation 0.5" in origin
    z, _, origin = seeded(z_dim=16, classes=3, truncation=None)
    assert np.abs(z).max() > 2.5 and "standard normal" in origin


def test_a_file_that_export_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match="text.onnx is not a file of `tinygan export`"):
        OnnxGenerator(tmp_path / "text.onnx")
    with pytest.raises(FileNotFoundError):
        OnnxGenerator(tmp_path / "nothing.onnx")
