"""Exported students: their interface, and their pixels beside PyTorch's."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from helpers.command_line import FEW_SAMPLES, mini, tinygan
from helpers.paths import ROOT
from helpers.published_weights import CLASSES, inputs, sngan_file, tinygan_file

from tinygan.cli import main
from tinygan.data.shards import open_shard, write_shard
from tinygan.evaluation import speed
from tinygan.export.files import PRECISIONS, file_name
from tinygan.export.graph import to_onnx
from tinygan.export.session import OnnxGenerator
from tinygan.export.write import export_model
from tinygan.generation.shipped import model_folder
from tinygan.generation.student_mixtures import open_student_mixtures
from tinygan.models.io import load_generator, read_card
from tinygan.models.pixels import to_uint8

pytestmark = pytest.mark.slow

SHIPPED = ROOT / "resources" / "tinygan_dw_mini"
CARD = read_card(SHIPPED)
ROUNDING = 1e-6  # ONNX Runtime's tanh may exceed 1 by one unit in the last place.


def run(path: Path, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Run a file with ONNX Runtime alone."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (images,) = session.run(None, {"z": z, "y": y})
    return images


def draw_inputs(count: int, z_dim: int = 128, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return z, and class indices."""
    rng = np.random.default_rng(3)
    z = 0.8 * rng.standard_normal((count, z_dim), dtype=np.float32).clip(-2, 2)
    return z, rng.integers(classes, size=count)


def one_hot(labels: np.ndarray, classes: int = 10) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


def levels(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.abs(images.astype(int) - others)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_file_has_the_interface_that_it_promises(exported, precision: str) -> None:
    path = exported.folder / file_name(precision)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import if not o.domain] == [("", 18)]
    ends = [*model.graph.input, *model.graph.output]
    shapes = {
        end.name: [d.dim_param or d.dim_value for d in end.type.tensor_type.shape.dim]
        for end in ends
    }
    expected = {"z": ["batch", 128], "y": ["batch", 10], "images": ["batch", 3, 32, 32]}
    assert shapes == expected
    assert {end.type.tensor_type.elem_type for end in ends} == {onnx.TensorProto.FLOAT}
    assert {prop.key: prop.value for prop in model.metadata_props} == {
        "architecture": "dw",
        "classes": json.dumps(CARD["classes"]),
        "truncation": "0.8",
        "image_size": "32",
        "z_dim": "128",
        "precision": precision,
        "sha256": CARD["sha256"],
    }
    # The exporter records for each operator in which line of which source file it is.
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert b"student.py" not in path.read_bytes()
    for batch in (1, 3, 64):
        z, labels = draw_inputs(batch)
        images = run(path, z, one_hot(labels))
        assert images.shape == (batch, 3, 32, 32) and images.dtype == np.float32
        assert np.abs(images).max() <= 1 + ROUNDING and images.std() > 0.1


@pytest.mark.parametrize(
    ("precision", "largest", "mean"), [("fp32", 1, 0.001), ("fp16", 8, 0.1), ("int8", 255, 3)]
)
def test_pixels_are_those_of_pytorch(exported, precision: str, largest: int, mean: float) -> None:
    z, labels = draw_inputs(1000)
    generator = load_generator(SHIPPED)
    with torch.no_grad():
        images = to_uint8(generator(torch.from_numpy(z), torch.from_numpy(labels)))
    path = exported.folder / file_name(precision)
    found = levels(to_uint8(torch.from_numpy(run(path, z, one_hot(labels)))), images)
    assert found.max() <= largest and found.mean() < mean


def test_mixtures_of_classes_are_those_of_pytorch(exported) -> None:
    z, _ = draw_inputs(50)
    weights = np.random.default_rng(1).dirichlet(np.ones(10), 50).astype(np.float32)
    images = open_student_mixtures(SHIPPED, CARD["classes"])(z, weights)
    found = run(exported.folder / file_name("fp32"), z, weights)
    assert levels(to_uint8(torch.from_numpy(found)), images).max() <= 1
    # They are no images of one class.
    single = run(exported.folder / file_name("fp32"), z, one_hot(weights.argmax(axis=1)))
    assert levels(to_uint8(torch.from_numpy(single)), images).mean() > 5


def test_fewer_bits_are_fewer_bytes(exported) -> None:
    sizes = [(exported.folder / file_name(p)).stat().st_size for p in PRECISIONS]
    weights = (SHIPPED / "generator.safetensors").stat().st_size
    assert sizes[0] < 1.1 * weights and sizes[1] < 0.55 * weights and sizes[2] < 0.4 * weights
    kinds = {t.data_type for t in onnx.load(exported.folder / file_name("int8")).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds


def test_what_the_subcommand_prints_and_records(exported) -> None:
    assert exported.errors == ""
    report = json.loads((exported.folder / "export.json").read_text())
    assert report["opset"] == 18 and report["model"]["classes"] == CARD["classes"]
    assert report["weights_bytes"] == (SHIPPED / "generator.safetensors").stat().st_size
    first, *lines = exported.said.splitlines()
    assert first == "int8: calibrated on 500 z of truncation 0.8, seed 0"
    assert first.endswith(report["calibration"])
    for (precision, file), line in zip(report["files"].items(), lines, strict=True):
        content = (exported.folder / file_name(precision)).read_bytes()
        assert file["file"] == file_name(precision) and file["bytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert f"by up to {file['largest_difference']} of 255, " in line
        assert line.startswith(f"wrote {exported.folder / file['file']}: ") and "opset 18" in line
    assert report["files"]["fp32"]["largest_difference"] <= 1


def test_the_same_bytes_again_and_others_with_harvested_z(exported, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", CARD["classes"])
    again, harvested = tmp_path / "again", tmp_path / "harvested"
    export_model(SHIPPED, again, ["fp32", "int8"])
    report = export_model(SHIPPED, harvested, ["int8"], [pairs])
    assert report["calibration"] == "500 z of the teacher's training pairs"
    for precision in ("fp32", "int8"):
        name = file_name(precision)
        assert (again / name).read_bytes() == (exported.folder / name).read_bytes()
    name = file_name("int8")
    assert (harvested / name).read_bytes() != (again / name).read_bytes()


def write_pairs(folder: Path, names: list[str]) -> Path:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(names)), 60)
    images = np.zeros((len(labels), 8, 8, 3), np.uint8)
    z = rng.uniform(-1, 1, (len(labels), 128)).astype(np.float32)
    write_shard(folder, images, labels, z, source="x", provenance={}, names=dict(enumerate(names)))
    return folder / "manifest.json"


def test_images_of_a_class_range_are_those_that_sample_draws(exported, tmp_path: Path) -> None:
    config = mini(metrics=FEW_SAMPLES | {"batch": 3})
    # Classes are matched by name.
    config["classes"] = config["classes"][::-1]
    words = ("--classes", "003-004", "--images")
    path = exported.folder / file_name("fp32")
    one = ("sample-export", "--model", path, *words, tmp_path / "onnx")
    assert tinygan(tmp_path, config, *one) == 0
    assert tinygan(tmp_path, config, "sample", "--model", SHIPPED, *words, tmp_path / "torch") == 0
    found, expected = (open_shard(tmp_path / name) for name in ("onnx", "torch"))
    assert np.array_equal(found.z, expected.z) and np.array_equal(found.labels, expected.labels)
    assert found.class_names == expected.class_names == {3: "giraffe", 4: "elephant"}
    assert levels(found.images, expected.images).max() <= 1
    recorded = found.manifest["provenance"]
    assert recorded.pop("precision") == "fp32"
    assert recorded == expected.manifest["provenance"]


def test_a_file_is_timed_beside_its_model(
    exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quick = speed.time_calls.__kwdefaults__ | {"min_calls": 2, "min_seconds": 0.0}
    monkeypatch.setattr(speed.time_calls, "__kwdefaults__", quick)
    path = str(exported.folder / file_name("int8"))
    assert main(["speed", "--model", "mini-dw", path, "--out", str(tmp_path / "speed.json")]) == 0
    times = json.loads((tmp_path / "speed.json").read_text())["times"]
    assert [row["model"] for row in times] == ["mini-dw", path] * 2
    call = speed.generator_call(Path(path), 3)
    assert call().shape == (3, 32, 32, 3) and levels(call(), call()).max() == 0
    fp32 = speed.generator_call(exported.folder / file_name("fp32"), 12)
    assert levels(fp32(), speed.generator_call(model_folder("mini-dw"), 12)()).max() <= 1


def test_the_authors_student_and_sngan_are_exported(tmp_path: Path) -> None:
    tinygan_file(tmp_path / "model_30.tar")
    sngan_file(tmp_path / "g.npz")
    for name, file in (("tinygan", "model_30.tar"), ("sngan", "g.npz")):
        folder, out = tmp_path / name, tmp_path / f"{name}.onnx"
        assert main([f"import-{name}", str(tmp_path / file), "--out", str(folder)]) == 0
        report = export_model(folder, out, ["fp32"])
        assert report["files"]["fp32"]["largest_difference"] <= 1
        assert report["model"]["truncation"] == {"tinygan": 0.5, "sngan": None}[name]
        exported = OnnxGenerator(out / file_name("fp32"))
        assert exported.half_range == {"tinygan": 128, "sngan": 127.5}[name]
        assert exported.classes == list(map(str, range(CLASSES)))
        z, y = inputs(6)
        with torch.no_grad():
            expected = load_generator(folder)(z, y)
        torch.testing.assert_close(exported(z, y), expected, rtol=0, atol=1e-5)
        assert ("half_range" in exported.metadata) == (name == "sngan")


class Steered(torch.nn.Module):
    """A network whose layers depend on the values of z."""

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return z[:, :3, None, None] if z.sum() > 0 else y[:, :3, None, None]


def test_an_architecture_that_cannot_be_exported_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="PyTorch cannot export this architecture") as error:
        to_onnx(Steered(), z_dim=4, classes=3)
    assert "\n" not in str(error.value)


def test_the_snippet_of_the_guide_runs_as_written(
    exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (ROOT / "docs" / "guide" / "using_a_student.md").read_text()
    section = guide.split("## Export to ONNX")[1].split("\n## ")[0]
    code = section.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    Path("onnx").symlink_to(exported.folder)
    found: dict = {}
    exec(code, found)
    assert found["images"].shape == (16, 3, 32, 32)
    assert np.abs(found["images"]).max() <= 1 + ROUNDING
    assert found["y"].argmax(axis=1).tolist() == [9] * 16  # zebra
