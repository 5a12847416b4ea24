"""External images, weights and teachers are used by the names of their classes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import published_weights
from helpers.animal_mnist import small_set, write_wheel
from helpers.class_stores import DOGS, FOLDER, TABBY, WNIDS, pixels, shades, store
from helpers.command_line import mini
from helpers.published_forward import sngan_reference
from helpers.published_weights import biggan_weights, sngan_file, tinygan_file
from helpers.teachers import replace_module

from tinygan.data.real.animal_mnist import CLASSES as ANIMALS
from tinygan.data.shards import open_shard
from tinygan.models.io import read_card
from tinygan.planning import run as configs
from tinygan.seeding import latents


def test_an_imagenet_model_is_sampled_at_the_labels_of_the_wnids(
    tmp_path: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_weights, "CLASSES", 1000)
    weights = sngan_file(tmp_path / "g.npz")
    model = tmp_path / "model"
    assert run({}, "import-sngan", tmp_path / "g.npz", "--out", model) == 0
    assert read_card(model)["classes"] == WNIDS
    sources = {"sources": {"theirs": str(model)}}
    for classes, words in (
        (["n02123045", "n02099601"], ["source", "--name", "theirs"]),
        (["tabby", 207], ["sample", "--model", model]),
    ):
        out = tmp_path / words[0]
        config = TABBY | sources | {"classes": classes}
        assert run(config, *words, "--classes", "000-001", "--images", out) == 0
        shard = open_shard(out)
        assert shard.class_names == {0: "n02123045", 1: "n02099601"}
        assert shard.labels.tolist() == [0, 0, 1, 1]
        # The z of a class follows from its index in the run, as the teacher's does.
        z = np.concatenate([latents(0, "evaluation", label, 2, 6, None) for label in (0, 1)])
        expected = sngan_reference(weights, torch.tensor(z), torch.tensor([281, 281, 207, 207]))
        expected = np.floor((expected.permute(0, 2, 3, 1).numpy() + 1) / 2 * 256).clip(0, 255)
        assert np.abs(shard.images - expected).max() <= 1


def test_the_authors_tinygan_has_the_animals_of_imagenet(
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
    draw = ["source", "--name", "mine", "--classes", "000-001", "--images", out]
    assert run(config, *take) == 0 and "classes" not in read_card(model)
    assert run(config, *draw) == 1
    message = capsys.readouterr().err
    assert "does not name the 10 classes" in message and "--classes" in message
    # By hand it is drawn by its own labels, and no name is claimed for its images.
    assert run(config, "sample", "--model", model, "--classes", "000-001", "--images", out) == 0
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
    draw = ["source", "--name", "mine", "--classes", "000-001", "--images", tmp_path / "out"]
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
    draw = ["source", "--name", "mine", "--classes", "000-001", "--images", tmp_path / "out"]
    assert run(config, *draw) == 0
    assert shades(open_shard(tmp_path / "out")) == [20, 20, 10, 10]


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
def test_unknown_classes_are_a_config_error(change: dict, message: str) -> None:
    config = mini()
    teacher = config["teacher"] | change.get("teacher", {})
    with pytest.raises(configs.ConfigError) as caught:
        configs.validate(config | change | {"teacher": teacher})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "own", "count", "expected"),
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
def test_a_teacher_gets_the_labels_of_the_class_names(
    tmp_path: Path,
    run: Callable,
    monkeypatch: pytest.MonkeyPatch,
    change: dict,
    own: list[str] | str | None,
    count: int,
    expected: list[int],
) -> None:
    calls = replace_module(monkeypatch, classes=count)
    changes = {"pairs_per_class": 2, "batch": 2} | ({"classes": own} if own else {})
    teacher = mini(teacher=changes)["teacher"]
    words = ["--split", "pairs", "--classes", "000-001", "--out", tmp_path / "shard"]
    assert run(change | {"teacher": teacher}, "harvest", *words) == 0
    assert calls[-2:] == [[label] * 2 for label in expected]
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
