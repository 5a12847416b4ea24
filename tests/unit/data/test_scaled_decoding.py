"""Scaled decoding of JPEGs: off by default, and how far its images are from the exact ones."""

import io
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import mini, real_files, tinygan
from helpers.image_files import packed, pixels, write_folders
from helpers.paths import PHOTOGRAPHS

from tinygan.data.crops import crop_of
from tinygan.data.decode import decode_scaled
from tinygan.data.shards import open_shard


def difference(content: bytes, size: int) -> np.ndarray:
    """Return |with draft - without| of the `biggan` crop."""
    exact, draft = (
        np.asarray(crop_of("biggan", size, draft=on)(io.BytesIO(content))).astype(int)
        for on in (False, True)
    )
    return np.abs(exact - draft)


@pytest.mark.parametrize(
    ("smallest", "size"),
    [(None, (501, 403)), (202, (501, 403)), (201, (251, 202)), (100, (126, 101)), (9, (63, 51))],
)
def test_no_side_becomes_smaller_than_the_smallest(
    smallest: int | None, size: tuple[int, int]
) -> None:
    content = packed(pixels(0, 501, 403), quality=90)
    image, full = decode_scaled(io.BytesIO(content), smallest)
    assert (image.size, full, image.mode) == (size, (501, 403), "RGB")


@pytest.mark.parametrize("shape", [(256, 256), (501, 403), (333, 505), (517, 1001)])
@pytest.mark.parametrize("size", [32, 128])
def test_the_crop_of_a_scaled_image_is_at_the_exact_position(
    shape: tuple[int, int], size: int
) -> None:
    width, height = shape
    # A slope in x and one in y: a shift by half a pixel of 1/2 the size would be seen.
    x, y = np.meshgrid(np.arange(width) * 255 / width, np.arange(height) * 255 / height)
    slopes = np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)
    found = difference(packed(slopes, quality=95, subsampling=0), size)
    assert found.mean() < 0.7 and found.max() <= 2


def test_smooth_images_differ_little() -> None:
    found = difference(packed(pixels(0, 500, 375), quality=90), 128)
    assert 0 < found.mean() < 0.5 and found.max() <= 4


@pytest.mark.parametrize(("form", "shape"), [("JPEG", (500, 255)), ("PNG", (600, 500))])
def test_other_images_are_decoded_exactly(form: str, shape: tuple[int, int]) -> None:
    assert not difference(packed(pixels(0, *shape), form), 128).any()


@pytest.mark.parametrize(("crop", "scaled"), [("biggan", True), ("sngan", False)])
def test_a_shard_records_scaled_decoding(tmp_path: Path, crop: str, scaled: bool) -> None:
    write_folders(tmp_path / "data", {"cat": {"0.jpg": packed(pixels(0, 600, 520))}})
    shards = {}
    for draft in (None, False, True):
        changes = {"crop": crop} | ({} if draft is None else {"draft": draft})
        real = real_files(tmp_path / "data", **changes)
        options = ["--crop", crop, "--classes", "000-000", "--out", tmp_path / str(draft)]
        config = mini() | {"classes": ["cat"], "real": real}
        assert tinygan(tmp_path, config, "real-shard", *options) == 0
        shards[draft] = open_shard(tmp_path / str(draft))
    assert shards[None].manifest == shards[False].manifest
    assert "draft" not in shards[None].manifest["provenance"]
    assert (shards[True].manifest != shards[None].manifest) == scaled
    assert shards[True].manifest["provenance"].get("draft", False) == scaled


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the ImageNet sample is not here")
def test_photographs_differ_as_documented() -> None:
    files = sorted((PHOTOGRAPHS / "train").rglob("*.JPEG"))
    found = [difference(path.read_bytes(), 128) for path in files]
    assert np.mean([image.mean() for image in found]) < 1.2
    assert max(image.max() for image in found) <= 48
