"""External images: what is read, and what is refused and how."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.command_line import mini, tinygan
from helpers.published_weights import sngan_file
from PIL import Image

from tinygan.cli import main
from tinygan.data.shards import open_shard, write_shard
from tinygan.evaluation.sources import read_source
from tinygan.folders import folder_state
from tinygan.generation.sampling import draw_model
from tinygan.models.io import read_card
from tinygan.planning import run as configs

NAMES = ["bear", "bird", "cat"]
SIDE, COUNT = 8, 5


def pixels(label: int, row: int) -> np.ndarray:
    rng = np.random.default_rng([label, row])
    return rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of five images each, named so that their order is that of `pixels`."""
    for label, name in enumerate(NAMES):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for row in range(COUNT):
            file = tmp_path / "pictures" / name / f"{row}.png"
            Image.fromarray(pixels(label, row)).save(file)
    return tmp_path / "pictures"


def read(folder: Path, classes: range = range(3), count: int = COUNT, **changes: object):
    settings = {"image_size": SIDE, "seed": 0, "batch": 2} | changes
    rows, provenance = read_source(folder, NAMES, classes, count, **settings)
    images, labels = zip(*rows, strict=True)
    return np.concatenate(images), np.concatenate(labels), provenance


def test_a_folder_is_read_in_order_of_class_and_name(folder: Path) -> None:
    (folder / ".DS_Store").touch()
    images, labels, provenance = read(folder)
    expected = [pixels(label, row) for label in range(3) for row in range(COUNT)]
    assert np.array_equal(images, expected) and images.dtype == np.uint8
    assert labels.tolist() == [0] * COUNT + [1] * COUNT + [2] * COUNT
    assert provenance == {"seed": 0}


def test_grey_and_jpeg_are_read(folder: Path) -> None:
    grey = pixels(0, 0)[:, :, 0]
    Image.fromarray(grey).save(folder / "bear" / "0.png")
    Image.fromarray(pixels(0, 1)).save(folder / "bear" / "1.jpg")
    (folder / "bear" / "1.png").unlink()
    images, _, _ = read(folder, range(1))
    assert np.array_equal(images[0], np.stack([grey] * 3, axis=2))
    assert np.array_equal(images[1], np.asarray(Image.open(folder / "bear" / "1.jpg")))


def test_a_choice_depends_on_the_seed_and_not_on_the_class_ranges(folder: Path) -> None:
    images, labels, _ = read(folder, count=3)
    parts = [read(folder, range(label, label + 1), count=3)[0] for label in range(3)]
    assert np.array_equal(images, np.concatenate(parts)) and len(labels) == 9
    others = [read(folder, count=3, seed=seed)[0] for seed in range(1, 6)]
    assert any(not np.array_equal(images, other) for other in others)
    everything = [pixels(0, row).tobytes() for row in range(COUNT)]
    chosen = [everything.index(image.tobytes()) for image in images[:3]]
    assert chosen == sorted(set(chosen))


def test_a_shard_store_gives_the_same_images(folder: Path, tmp_path: Path) -> None:
    images, labels, _ = read(folder)
    cut = labels < 2
    about = {"source": "x", "provenance": {}, "names": NAMES}
    write_shard(tmp_path / "store/a", images[cut], labels[cut], **about)
    write_shard(tmp_path / "store/b", images[~cut], labels[~cut], **about)
    for count in (COUNT, 3):
        again, same, _ = read(tmp_path / "store", count=count)
        direct = read(folder, count=count)
        assert np.array_equal(again, direct[0]) and np.array_equal(same, direct[1])
    alone, _, _ = read(tmp_path / "store", range(1, 2))
    assert np.array_equal(alone, images[COUNT : 2 * COUNT])
    with pytest.raises(ValueError, match=r"a lacks the classes cat .*/a has 2: bear, bird; the"):
        read(tmp_path / "store" / "a")
    with pytest.raises(ValueError, match=r"class 2 \(cat\) has 5 images, but .* is 6"):
        read(tmp_path / "store", range(2, 3), COUNT + 1)
    with pytest.raises(ValueError, match="8 x 8 px, but the run's image_size is 16; resize"):
        read(tmp_path / "store", image_size=16)
    write_shard(tmp_path / "store/c", images[:1], np.array([3]), **about | {"names": {3: "cow"}})
    with pytest.raises(ValueError, match="cow is not a class of the run.* 4: bear"):
        read(tmp_path / "store")


def test_a_model_is_sampled(folder: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)  # as the command does: two may sum in another order
    sngan_file(tmp_path / "g.npz")
    model = tmp_path / "model"
    names = [*NAMES, *(f"other{i}" for i in range(7))]
    take = ["import-sngan", str(tmp_path / "g.npz"), "--out", str(model)]
    assert main([*take, "--classes", *names]) == 0
    images, labels, provenance = read(model, range(1, 3), image_size=32)
    drawn, _ = draw_model(model, range(1, 3), COUNT, seed=0, batch=2)
    expected, same, _ = map(np.concatenate, zip(*drawn, strict=True))
    assert np.array_equal(images, expected) and np.array_equal(labels, same)
    assert provenance["generator"] == read_card(model)["sha256"]
    with pytest.raises(ValueError, match="32 x 32 px, but the run's image_size is 8"):
        read(model)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "bird").rename(f / "brid"), "brid is not a class .* mean bird"),
        (lambda f: shutil.rmtree(f / "bird"), "lacks folders for the classes bird"),
        (lambda f: (f / "extra.png").touch(), "extra.png beside the class folders"),
        (lambda f: (f / "cat" / "0.png").write_text("text"), "0.png cannot be read as an image"),
        (lambda f: _truncate(f / "cat" / "1.png"), "1.png cannot be read as an image"),
        (lambda f: (f / "cat" / "2.png").unlink(), r"class 2 \(cat\) has 4 images, but .* is 5"),
        (
            lambda f: Image.new("RGB", (SIDE, 9)).save(f / "cat" / "3.png"),
            "3.png: 8 x 9 px, but the run's image_size is 8; resize the images first",
        ),
        (
            lambda f: Image.new("RGBA", (8, 8)).save(f / "cat" / "3.png"),
            "3.png cannot be read as an image .it has transparent pixels",
        ),
        (
            lambda f: Image.new("I;16", (8, 8)).save(f / "cat" / "3.png"),
            "3.png cannot be read as an image .it has more than 8 bits",
        ),
    ],
)
def test_a_bad_folder_is_refused(
    folder: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(folder)
    with pytest.raises(ValueError, match=message):
        read(folder)


def test_a_missing_folder_or_class_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent: there is no such folder"):
        read(tmp_path / "absent")
    with pytest.raises(ValueError, match="class 3 is requested, but the config names 3"):
        read(folder, range(2, 4))


def test_the_fingerprint_of_a_folder_changes_with_its_files(folder: Path) -> None:
    def state() -> str:
        folder_state.cache_clear()
        return folder_state(folder)

    first = state()
    assert state() == first
    (folder / "cat" / "0.png").rename(folder / "cat" / "9.png")
    renamed = state()
    (folder / "cat" / "9.png").write_bytes(b"other")
    assert len({first, renamed, state()}) == 3
    with pytest.raises(FileNotFoundError, match="no folder"):
        folder_state(folder / "absent")


# The config and the subcommand.


@pytest.fixture
def config() -> dict:
    return mini()


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"dw": "x"}, "config: sources.dw: dw is the name of a variant; choose another name"),
        ({"My-Own": "x"}, "sources: 'My-Own' cannot be a name; use lower-case letters"),
        ({"mine": 3}, "sources.mine: 3 is not of type 'string'"),
        ({"mine": ""}, "sources.mine: ''"),
        (["x"], "sources: ['x'] is not of type 'object'"),
    ],
)
def test_a_bad_entry_is_refused(config: dict, sources: object, message: str) -> None:
    with pytest.raises(configs.ConfigError) as caught:
        configs.validate(config | {"sources": sources})
    assert message in str(caught.value)


def test_sources_may_be_named_like_a_baseline_or_left_out(
    config: dict,
) -> None:
    configs.validate(config | {"sources": {"sngan": "a/b", "my_gan2": "/c"}})
    del config["sources"]
    configs.validate(config)


def test_a_url_is_refused_for_kind_torch(config: dict) -> None:
    config["teacher"] |= {"handle": "https://tfhub.dev/a/b/1", "sha256": "0" * 64}
    configs.validate(config)
    config["teacher"] |= {"kind": "torch"}
    with pytest.raises(configs.ConfigError, match="teacher.handle: https.* is a URL"):
        configs.validate(config)


def test_the_subcommand_writes_a_shard(
    tmp_path: Path, folder: Path, config: dict, capsys: pytest.CaptureFixture
) -> None:
    config |= {"classes": NAMES, "image_size": 32, "sources": {"mine": str(folder)}}
    config["metrics"] |= {"samples_per_class": 2, "is_splits": 2, "jackknife_groups": 2}
    for file in folder.rglob("*.png"):
        Image.open(file).resize((32, 32)).save(file)
    out = tmp_path / "out"
    words = ["source", "--classes", "001-002", "--images", out, "--name"]
    assert tinygan(tmp_path, config, *words, "mine") == 0
    shard = open_shard(out, verify=True)
    assert shard.manifest["source"] == "mine" and shard.manifest["classes"] == {"1": 2, "2": 2}
    assert tinygan(tmp_path, config, *words, "yours") == 1
    assert "yours is not under sources (mine)" in capsys.readouterr().err
