"""A class is its name: wherever two lists of classes meet, their order does not matter."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import published_weights
from helpers.animal_mnist import small_set, write_wheel
from helpers.command_line import FEW_SAMPLES, TINY_STUDENT, mini, real_files, tinygan
from helpers.metrics_reference import made_up
from helpers.published_forward import sngan_reference
from helpers.published_weights import biggan_weights, sngan_file, tinygan_file
from helpers.teachers import replace_module

from tinygan.classes.by_name import ClassMismatch, match, merge, relabel
from tinygan.classes.imagenet import wnid_of_name
from tinygan.data.real.animal_mnist import CLASSES as ANIMALS
from tinygan.data.shards import Shard, open_shard, open_store, write_shard
from tinygan.evaluation.compare import compare
from tinygan.evaluation.image_sets import open_images
from tinygan.features.extractor import Extractor
from tinygan.features.files import read_features, write_features
from tinygan.files import read_json, write_json
from tinygan.models.io import read_card
from tinygan.planning import run as configs
from tinygan.seeding import latents

WNIDS = list(wnid_of_name().values())
CATS = {"classes": ["cat", "dog"]}
DOGS = {"classes": ["dog", "cat"]}
FOLDER = {"image_size": 32, "real": real_files("nowhere")}
IMAGENET = {"real": real_files("nowhere", "imagenet")}
TABBY = {"classes": ["n02123045", "n02099601"]} | IMAGENET


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    """Call a verb with mini's config and some changes of it."""
    base = mini(
        metrics=FEW_SAMPLES | {"samples_per_class": 2, "input_size": 32},
        train={"steps": 2, "batch": 4, "snapshots": 1, "log_every": 1},
        student=TINY_STUDENT,
    )

    def call(config: dict, subcommand: str, *words: object) -> int:
        return tinygan(tmp_path, base | config, subcommand, *words)

    return call


def pixels(*shades: int) -> np.ndarray:
    """One image of 32 px for each shade."""
    return np.repeat(np.array(shades, np.uint8), 32 * 32 * 3).reshape(-1, 32, 32, 3)


def store(folder: Path, names: list[str] | None, z_dim: int = 0, each: int = 3) -> Path:
    """Write a shard whose images of "cat" have the shades 10, 11, .., of "dog" 20, 21, .."""
    first = {"cat": 10, "dog": 20, "cow": 30}
    shades = [first[name] + row for name in names or ["cat", "dog"] for row in range(each)]
    labels = np.repeat(np.arange(len(shades) // each), each)
    z = np.random.default_rng(0).normal(size=(len(labels), z_dim)) if z_dim else None
    write_shard(folder, pixels(*shades), labels, z, source="x", provenance={}, names=names)
    return folder


def shades(shard: Shard) -> list[int]:
    return shard.images[:, 0, 0, 0].tolist()


# The function that joins two lists.


def test_a_class_is_found_by_its_name() -> None:
    assert match(["cat", "dog", "cow"], ["cow", "cat"], what="it") == [2, 0]
    assert match({7: "cat", 3: "dog"}, {0: "dog"}, what="it") == [3]
    # ImageNet's tabby has two names, whoever uses which.
    assert match(WNIDS, ["tabby", "n02099601"], what="it", exact=False) == [281, 207]
    assert match(["tabby"], ["n02123045"], what="it", exact=True) == [0]


@pytest.mark.parametrize(
    ("found", "wanted", "exact", "parts"),
    [
        (["cat", "dog"], ["cat", "dgo"], False, ["lacks the classes dgo", "did you mean dog?"]),
        (["cat", "dgo"], ["cat", "dog"], True, ["dgo is not a class", "did you mean dog?"]),
        (["cat", "dog"], ["cat"], True, ["dog is not a class", "it has 2: cat, dog", "has 1"]),
        (["cat"], ["cat", "dog"], True, ["lacks the classes dog", "has 1: cat", "has 2: cat, dog"]),
        (WNIDS, ["cow"], False, ["it has 1000: n01440764", "and 995 more"]),
        (["cat", "cat"], ["cat"], False, ["has the class cat twice"]),
        (["tabby", "n02123045"], ["tabby"], False, ["has the class n02123045 twice"]),
    ],
)
def test_lists_that_differ_are_refused_with_both(
    found: list[str], wanted: list[str], exact: bool, parts: list[str]
) -> None:
    with pytest.raises(ValueError) as caught:
        match(found, wanted, what="it", exact=exact)
    for part in parts:
        assert part in str(caught.value)
    assert len(str(caught.value)) < 400


def test_what_differs_is_told_apart() -> None:
    with pytest.raises(ClassMismatch) as caught:
        match(["cat", "cow"], ["cat", "dog"], what="it", exact=True)
    assert (caught.value.missing, caught.value.extra) == (["dog"], ["cow"])


def test_labels_follow_their_names() -> None:
    labels, names = relabel(np.array([3, 3, 5]), {3: "dog", 5: "cat"}, ["cat", "dog"], what="f")
    assert labels.tolist() == [1, 1, 0] and names == {0: "cat", 1: "dog"}
    same = np.array([1])
    assert relabel(same, {1: "dog"}, ["cat", "dog"], what="f")[0] is same


def test_files_are_joined_only_where_their_labels_agree() -> None:
    assert merge([{0: "cat"}, {1: "dog"}], what="x") == {0: "cat", 1: "dog"}
    assert merge([None, None], what="x") is None
    for other in ({0: "dog"}, {1: "cat"}):
        with pytest.raises(ValueError, match="x have different labels .*: 0 = cat; but"):
            merge([{0: "cat"}, other], what="x")
    with pytest.raises(ValueError, match="only some of x have class names"):
        merge([{0: "cat"}, None], what="x")


def test_scores_get_one_thread_of_blas_before_numpy_is_there() -> None:
    """BLAS reads the number when NumPy is imported; what it sums in parts rounds differently."""
    code = """
import os, sys, tinygan.cli
print("numpy" in sys.modules)
tinygan.cli.main(["curve", "--config", "no.yaml", "--model", "m", "--real", "r", "--out", "o"])
print(os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"])
"""
    clean = {key: value for key, value in os.environ.items() if "NUM_THREADS" not in key}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean
    )
    assert done.stdout.split() == ["False", "1", "1"]


# Shards.


def test_a_shard_names_its_own_labels(tmp_path: Path) -> None:
    for names in (["cow", "cat", "dog"], {1: "cat", 2: "dog", 9: "cow"}):
        write_shard(
            tmp_path / "s", pixels(1, 2), np.array([1, 2]), source="x", provenance={}, names=names
        )
        assert open_shard(tmp_path / "s").class_names == {1: "cat", 2: "dog"}
    with pytest.raises(ValueError, match=r"names for 1 classes, .* all of the labels \[1, 2\]"):
        store_of = {"source": "x", "provenance": {}, "names": ["cat"]}
        write_shard(tmp_path / "t", pixels(1, 2), np.array([1, 2]), **store_of)
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("names", [["cat", "dog"], {"0": "cat"}, {"0": "cat", "1": 3}])
def test_wrong_names_in_a_manifest_are_refused(tmp_path: Path, names: object) -> None:
    path = store(tmp_path / "s", None) / "manifest.json"
    write_json(path, read_json(path) | {"class_names": names})
    with pytest.raises(ValueError, match="class_names must have a name for each label"):
        open_shard(tmp_path / "s")


def test_a_store_takes_the_labels_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = store(tmp_path / "s", ["dog", "cat"])
    (shard,) = open_store([folder], ["cat", "dog"])
    assert shard.labels.tolist() == [1, 1, 1, 0, 0, 0] and shard.class_names == {0: "cat", 1: "dog"}
    assert open_store([folder])[0].labels.tolist() == [0, 0, 0, 1, 1, 1]
    for classes in (["cat"], ["cat", "dog", "cow"], ["cat", "dgo"]):
        with pytest.raises(ValueError, match=r"has 2: dog, cat; the run has \d: cat"):
            open_store([folder], classes)
    assert not capsys.readouterr().err
    open_store([store(tmp_path / "t", None)], ["cat", "dog"])
    assert "the store has no class names" in capsys.readouterr().err
    with pytest.raises(ValueError, match="have different labels for their classes"):
        other = {"source": "x", "provenance": {}, "names": {2: "cat"}}
        write_shard(tmp_path / "u", pixels(1), np.array([2]), **other)
        open_store([folder, tmp_path / "u"])


# Images from outside.


def test_an_imagenet_model_is_asked_for_the_labels_of_the_wnids(
    tmp_path: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_weights, "CLASSES", 1000)
    weights = sngan_file(tmp_path / "g.npz")
    model = tmp_path / "model"
    assert run({}, "import-sngan", tmp_path / "g.npz", "--out", model) == 0
    assert read_card(model)["classes"] == WNIDS
    sources = {"sources": {"theirs": str(model)}}
    for classes, verb in (
        (["n02123045", "n02099601"], ["source", "--name", "theirs"]),
        (["tabby", 207], ["sample", "--model", model]),
    ):
        out = tmp_path / verb[0]
        config = TABBY | sources | {"classes": classes}
        assert run(config, *verb, "--classes", "000-001", "--out", out) == 0
        shard = open_shard(out)
        assert shard.class_names == {0: "n02123045", 1: "n02099601"}
        assert shard.labels.tolist() == [0, 0, 1, 1]
        # The z of a class follows from its index in the run, as the teacher's does.
        z = np.concatenate([latents(0, "evaluation", label, 2, 6, None) for label in (0, 1)])
        expected = sngan_reference(weights, torch.tensor(z), torch.tensor([281, 281, 207, 207]))
        expected = np.floor((expected.permute(0, 2, 3, 1).numpy() + 1) / 2 * 256).clip(0, 255)
        assert np.abs(shard.images - expected).max() <= 1


def test_the_authors_tinygan_has_imagenets_animals(
    tmp_path: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_weights, "CLASSES", 398)
    tinygan_file(tmp_path / "model_30.tar")
    assert run({}, "import-tinygan", tmp_path / "model_30.tar", "--out", tmp_path / "m") == 0
    assert read_card(tmp_path / "m")["classes"] == WNIDS[:398]


def test_a_model_without_names_is_refused_until_they_are_given(
    tmp_path: Path, run: Callable, capsys: pytest.CaptureFixture
) -> None:
    weights, model, out = sngan_file(tmp_path / "g.npz"), tmp_path / "model", tmp_path / "out"
    take = ["import-sngan", tmp_path / "g.npz", "--out", model]
    config = FOLDER | DOGS | {"sources": {"mine": str(model)}}
    draw = ["source", "--name", "mine", "--classes", "000-001", "--out", out]
    assert run(config, *take) == 0 and "classes" not in read_card(model)
    assert run(config, *draw) == 1
    message = capsys.readouterr().err
    assert "does not name the 10 classes" in message and "--classes" in message
    # By hand it is drawn by its own labels, and no name is claimed for its images.
    assert run(config, "sample", "--model", model, "--classes", "000-001", "--out", out) == 0
    assert open_shard(out).class_names is None

    (tmp_path / "names.txt").write_text("cow\ncat\n" + "\n".join(f"x{i}" for i in range(7)) + "\n")
    assert run(config, *take, "--classes", tmp_path / "names.txt") == 1
    assert "gives 9 different names, but" in capsys.readouterr().err
    names = ["cow", "cat", *(f"x{i}" for i in range(7)), "dog"]
    assert run(config, *take, "--classes", *names) == 0
    assert run(config, *draw) == 0
    shard, z = open_shard(out), latents(0, "evaluation", 0, 1, 6, None)
    expected = sngan_reference(weights, torch.tensor(z), torch.tensor([9]))[0].permute(1, 2, 0)
    expected = np.floor((expected.numpy() + 1) / 2 * 256).clip(0, 255)
    assert shard.class_names == {0: "dog", 1: "cat"}
    assert np.abs(shard.images[0] - expected).max() <= 1
    assert run(config | {"classes": ["dog", "cta"]}, *draw) == 1
    assert "lacks the classes cta, did you mean cat?" in capsys.readouterr().err


def test_stores_are_used_by_name(
    tmp_path: Path, run: Callable, capsys: pytest.CaptureFixture
) -> None:
    store(tmp_path / "s", ["cat", "dog"])
    draw = ["source", "--name", "mine", "--classes", "000-001", "--out", tmp_path / "out"]
    sources = {"sources": {"mine": str(tmp_path / "s")}}
    assert run(FOLDER | DOGS | sources, *draw) == 0
    shard = open_shard(tmp_path / "out")
    assert all(20 <= shade for shade in shades(shard)[:2]) and max(shades(shard)[2:]) < 20
    assert shard.class_names == {0: "dog", 1: "cat"}
    for classes, message in (
        (["dog", "cow"], "cat is not a class of the run"),
        (["dog", "cat", "cow"], "lacks the classes cow"),
    ):
        assert run(FOLDER | {"classes": classes} | sources, *draw) == 1
        error = capsys.readouterr().err
        assert message in error and "s has 2: cat, dog; the run has" in error
    store(tmp_path / "s", None)
    assert run(FOLDER | DOGS | sources, *draw) == 1
    assert 'add "class_names", such as {"0": "cat"' in capsys.readouterr().err


def test_a_folder_may_use_either_name_of_an_imagenet_class(tmp_path: Path, run: Callable) -> None:
    from PIL import Image

    for name, shade in (("n02123045", 10), ("golden retriever", 20)):
        (tmp_path / "d" / name).mkdir(parents=True)
        for row in range(2):
            Image.fromarray(pixels(shade)[0]).save(tmp_path / "d" / name / f"{row}.png")
    config = TABBY | {"classes": ["n02099601", "tabby"], "sources": {"mine": str(tmp_path / "d")}}
    draw = ["source", "--name", "mine", "--classes", "000-001", "--out", tmp_path / "out"]
    assert run(config, *draw) == 0
    assert shades(open_shard(tmp_path / "out")) == [20, 20, 10, 10]


# Animal-MNIST and the teachers.


@pytest.mark.parametrize("classes", [list(reversed(ANIMALS)), ["zebra", "cat", "dog"]])
def test_animal_mnist_is_chosen_by_name(tmp_path: Path, run: Callable, classes: list[str]) -> None:
    images, labels = small_set()
    wheel = write_wheel(tmp_path / "a.whl", images, labels)
    out = tmp_path / "real"
    assert run({"classes": classes}, "real", "--wheel", wheel, "--out", out) == 0
    found = [open_shard(folder) for folder in sorted(out.iterdir())]
    assert sum(len(shard.labels) for shard in found) == 3 * len(classes)
    for shard in found:
        for label, image in zip(shard.labels.tolist(), shard.images, strict=True):
            assert shard.class_names[label] == classes[label]
            of_class = images[labels == ANIMALS.index(classes[label])]
            assert any(np.array_equal(image[2:30, 2:30, 0], other) for other in of_class)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["cat", "lion"]}, "classes: Animal-MNIST lacks the classes lion"),
        ({"classes": ["cat", "zebar"]}, "did you mean zebra?"),
        ({"teacher": {"classes": ["cat", "dog"]}}, "teacher.classes: the teacher lacks the class"),
        ({"teacher": {"classes": "some"}}, "teacher.classes: unknown classes 'some'"),
        ({"teacher": {"classes": [*ANIMALS, "cat"]}}, "the teacher has the class cat twice"),
    ],
)
def test_classes_that_are_not_there_are_a_contradiction(change: dict, message: str) -> None:
    config = mini()
    teacher = config["teacher"] | change.get("teacher", {})
    with pytest.raises(configs.ConfigError) as caught:
        configs.validate(config | change | {"teacher": teacher})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "own", "count", "asked"),
    [
        # The shipped module knows Animal-MNIST's ten, whichever the run wants.
        ({"classes": ["zebra", "bear"]}, None, 10, [9, 0]),
        ({"classes": list(reversed(ANIMALS))}, None, 10, [9, 8]),
        ({"classes": ["zebra", "bear"]}, ["bear", "cow", "zebra"], 3, [2, 0]),
        (TABBY, None, 1000, [281, 207]),
        (TABBY, ["tench", "golden retriever", "tabby"], 3, [2, 1]),
        (FOLDER | DOGS, None, 2, [0, 1]),
        (FOLDER | DOGS, ["cow", "cat", "dog"], 3, [2, 1]),
        (FOLDER | {"classes": ["n02123045", "tench"]}, "all", 1000, [281, 0]),
    ],
)
def test_a_teacher_is_asked_by_name(
    tmp_path: Path,
    run: Callable,
    monkeypatch: pytest.MonkeyPatch,
    change: dict,
    own: list[str] | str | None,
    count: int,
    asked: list[int],
) -> None:
    calls = replace_module(monkeypatch, classes=count)
    changes = {"pairs_per_class": 2, "batch": 2} | ({"classes": own} if own else {})
    teacher = mini(teacher=changes)["teacher"]
    words = ["--split", "pairs", "--classes", "000-001", "--out", tmp_path / "shard"]
    assert run(change | {"teacher": teacher}, "harvest", *words) == 0
    assert calls[-2:] == [[label] * 2 for label in asked]
    assert open_shard(tmp_path / "shard").labels.tolist() == [0, 0, 1, 1]


def test_the_published_pytorch_file_needs_the_names_of_its_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinygan.teacher.biggan_pytorch import load_teacher

    monkeypatch.setattr(published_weights, "CLASSES", 1000)
    torch.save(biggan_weights(z_dim=128, classes=1000), tmp_path / "b.bin")
    sizes = {"z_dim": 128, "image_size": 128}
    with pytest.raises(ValueError, match="has ImageNet's 1000 classes.*`classes: all`"):
        load_teacher(str(tmp_path / "b.bin"), classes=2, **sizes)
    load_teacher(str(tmp_path / "b.bin"), classes=1000, **sizes)


# Training, features and scores.


def test_training_goes_by_the_names_of_pairs_and_real_images(
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
def test_a_student_of_another_order_is_drawn_and_scored_by_name(
    tmp_path: Path, run: Callable
) -> None:
    """Its curve and its images are those of the run that trained it, but for the z of a class."""
    pairs = store(tmp_path / "pairs", ["cat", "dog"], 128)
    real = store(tmp_path / "real", ["cat", "dog"])
    options = ["--pairs", pairs / "manifest.json", "--real", real / "manifest.json"]
    model = tmp_path / "m"
    assert run(FOLDER | CATS, "train", "--variant", "no_gan", *options, "--out", model) == 0
    asked = []

    def generator(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        asked.extend(y.tolist())
        images = torch.zeros(len(z), 3, 32, 32) + y[:, None, None, None] / 2
        images[:, 2] += z[:, :1, None] / 4  # images of a class differ
        return images

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinygan.generation.sampling.load_generator", lambda *_: generator)
        patch.setattr("tinygan.evaluation.curve.load_generator", lambda *_: generator)
        draw = ["sample", "--model", model, "--classes", "000-001", "--out", tmp_path / "out"]
        assert run(FOLDER | DOGS, *draw) == 0
        assert asked == [1, 1, 0, 0]
        shard = open_shard(tmp_path / "out")
        assert shard.labels.tolist() == [0, 0, 1, 1] and shades(shard) == [192, 192, 128, 128]
        made = ["features", "--images", real, "--out", tmp_path / "real.npz"]
        assert run(FOLDER | CATS, *made) == 0
        asked.clear()
        curve = ["--model", model, "--real", tmp_path / "real.npz", "--out", tmp_path / "c.csv"]
        changes = {"curve_samples_per_class": 3, "is_splits": 2, "input_size": 32}
        metrics = mini(metrics=changes)["metrics"]
        assert run(FOLDER | DOGS | {"metrics": metrics}, "curve", *curve) == 0
        assert asked == [1, 1, 1, 0, 0, 0]


def test_features_keep_the_names_and_refuse_classes_of_another_run(
    tmp_path: Path, run: Callable, capsys: pytest.CaptureFixture
) -> None:
    make = ["features", "--images", store(tmp_path / "s", ["cat", "dog"]), "--out", tmp_path / "f"]
    assert run(FOLDER | DOGS, *make[:-1], tmp_path / "f.npz") == 0
    assert read_features([tmp_path / "f.npz"]).class_names == {0: "cat", 1: "dog"}
    assert run(FOLDER | {"classes": ["cat", "cow"]}, *make) == 1
    assert "the run lacks the classes dog" in capsys.readouterr().err


def test_features_are_read_in_the_order_of_the_run(tmp_path: Path) -> None:
    made = replace(made_up([0, 1], 3), class_names={0: "cat", 1: "dog"})
    write_features(tmp_path / "f.npz", made)
    found = read_features([tmp_path / "f.npz"], ["dog", "cat"])
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1] and found.class_names == {0: "dog", 1: "cat"}
    order = [3, 4, 5, 0, 1, 2]
    np.testing.assert_array_equal(found.features, made.features[order])
    np.testing.assert_array_equal(found.logits, made.logits[order])
    with pytest.raises(ValueError, match="the compared features have different labels"):
        made.check_comparable(found)
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
    (tmp_path / "m").mkdir()
    write_json(tmp_path / "m" / "card.json", {"variant": "dw"})
    curve = ["--model", tmp_path / "m", "--real", tmp_path / "y.npz", "--out", tmp_path / "c.csv"]
    assert run(FOLDER | CATS, "curve", *curve) == 1
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
