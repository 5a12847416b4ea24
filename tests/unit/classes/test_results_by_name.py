"""Training, features and scores follow the names of the classes, whatever their order."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.class_stores import CATS, DOGS, FOLDER, TABBY, shades, store
from helpers.command_line import mini
from helpers.metrics_reference import made_up

from tinygan.data.shards import open_shard, open_store, write_shard
from tinygan.evaluation.compare import compare
from tinygan.evaluation.image_sets import open_images
from tinygan.features.extractor import Extractor
from tinygan.features.files import read_features, write_features
from tinygan.models.io import read_card


def test_training_matches_pairs_and_real_images_by_name(
    tmp_path: Path, run: Callable, capsys: pytest.CaptureFixture
) -> None:
    """The same images under other labels train another student, unless their names say so."""
    pairs = {order: store(tmp_path / order, order.split(), 128) for order in ("cat dog", "dog cat")}
    real = store(tmp_path / "real", ["cat", "dog"])

    def train(order: str, out: str) -> int:
        options = ["--pairs", pairs[order] / "manifest.json", "--real", real / "manifest.json"]
        return run(FOLDER | CATS, "train", "--variant", "no_gan", *options, "--out", tmp_path / out)

    assert train("cat dog", "a") == 0
    assert read_card(tmp_path / "a")["classes"] == ["cat", "dog"]
    # The store in the other order with its z and images put in the run's order: the same rows.
    rows = open_shard(pairs["cat dog"])
    order = [3, 4, 5, 0, 1, 2]
    write_shard(
        pairs["dog cat"], rows.images[order], rows.labels, rows.z[order],
        source="x", provenance={}, names=["dog", "cat"],
    )  # fmt: skip
    (there,) = open_store([pairs["dog cat"]], ["cat", "dog"])
    ours, theirs = (
        {
            (int(y), z.tobytes(), x.tobytes())
            for y, z, x in zip(shard.labels, shard.z, shard.images, strict=True)
        }
        for shard in (rows, there)
    )
    assert ours == theirs
    assert train("dog cat", "b") == 0
    store(pairs["dog cat"], ["cat", "cow"], 128)
    assert train("dog cat", "c") == 1
    assert "the store of --pairs: cow is not a class of the run" in (capsys.readouterr().err)


@pytest.mark.slow
def test_a_student_with_classes_in_another_order_is_sampled_by_name(
    tmp_path: Path, run: Callable
) -> None:
    """Its curve and its images are those of the run that trained it, but for the z of a class."""
    pairs = store(tmp_path / "pairs", ["cat", "dog"], 128)
    real = store(tmp_path / "real", ["cat", "dog"])
    options = ["--pairs", pairs / "manifest.json", "--real", real / "manifest.json"]
    model = tmp_path / "m"
    assert run(FOLDER | CATS, "train", "--variant", "no_gan", *options, "--out", model) == 0
    labels = []

    class Generator(torch.nn.Linear):
        """Shows each label as a shade, with z in it."""

        def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            labels.extend(y.tolist())
            images = torch.zeros(len(z), 3, 32, 32) + y[:, None, None, None] / 2
            images[:, 2] += z[:, :1, None] / 4  # images of a class differ
            return images

    def load(*_: object, device: str) -> torch.nn.Module:
        return Generator(1, 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinygan.generation.sampling.load_generator", load)
        patch.setattr("tinygan.evaluation.curve.load_generator", load)
        draw = ["sample", "--model", model, "--classes", "000-001", "--images", tmp_path / "out"]
        assert run(FOLDER | DOGS, *draw) == 0
        assert labels == [1, 1, 0, 0]
        shard = open_shard(tmp_path / "out")
        assert shard.labels.tolist() == [0, 0, 1, 1] and shades(shard) == [192, 192, 128, 128]
        words = ["features", "--images", real, "--out", tmp_path / "real.npz"]
        assert run(FOLDER | CATS, *words) == 0
        labels.clear()
        real, moments = tmp_path / "real.npz", tmp_path / "moments.npz"
        assert run(FOLDER | DOGS, "moments", "--real", real, "--out", moments) == 0
        curve = ["--model", model, "--moments", moments, "--out", tmp_path / "c.csv"]
        changes = {"curve_samples_per_class": 3, "is_splits": 2, "input_size": 32}
        metrics = mini(metrics=changes)["metrics"]
        assert run(FOLDER | DOGS | {"metrics": metrics}, "curve", *curve) == 0
        assert labels == [1, 1, 1, 0, 0, 0]


def test_features_keep_the_names_and_refuse_classes_of_another_run(
    tmp_path: Path, run: Callable, capsys: pytest.CaptureFixture
) -> None:
    make = ["features", "--images", store(tmp_path / "s", ["cat", "dog"]), "--out", tmp_path / "f"]
    assert run(FOLDER | DOGS, *make[:-1], tmp_path / "f.npz") == 0
    assert read_features([tmp_path / "f.npz"]).class_names == {0: "cat", 1: "dog"}
    assert run(FOLDER | {"classes": ["cat", "cow"]}, *make) == 1
    assert "the run lacks the classes dog" in capsys.readouterr().err


def test_features_are_read_in_the_order_of_the_run(tmp_path: Path) -> None:
    features = replace(made_up([0, 1], 3), class_names={0: "cat", 1: "dog"})
    write_features(tmp_path / "f.npz", features)
    found = read_features([tmp_path / "f.npz"], ["dog", "cat"])
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1] and found.class_names == {0: "dog", 1: "cat"}
    order = [3, 4, 5, 0, 1, 2]
    np.testing.assert_array_equal(found.features, features.features[order])
    np.testing.assert_array_equal(found.logits, features.logits[order])
    with pytest.raises(ValueError, match="the compared features have different labels"):
        features.check_comparable(found)
    with pytest.raises(ValueError, match=r"the run lacks the classes dog.*f.npz has 2: cat, dog"):
        read_features([tmp_path / "f.npz"], ["cat", "cow"])


@pytest.mark.parametrize("config", [FOLDER | CATS, TABBY])
def test_scores_do_not_depend_on_the_order_of_the_classes_in_a_file(
    tmp_path: Path, run: Callable, config: dict
) -> None:
    first, second = config["classes"]
    names = {0: first, 1: second}
    images = replace(made_up([0, 1], 6, shift=1.0), class_names=names)
    real = replace(made_up([0, 1], 8, seed=5), class_names=names)
    images.features[images.labels == 1] += 3  # the second class is the worse one
    order = np.argsort(-images.labels, kind="stable")
    turned = replace(images.take(order), labels=images.labels, class_names={0: second, 1: first})
    found = []
    for name, features in (("a", images), ("b", turned)):
        write_features(tmp_path / f"{name}.npz", features)
        write_features(tmp_path / "real.npz", real)
        files = ["--images", tmp_path / f"{name}.npz", "--real", tmp_path / "real.npz"]
        outputs = ["--out", tmp_path / f"{name}.json", "--intra", tmp_path / f"{name}.csv"]
        assert run(config, "score", "--source", "dw", *files, *outputs) == 0
        found.append([(tmp_path / f"{name}.{s}").read_bytes() for s in ("json", "csv")])
    assert found[0] == found[1]
    assert json.loads(found[0][0])["classes"] == [first, second]
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["intra_fid"]) < float(rows[1]["intra_fid"])
    if config is TABBY:
        assert [(r["name"], r["wnid"]) for r in rows] == [
            ("tabby", first), ("golden retriever", second)
        ]  # fmt: skip


def test_real_features_of_other_classes_are_refused(
    tmp_path: Path, run: Callable, capsys: pytest.CaptureFixture
) -> None:
    images = replace(made_up([0, 1], 6), class_names={0: "cat", 1: "dog"})
    for name, classes in (("x", ["cat", "dog"]), ("y", ["cat", "cow"])):
        write_features(
            tmp_path / f"{name}.npz", replace(images, class_names=dict(enumerate(classes)))
        )
    files = ["--images", tmp_path / "x.npz", "--real", tmp_path / "y.npz"]
    outputs = ["--out", tmp_path / "s.json", "--intra", tmp_path / "s.csv"]
    assert run(FOLDER | CATS, "score", "--source", "dw", *files, *outputs) == 1
    error = capsys.readouterr().err
    assert "y.npz has 2: cat, cow" in error and "the run has 2: cat, dog" in error
    words = ["--real", tmp_path / "y.npz", "--out", tmp_path / "moments.npz"]
    assert run(FOLDER | CATS, "moments", *words) == 1
    assert "the run lacks the classes cow" in capsys.readouterr().err


def test_two_stores_are_compared_by_name(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    def corners(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = images[:, [0, 0, -1, -1], [0, -1, 0, -1], 0].astype(np.float32)
        return features, features[:, :3] / 50

    extractor = Extractor("corners", "ab" * 32, 8, "none at all", corners)

    def scored(a: Path, b: Path) -> dict:
        sets = (open_images(folder) for folder in (a, b))
        return compare(*sets, extractor, progress=False, splits=2)

    a, b = (store(tmp_path / "-".join(n), n, each=6) for n in (["cat", "dog"], ["dog", "cat"]))
    assert scored(a, b)["scores"]["intra_fid"]["value"] == pytest.approx(0, abs=1e-9)
    assert "does not name" not in capsys.readouterr().err
    other = scored(a, store(tmp_path / "o", ["cat", "cow"], each=6))
    assert "intra_fid" not in other["scores"]
    assert "2 classes are in one folder only, such as cow" in other["notes"][0]
    scored(a, store(tmp_path / "n", None, each=6))
    assert "n has no class names; its labels are used as class names" in (capsys.readouterr().err)
