"""Features of images as they are drawn, beside those of the same images from the disk."""

from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import FEW_SAMPLES, mini, tinygan

from tinygan.data.shards import open_shard
from tinygan.evaluation.class_scores import read_class_scores
from tinygan.features.files import read_features
from tinygan.features.stream import _regrouped

MODEL = Path(__file__).parents[3] / "resources" / "tinygan_dw_mini"
CLASSES = ["--classes", "003-005"]


@pytest.fixture
def config() -> dict:
    # 5 images per class in batches of 4: a batch of the extractor has images of two classes.
    return mini(metrics=FEW_SAMPLES | {"samples_per_class": 5, "batch": 4, "previews_per_class": 2})


def test_streamed_features_are_those_of_stored_images_to_the_byte(
    config: dict, tmp_path: Path
) -> None:
    stored, streamed = tmp_path / "stored.npz", tmp_path / "streamed.npz"
    draw = ["sample", "--model", MODEL, *CLASSES]
    assert tinygan(tmp_path, config, *draw, "--images", tmp_path / "images") == 0
    assert (
        tinygan(tmp_path, config, "features", "--images", tmp_path / "images", "--out", stored) == 0
    )
    assert tinygan(tmp_path, config, *draw, "--features", streamed) == 0
    assert streamed.read_bytes() == stored.read_bytes()
    assert len(read_features([streamed])) == 15


def test_previews_are_the_first_images_of_each_class(config: dict, tmp_path: Path) -> None:
    names = ["images", "previews"]
    outputs = [word for name in names for word in (f"--{name}", tmp_path / name)]
    assert tinygan(tmp_path, config, "sample", "--model", MODEL, *CLASSES, *outputs) == 0
    images, previews = (open_shard(tmp_path / name, verify=True) for name in names)
    rows = [0, 1, 5, 6, 10, 11]
    for array in ("images", "labels", "z"):
        assert np.array_equal(getattr(previews, array), getattr(images, array)[rows])
    assert previews.class_names == images.class_names
    assert previews.manifest["provenance"] == images.manifest["provenance"]


def test_a_source_without_z_streams_too(config: dict, tmp_path: Path) -> None:
    outputs = ["--images", tmp_path / "store" / "a"]
    assert tinygan(tmp_path, config, "sample", "--model", MODEL, *CLASSES, *outputs) == 0
    config["classes"] = config["classes"][3:6]
    config["sources"] = {"mine": str(tmp_path / "store")}
    words = ["source", "--name", "mine", "--classes", "000-002", "--previews", tmp_path / "p"]
    assert tinygan(tmp_path, config, *words, "--features", tmp_path / "f.npz") == 0
    assert open_shard(tmp_path / "p").z is None
    assert read_features([tmp_path / "f.npz"]).labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5


def test_without_an_output_nothing_is_drawn(config: dict, tmp_path: Path, capsys) -> None:
    assert tinygan(tmp_path, config, "sample", "--model", MODEL, *CLASSES) == 1
    assert capsys.readouterr().err == (
        "tinygan sample: nothing would be written: give --scores, --features, --previews or "
        "--images\n"
    )


def test_real_images_of_other_classes_are_refused_before_anything_is_drawn(
    config: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    draw, real = ["sample", "--model", MODEL], tmp_path / "real.npz"
    assert tinygan(tmp_path, config, *draw, *CLASSES, "--features", real) == 0
    monkeypatch.setattr("tinygan.generation.sampling.draw", None)
    words = ["--classes", "003-004", "--real", real, "--scores", tmp_path / "s.npz"]
    capsys.readouterr()
    assert tinygan(tmp_path, config, *draw, *words) == 1
    assert capsys.readouterr().err == (
        f"tinygan sample: {real} has the classes 3 to 5, 3 in all, but --classes is 003-004: give "
        "the features of the same classes\n"
    )
    assert tinygan(tmp_path, config, *draw, *CLASSES, "--scores", tmp_path / "s.npz") == 1
    assert "--scores needs --real" in capsys.readouterr().err


def test_copies_of_the_pairs_are_counted_from_their_compact_features(
    config: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """The student's own images stand for the pairs: each is a copy."""
    draw = ["sample", "--model", MODEL, *CLASSES]
    real, pairs, scores = (tmp_path / f"{name}.npz" for name in ("real", "pairs", "scores"))
    assert tinygan(tmp_path, config, *draw, "--images", tmp_path / "i", "--features", real) == 0
    extract = ["features", "--images", tmp_path / "i", "--compact", "--out", pairs]
    assert tinygan(tmp_path, config, *extract) == 0
    with np.load(pairs) as file:
        assert file["features"].dtype == np.float16 and file["logits"].shape == (15, 0)
    compared = ["--real", real, "--pairs", pairs, "--scores", scores]
    assert tinygan(tmp_path, config, *draw, *compared) == 0
    found = read_class_scores([scores])
    assert [c.pair_copies for c in found] == [len(c.pairwise) for c in found] and found
    capsys.readouterr()
    assert tinygan(tmp_path, config, *draw, "--features", scores, "--pairs", pairs) == 1
    assert "--pairs is for --scores: give --scores and --real" in capsys.readouterr().err
    monkeypatch.setattr("tinygan.generation.sampling.draw", None)
    assert tinygan(tmp_path, config, *draw, "--real", pairs, "--scores", scores) == 1
    assert capsys.readouterr().err == (
        f"tinygan sample: --real {pairs} has compact features, which have no logits: write it "
        "again by `tinygan features` without --compact\n"
    )


def test_nothing_appears_when_drawing_fails(config: dict, tmp_path: Path, monkeypatch) -> None:
    def broken(*_, **__):
        yield np.zeros((4, 32, 32, 3), np.uint8), np.full(4, 3), np.zeros((4, 128), np.float32)
        raise OSError("the disk is on fire")

    monkeypatch.setattr("tinygan.generation.sampling.draw", broken)
    names = ["images", "previews", "features"]
    outputs = [word for name in names for word in (f"--{name}", tmp_path / "out" / name)]
    assert tinygan(tmp_path, config, "sample", "--model", MODEL, *CLASSES, *outputs) == 1
    assert not [file for file in (tmp_path / "out").rglob("*") if file.is_file()]


@pytest.mark.parametrize("sizes", [[3, 3, 3], [1, 8], [9], [4, 4, 1], [2, 0, 7]])
def test_batches_are_regrouped_in_order(sizes: list[int]) -> None:
    rows = np.arange(sum(sizes))
    batches = [
        (part[:, None, None, None].astype(np.uint8), part // 3)
        for part in np.split(rows, np.cumsum(sizes)[:-1])
    ]
    found = list(_regrouped(batches, 4))
    assert [len(labels) for _, labels in found] == [4, 4, 1]
    assert np.concatenate([images[:, 0, 0, 0] for images, _ in found]).tolist() == rows.tolist()
    assert np.concatenate([labels for _, labels in found]).tolist() == (rows // 3).tolist()
