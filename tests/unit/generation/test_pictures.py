"""Pictures by class name: which z and class they have, paths, files, and the shipped model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.paths import ROOT
from PIL import Image

from tinygan import load_generator
from tinygan.files import sha256
from tinygan.generation import shipped
from tinygan.generation.pictures import enlarge, grid, write_animation, write_png
from tinygan.generation.sampler import Sampler
from tinygan.models import io, sngan
from tinygan.models.pixels import to_uint8
from tinygan.seeding import stream, truncated_normal

ZEBRA = 9


@pytest.fixture(scope="module")
def mini() -> Sampler:
    return load_generator("mini-dw")


def expected(sampler: Sampler, z: np.ndarray, label: int) -> np.ndarray:
    """Return the images of 16 z, by the network as the pipeline loads it."""
    network = io.load_generator(sampler.folder)
    with torch.no_grad():
        return to_uint8(network(torch.from_numpy(z), torch.full((len(z),), label)))


def test_an_image_is_the_networks_own_for_its_z_and_class(mini: Sampler) -> None:
    z = truncated_normal(stream(5, "generate/z", ZEBRA), 16, 128, 0.8)
    zebras = mini.sample(["zebra"], n=16, seed=5)
    assert zebras.shape == (16, 32, 32, 3) and zebras.dtype == np.uint8
    assert np.array_equal(zebras, expected(mini, z, ZEBRA))
    narrow = mini.sample(["zebra"], n=16, seed=5, truncation=0.4)
    assert np.array_equal(narrow, expected(mini, z / 2, ZEBRA))


def test_an_image_depends_on_seed_class_and_number_alone(mini: Sampler) -> None:
    many = mini.sample(["cat", "zebra"], n=20, seed=1)
    assert np.array_equal(many[:20][:3], mini.sample([2], n=3, seed=1))
    assert np.array_equal(many[20:][:3], mini.sample(["9"], n=3, seed=1))
    assert len(np.unique(many, axis=0)) == 40
    assert not np.array_equal(many[:3], mini.sample(["cat"], n=3, seed=2))
    everything = mini.sample(n=1, seed=1)
    assert everything.shape[0] == 10 and np.array_equal(everything[[2, 9]], many[[0, 20]])
    pictures = mini.sample(["cat"], n=2, seed=1, as_pil=True)
    assert [picture.size for picture in pictures] == [(32, 32)] * 2
    assert np.array_equal(np.asarray(pictures[1]), many[1])


def test_paths_start_and_end_at_samples(mini: Sampler) -> None:
    paths = mini.interpolate("z", ["cat", "zebra"], n=2, steps=3, seed=4)
    assert paths.shape == (4, 4, 32, 32, 3)
    ends = mini.sample(["cat", "zebra"], n=4, seed=4)
    assert np.array_equal(paths[:, [0, -1]].reshape(ends.shape), ends)

    paths = mini.interpolate("class", ["cat", "zebra", "bear"], n=16, steps=2, seed=4)
    assert paths.shape == (16, 5, 32, 32, 3)
    z = truncated_normal(stream(4, "generate/z", 2), 16, 128, 0.8)
    for frame, label in ((0, 2), (2, ZEBRA), (4, 0)):
        assert np.array_equal(paths[:, frame], expected(mini, z, label))
    assert not any(np.array_equal(paths[:, 1], paths[:, frame]) for frame in (0, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ["zebre"]}, "mini-dw lacks the class zebre, did you mean zebra?"),
        ({"classes": ["10"]}, "mini-dw has no class 10: its indices are 0 to 9"),
        ({"classes": [-1]}, "mini-dw lacks the class -1"),
        ({"classes": "zebra"}, r"give a list, \['zebra'\]"),
        ({"classes": []}, "give a class or more"),
        ({"n": 0}, "the number of images is 0: it must be 1 or more"),
        ({"truncation": 0}, "truncation is 0: it must be a number above 0"),
        ({"truncation": float("nan")}, "truncation is nan"),
    ],
)
def test_wrong_requests_are_refused(mini: Sampler, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mini.sample(**options)


def test_wrong_paths_are_refused(mini: Sampler) -> None:
    with pytest.raises(ValueError, match="give two of them or more"):
        mini.interpolate("class", ["cat"])
    with pytest.raises(ValueError, match="y: interpolate between z or class"):
        mini.interpolate("y")
    with pytest.raises(ValueError, match="steps is 0"):
        mini.interpolate("z", steps=0)


def test_a_model_without_names_has_indices_and_its_own_range_of_z_and_pixels(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    recipe = {"channels": 2, "classes": 3, "image_size": 32, "z_dim": 6}
    network = sngan.Generator(**recipe).eval()
    io.save_weights(network, tmp_path / "generator.safetensors")
    card = {"generator": recipe | {"architecture": "sngan"}, "truncation": None}
    io.save_card(tmp_path, card)
    sampler = load_generator(tmp_path)
    assert sampler.classes == ["0", "1", "2"]
    z = stream(0, "generate/z", 1).standard_normal((16, 6), dtype=np.float32)
    with torch.no_grad():
        images = sampler.network(torch.from_numpy(z), torch.ones(16, dtype=torch.int64))
    assert np.array_equal(sampler.sample([1], n=16), to_uint8(images, 127.5))


def test_tiles_of_a_grid_are_the_images_each_pixel_enlarged(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    write_png(tmp_path / "grid.png", grid(enlarge(images, 2), columns=3))
    found = np.asarray(Image.open(tmp_path / "grid.png"))
    assert found.shape == (16, 30, 3)
    for i, image in enumerate(images):
        top, left = 8 * (i // 3), 10 * (i % 3)
        tile = found[top : top + 8, left : left + 10]
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            assert np.array_equal(tile[dy::2, dx::2], image)


def test_animations_have_all_frames(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 1), dtype=np.uint8)
    colour = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    cases = (("a.gif", grey.repeat(3, -1)), ("b.webp", grey.repeat(3, -1)), ("c.webp", colour))
    for name, frames in cases:
        write_animation(tmp_path / name, frames)
        with Image.open(tmp_path / name) as file:
            assert file.n_frames == 4 and file.info["loop"] == 0
            for i, frame in enumerate(frames):
                file.seek(i)
                assert np.array_equal(np.asarray(file.convert("RGB")), frame), (name, i)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "b.webp", "c.webp"]


def test_the_shipped_model_is_small_and_is_what_its_pages_say() -> None:
    folder = shipped.model_folder("mini-dw")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1e6
    card = json.loads((folder / "card.json").read_text())
    assert card["sha256"] == sha256(folder / "generator.safetensors")
    page = (folder / "README.md").read_text()
    assert f"{card['parameters']:,} parameters" in page
    assert f"| {card['train']['steps']:,}, of" in page and ", ".join(card["classes"]) in page


def test_a_model_is_a_folder_or_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shipped.model_folder(tmp_path) == tmp_path
    with pytest.raises(FileNotFoundError, match="is not a model: it has no card.json"):
        load_generator(tmp_path)
    with pytest.raises(FileNotFoundError, match="mini_dw is neither .*; did you mean mini-dw?"):
        load_generator("mini_dw")
    with pytest.raises(FileNotFoundError, match="xyz is neither .*; shipped are: mini-dw"):
        load_generator("xyz")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="a wheel does not have it; clone the repository"):
        load_generator("mini-dw")


def test_importing_the_package_does_not_import_pytorch() -> None:
    code = "import sys, tinygan; assert 'torch' not in sys.modules; tinygan.load_generator"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(ImportError):
        from tinygan import load_generatr  # noqa: F401


def test_the_quickstart_draws_two_rows(mini: Sampler, tmp_path: Path) -> None:
    script = ROOT / "examples" / "quickstart.py"
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "mini-dw draws: bear, bird, cat" in done.stdout
    images = enlarge(mini.sample(["zebra", "giraffe"]), 2)
    found = np.asarray(Image.open(tmp_path / "quickstart.png"))
    assert found.shape == (128, 512, 3)
    assert np.array_equal(found[64:, :64], images[8])
