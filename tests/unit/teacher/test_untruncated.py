"""A teacher of standard normal z, also as an image of noise: its config, harvest and students."""

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import (
    FEW_SAMPLES,
    PYTHON_TEACHER,
    TINY_STUDENT,
    complete,
    mini,
    tinygan,
)
from helpers.teachers import gather
from helpers.training_setup import write_mini_stores
from PIL import Image

from tinygan.cli import main
from tinygan.config.read import ConfigError
from tinygan.data.shards import open_shard
from tinygan.generation.interpolation_files import read_interpolation
from tinygan.generation.sampler import Sampler
from tinygan.models.io import load_generator, read_card
from tinygan.planning.run import load_files
from tinygan.seeding import latents, stream
from tinygan.teacher.open import open_teacher
from tinygan.training.data import BatchSource

NOISE = {"kind": "python", "target": "mygan:images", "truncation": None, "z_shape": [4, 32]}
# Its images show z, the class and the truncation; it notes the shapes of z that it gets.
TEACHER = """
import numpy as np

SHAPES = set()


def images(z, y, truncation):
    SHAPES.add((z.shape, z.dtype.name, truncation))
    first = z.reshape(len(z), -1)[:, :1]
    shades = np.clip(90 + 40 * first + 10 * y[:, None], 0, 255).astype(np.uint8)
    return np.broadcast_to(shades[:, None, None], (len(z), 32, 32, 3)).copy()
"""


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        ({"z_shape": [1, 12]}, r"teacher.z_shape: 1 x 12 = 12 values, but z_dim is 128"),
        ({"z_shape": [3, 0]}, "teacher.z_shape.1.: 0 is less than the minimum of 1"),
        ({"z_shape": []}, r"teacher.z_shape: \[\] should be non-empty"),
        ({"truncation": 0}, "teacher.truncation: 0.0 is less than or equal to the minimum of 0"),
    ],
)
def test_a_shape_that_is_not_that_of_z_is_refused(
    teacher: Mapping[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_files([], {"teacher": NOISE | teacher})


def test_other_kinds_take_vectors() -> None:
    with pytest.raises(ConfigError, match="z_shape: kind tfhub takes z as vectors; remove it"):
        load_files([], {"teacher": {"z_shape": [1, 128]}})
    with pytest.raises(ConfigError, match="z_shape: kind torch takes z as vectors; remove it"):
        load_files([], {"teacher": {"kind": "torch", "handle": "x", "z_shape": [1, 128]}})


def test_another_kind_does_not_inherit_the_shape(tmp_path: Path) -> None:
    (tmp_path / "noise.yaml").write_text(json.dumps({"teacher": NOISE}))
    first = load_files([tmp_path / "noise.yaml"])["teacher"]
    assert (first["z_shape"], first["truncation"]) == ([4, 32], None)
    module = {"kind": "tfhub", "handle": "resources/mini_teacher"}
    second = load_files([tmp_path / "noise.yaml"], {"teacher": module})["teacher"]
    assert (second["z_shape"], second["target"], second["truncation"]) == (None, None, None)
    # The same kind with another function does.
    other = load_files([tmp_path / "noise.yaml"], {"teacher": {"target": "other:images"}})
    assert other["teacher"]["z_shape"] == [4, 32]


def test_z_is_standard_normal_and_the_same_row_by_row_in_any_batches(tmp_path: Path) -> None:
    options = {"truncation": None, "count": 9, "z_dim": 5}

    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float | None) -> np.ndarray:
        assert truncation is None
        return np.zeros((len(z), 4, 4, 3), np.uint8)

    shard = gather(tmp_path / "a", range(2), teacher, batch=4, **options)
    for label in range(2):
        plain = stream(3, "pairs/z", label).standard_normal((9, 5), dtype=np.float32)
        np.testing.assert_array_equal(shard.z[shard.labels == label], plain)
    assert shard.manifest["provenance"]["truncation"] is None
    # Odd batches of an odd length: float32 normals must not depend on how many are drawn at once.
    other = gather(tmp_path / "b", range(2), teacher, batch=7, **options)
    np.testing.assert_array_equal(shard.z, other.z)
    many = latents(0, "evaluation", 1, 20_000, 5, None)
    assert many.dtype == np.float32 and np.abs(many).max() > 3.5  # nothing is cut off at 2
    assert abs(many.mean()) < 0.02 and abs(many.std() - 1) < 0.02


def test_the_fresh_z_of_a_training_is_standard_normal_too() -> None:
    class Real:
        labels = np.zeros(6, np.int64)

        def __len__(self) -> int:
            return 6

        def gather(self, name: str, rows: np.ndarray) -> np.ndarray:
            return np.zeros(len(rows), np.int64)

    source = BatchSource(None, Real(), seed=2, batch=3, z_dim=5, truncation=None)
    found = source.gather(4)["fresh_z"]
    plain = stream(2, "train/z", 4).standard_normal((3, 5), dtype=np.float32)
    np.testing.assert_array_equal(found, plain)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the teacher above."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "mygan", raising=False)
    (tmp_path / "mygan.py").write_text(TEACHER)
    yield tmp_path
    sys.modules.pop("mygan", None)


def config_of(**sections: dict) -> dict:
    few = PYTHON_TEACHER | NOISE | {"pairs_per_class": 6, "batch": 4}
    return mini(teacher=few, **sections)


def test_a_python_teacher_gets_z_in_its_shape_and_a_truncation_of_one(folder: Path) -> None:
    teacher, _ = open_teacher(complete(config_of()))
    shapes = sys.modules["mygan"].SHAPES
    assert shapes == {((4, 4, 32), "float32", 1.0)}
    z = latents(0, "pairs", 3, 4, 128, None)
    labels = np.full(4, 3)
    images = teacher(z, labels, None)
    expected = np.clip(90 + 40 * z[:, 0] + 30, 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(images[:, 0, 0, 0], expected)
    # Without a shape it gets vectors.
    shapes.clear()
    config = complete(config_of())
    config["teacher"]["z_shape"] = None
    np.testing.assert_array_equal(open_teacher(config)[0](z, labels, None), images)
    assert shapes == {((4, 128), "float32", 1.0)}


def test_a_module_gets_a_truncation_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        given.append(truncation)
        shades = np.clip(90 + 40 * z[:, 0] + 10 * labels, 0, 255).astype(np.uint8)
        return np.broadcast_to(shades[:, None, None, None], (len(z), 32, 32, 3)).copy()

    monkeypatch.setattr("tinygan.teacher.tfhub.load_teacher", lambda handle, **options: teacher)
    config = mini(teacher={"truncation": None, "pairs_per_class": 3, "batch": 3})
    words = ["harvest", "--split", "pairs", "--classes", "000-001", "--out", tmp_path / "shard"]
    assert tinygan(tmp_path, config, *words) == 0
    assert given and set(given) == {1.0}
    shard = open_shard(tmp_path / "shard")
    np.testing.assert_array_equal(shard.z[3:], latents(0, "pairs", 1, 3, 128, None))


@pytest.mark.slow
def test_harvest_train_sample_score_and_draw_without_truncation(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    config = config_of(
        train={"steps": 3, "batch": 4, "snapshots": 1, "log_every": 1},
        metrics=FEW_SAMPLES | {"input_size": 32, "curve_samples_per_class": 4},
        student=TINY_STUDENT,
    )
    write_mini_stores(folder, per_class=6)

    def run(subcommand: str, *words: object) -> None:
        assert tinygan(folder, config, subcommand, *words) == 0, capsys.readouterr().err

    every = ["--classes", "000-009"]
    run("harvest", "--split", "pairs", *every, "--out", "harvested")
    run("harvest", "--split", "evaluation", *every, "--out", "teacher")
    assert open_shard("harvested").z.shape == (60, 128)  # flat
    files = ["--pairs", "harvested/manifest.json", "--real", "real/manifest.json"]
    run("train", "--variant", "dw", *files, "--out", "model")
    assert read_card(Path("model"))["truncation"] is None
    run("sample", "--model", "model", *every, "--images", "samples")
    sampled, teacher = open_shard("samples", verify=True), open_shard("teacher")
    np.testing.assert_array_equal(sampled.z, teacher.z)
    for name in ("real", "samples"):
        run("features", "--images", name, "--out", f"{name}.npz")
    outputs = ["--out", "s.json", "--intra", "intra.csv"]
    scored = ["--real", "real.npz", "--images", "samples.npz"]
    run("score", "--source", "dw", *scored, *outputs)
    run("moments", "--real", "real.npz", "--out", "moments.npz")
    run("curve", "--model", "model", "--moments", "moments.npz", "--out", "curve.csv")
    (point,) = csv.DictReader(Path("curve.csv").read_text().splitlines())
    scores = json.loads(Path("s.json").read_text())
    assert float(point["fid"]) == pytest.approx(scores["fid"], rel=1e-4)
    run("interpolate", "--model", "model", "--out", "paths")
    paths = read_interpolation(Path("paths/manifest.json"))
    assert paths.images.shape == (41, 33, 32, 32, 3)
    _check_drawn(capsys)


def _check_drawn(capsys: pytest.CaptureFixture) -> None:
    """`tinygan generate` draws standard normal z, and says so."""
    assert (
        main(["generate", "--model", "model", "--class", "cat", "--count", "2", "--out", "d"]) == 0
    )
    assert "seed 0, truncation none: cat" in capsys.readouterr().out
    network, card = load_generator(Path("model")), read_card(Path("model"))
    z = stream(0, "generate/z", 2).standard_normal((2, 128), dtype=np.float32)
    expected = Sampler("model", Path("model"), card, network).draw(z, 2)
    for index in range(2):
        drawn = np.asarray(Image.open(f"d/cat-000{index}.png").convert("RGB"))
        np.testing.assert_array_equal(drawn, expected[index])
