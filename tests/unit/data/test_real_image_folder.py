"""Files of class folders become shards: crops against Pillow, odd files, levels, classes."""

import csv
import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import mini, real_files, tinygan
from helpers.crops_reference import lanczos, plain_biggan, plain_sngan
from helpers.image_files import odd_files, packed, pixels, write_folders
from PIL import Image

from tinygan.data.class_folders import open_class_folders
from tinygan.data.crops import TooSmall, crop_biggan, crop_of, crop_sngan
from tinygan.data.decode import decode
from tinygan.data.prepare import write_real
from tinygan.data.shards import open_shard
from tinygan.folders import entries_state

SIZES = [(256, 256), (257, 256), (256, 259), (301, 256), (500, 375), (333, 500), (1001, 300)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("size", [32, 128])
def test_the_biggan_crop_matches_its_definition(shape: tuple[int, int], size: int) -> None:
    rgb = pixels(0, *shape)
    found = np.asarray(crop_biggan(Image.fromarray(rgb), size))
    np.testing.assert_array_equal(found, plain_biggan(rgb, size))


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("quality", [None, 95])
def test_the_sngan_crop_matches_its_definition(
    tmp_path: Path, shape: tuple[int, int], quality: int | None
) -> None:
    rgb = pixels(0, *shape)
    found = np.asarray(crop_sngan(Image.fromarray(rgb), 128, quality))
    np.testing.assert_array_equal(found, plain_sngan(rgb, 128, quality, tmp_path))


def test_the_square_of_the_sngan_crop_is_lanczos() -> None:
    """At 256 px nothing else happens; the definition in float64 rounds a few pixels otherwise."""
    rgb = pixels(0, 333, 500)  # 333 wide
    found = np.asarray(crop_sngan(Image.fromarray(rgb), 256)).astype(int)
    across = lanczos(rgb.astype(float).transpose(1, 0, 2), 256)
    whole = lanczos(across.transpose(1, 0, 2), 384)
    difference = found - np.floor(whole.clip(0, 255) + 0.5)[64:320]
    assert abs(difference).max() <= 1 and np.mean(difference == 0) > 0.999


@pytest.mark.parametrize("chroma", ["4:4:4", "4:2:2", "4:2:0"])
def test_the_jpeg_of_the_sngan_crop_has_the_chroma_subsampling_of_the_file(
    tmp_path: Path, chroma: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(packed(pixels(0, 300, 280), quality=90, subsampling=chroma))
    rgb = np.asarray(Image.open(path))
    expected = plain_sngan(rgb, 128, 95, tmp_path, chroma)
    for file in (path, io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(np.asarray(crop_of("sngan", 128, 95)(file)), expected)


@pytest.mark.parametrize(("quality", "chroma"), [(95, "4:4:4"), (90, "4:4:4"), (89, "4:2:0")])
def test_a_file_without_chroma_subsampling_gets_that_of_the_quality(
    tmp_path: Path, quality: int, chroma: str
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(rgb := pixels(0, 300, 280)).save(path)
    found = np.asarray(crop_of("sngan", 128, quality)(path))
    np.testing.assert_array_equal(found, plain_sngan(rgb, 128, quality, tmp_path, chroma))


def test_the_jpeg_step_changes_pixels_a_little() -> None:
    image = Image.fromarray(pixels(0, 300, 400))
    with_jpeg, without = (np.asarray(crop_sngan(image, 128, q)).astype(int) for q in (95, None))
    assert 0 < np.abs(with_jpeg - without).max() < 16


@pytest.mark.parametrize("shape", [(255, 400), (400, 255)])
def test_the_sngan_crop_leaves_small_images_out(shape: tuple[int, int]) -> None:
    with pytest.raises(TooSmall, match="a side is shorter than 256"):
        crop_sngan(Image.fromarray(pixels(0, *shape)), 128)


def test_an_unknown_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of sngan, biggan"):
        crop_of("center", 32)


@pytest.mark.parametrize("name", list(odd_files()))
def test_odd_files_are_decoded_or_refused(name: str) -> None:
    content, expected = odd_files()[name]
    if isinstance(expected, str):
        reason = "cannot identify" if name == "empty.JPEG" else expected
        with pytest.raises(ValueError, match=reason):
            decode(io.BytesIO(content))
    else:
        found = np.asarray(decode(io.BytesIO(content)))
        assert found.shape == expected.shape
        # Pillow's product of two inks rounds differently by 1 at most; all else is exact.
        tolerance = 1 if name == "cmyk.JPEG" else 0
        assert np.abs(found.astype(int) - expected).max() <= tolerance


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"])
def test_damage_is_reported_in_every_format(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # a changed header may ask for gigabytes
    content = packed(pixels(0, 24, 20), form)

    def refused(damaged: bytes) -> bool:
        try:
            assert decode(io.BytesIO(damaged)).mode == "RGB"
        except ValueError as error:
            assert str(error)
            return True
        return False

    # The last bytes of some formats hold no pixels.
    assert all(refused(content[:cut]) for cut in range(0, len(content) - 32, 7))
    rng = np.random.default_rng(0)
    refusals = 0
    for _ in range(100):
        changed = bytearray(content)
        for place in rng.integers(0, min(len(content), 200), 3):
            changed[place] = rng.integers(256)
        refusals += refused(bytes(changed))
    assert refusals > 0


def files(count: int, seed: int = 0) -> dict[str, bytes]:
    return {f"{i}.png": packed(pixels(seed + i, 40, 36), "PNG") for i in range(count)}


def write(out: Path, root: Path, names: list[str], max_dropped: float = 0.0, crop="biggan") -> None:
    write_real(
        out,
        dict(enumerate(open_class_folders(root, names))),
        crop=crop_of(crop, 32),
        max_dropped=max_dropped,
        source="image_folder",
        provenance={},
    )


def test_class_folders_become_a_shard_in_the_order_of_the_classes(tmp_path: Path) -> None:
    classes = {"zebra": files(3), "ant": files(2, seed=10), "unused": files(1, seed=20)}
    root = write_folders(tmp_path / "data", classes)
    write(tmp_path / "out" / "000-001", root, ["zebra", "ant"])
    shard = open_shard(tmp_path / "out" / "000-001", verify=True)
    assert shard.labels.tolist() == [0, 0, 0, 1, 1]
    expected = [plain_biggan(pixels(seed, 40, 36), 32) for seed in (0, 1, 2, 10, 11)]
    np.testing.assert_array_equal(shard.images, expected)
    assert shard.manifest["provenance"]["dropped"] == {"too_small": 0, "unreadable": 0}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "000-001",
        "000-001.dropped.csv",
    ]


def test_dropped_files_are_listed_with_their_reasons(tmp_path: Path) -> None:
    odd = odd_files()
    bad = {name: why for name, (_, why) in odd.items() if isinstance(why, str)}
    root = write_folders(tmp_path / "data", {"a": {n: c for n, (c, _) in odd.items()}})
    out = tmp_path / "out" / "000-000"
    write(out, root, ["a"], max_dropped=len(bad) / len(odd))
    assert open_shard(out).images.shape[0] == len(odd) - len(bad)
    with open(tmp_path / "out" / "000-000.dropped.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["file"] for row in rows] == sorted(bad)
    for row in rows:
        assert row["class"] == "0" and bad[row["file"]] in row["reason"]


def test_too_many_dropped_files_are_an_error_and_no_shard(tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data", {"a": files(9) | {"bad.jpg": b"text"}})
    out = tmp_path / "out" / "000-000"
    with pytest.raises(ValueError, match=r"1 of 10 files cannot be read.*bad.jpg: cannot identify"):
        write(out, root, ["a"], max_dropped=0.09)
    assert not out.exists() and (tmp_path / "out" / "000-000.dropped.csv").exists()
    write(out, root, ["a"], max_dropped=0.1)
    assert len(open_shard(out).labels) == 9


def test_small_images_are_left_out_by_rule_and_do_not_count_as_unreadable(tmp_path: Path) -> None:
    large = {"large.png": packed(pixels(0, 260, 256), "PNG")}
    root = write_folders(tmp_path / "data", {"a": files(3) | large, "b": files(2)})
    out = tmp_path / "out" / "000-000"
    write(out, root, ["a"], crop="sngan")
    assert open_shard(out).manifest["provenance"]["dropped"] == {"too_small": 3, "unreadable": 0}
    with pytest.raises(ValueError, match=r"no images in the classes 1: .*\(5 too small"):
        write(tmp_path / "out" / "000-001", root, ["a", "b"], crop="sngan")


def test_an_empty_class_is_refused(tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data", {"a": files(1), "b": {}})
    with pytest.raises(ValueError, match="no images in the classes 1"):
        write(tmp_path / "out", root, ["a", "b"])


def test_wrong_folder_levels_and_missing_classes_are_refused(tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data" / "train", {"cat": files(1), "dog": files(1)})
    refused = partial(open_class_folders, names=["cat", "dog"])
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        refused(tmp_path / "none")
    with pytest.raises(ValueError, match="the classes are not in .*data but in .*train: give that"):
        refused(tmp_path / "data")
    with pytest.raises(ValueError, match=r"0.png directly in it.*give its parent, .*train"):
        refused(root / "cat")
    with pytest.raises(ValueError, match="lacks 1 of 2 classes: dogs; did you mean dog"):
        open_class_folders(root, ["cat", "dogs"])


def test_hidden_files_are_skipped(tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data", {"a": files(1) | {".DS_Store": b"x"}, ".git": {}})
    assert [name for name, _ in open_class_folders(root, ["a"])[0]()] == ["0.png"]


def test_the_fingerprint_of_a_folder_follows_its_class_folders(tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data", {"a": files(1)})
    before = entries_state(root)
    assert entries_state(root) == before
    (root / "a" / "more.png").write_bytes(b"")
    assert entries_state(root) != before
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        entries_state(tmp_path / "none")


def test_the_command_writes_the_shard_of_a_class_range(tmp_path: Path) -> None:
    root = write_folders(tmp_path / "data", {"a": files(2), "b": files(1), "c": files(1)})
    config = mini() | {"classes": ["a", "b", "c"], "real": real_files(root)}
    out = tmp_path / "out" / "001-002"
    options = ["--out", out, "--crop", "biggan", "--classes", "001-002"]
    assert tinygan(tmp_path, config, "real-shard", *options) == 0
    assert open_shard(out).labels.tolist() == [1, 2]
