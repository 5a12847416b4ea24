"""ImageNet: every format gives the same shard, wrong folder levels are refused."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import mini, real_files, tinygan
from helpers.crops_reference import has_magick, magick_sngan, plain_biggan, plain_sngan
from helpers.image_files import (
    WNIDS,
    odd_files,
    packed,
    pixels,
    write_folders,
    write_nested,
    write_tars,
)
from helpers.paths import PHOTOGRAPHS
from PIL import Image

from tinygan.classes.imagenet import imagenet_names, wnid_of_name
from tinygan.config.read import ConfigError
from tinygan.data.crops import crop_biggan, crop_of, crop_sngan
from tinygan.data.decode import decode, subsampling_of
from tinygan.data.real.imagenet import open_imagenet
from tinygan.data.shards import open_shard
from tinygan.files import sha256
from tinygan.planning import run as configs


@pytest.fixture(scope="module")
def classes() -> dict[str, dict[str, bytes]]:
    return {
        wnid: {
            f"{wnid}_{n}.JPEG": packed(pixels(10 * i + n, 300, 280), quality=90)
            for n in (7, 10, 123)
        }
        for i, wnid in enumerate(WNIDS)
    }


@pytest.fixture
def base() -> dict:
    """The mini config with ImageNet as its source."""
    return mini() | {"classes": list(WNIDS), "real": real_files("none", "imagenet")}


def prepare(base: dict, path: Path, out: Path, crop: str = "biggan", classes: str = "000-002"):
    config = base | {"real": base["real"] | {"path": str(path)}}
    out.parent.mkdir(exist_ok=True)
    options = ["--out", out, "--crop", crop, "--classes", classes]
    return tinygan(out.parent, config, "real-shard", *options)


@pytest.mark.parametrize("crop", ["sngan", "biggan"])
def test_nested_tar_class_tars_and_class_folders_give_the_same_shard(
    tmp_path: Path, base: dict, classes: dict[str, dict[str, bytes]], crop: str
) -> None:
    base["real"]["jpeg_quality"] = 95
    forms = {
        "nested": write_nested(tmp_path / "ILSVRC2012_img_train.tar", classes),
        "tars": write_tars(tmp_path / "tars", classes),
        "folders": write_folders(tmp_path / "folders", classes),
    }
    hashes = set()
    for name, path in forms.items():
        out = tmp_path / "out" / name
        assert prepare(base, path, out, crop) == 0
        hashes.add((sha256(out / "images.npy"), sha256(out / "manifest.json")))
    assert len(hashes) == 1
    shard = open_shard(out, verify=True)
    assert shard.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    # In order of name: _10, _123, _7.
    for i, wnid in enumerate(WNIDS):
        for row, n in enumerate((10, 123, 7)):
            path = forms["folders"] / wnid / f"{wnid}_{n}.JPEG"
            rgb = np.asarray(Image.open(path))
            biggan = crop == "biggan"
            # The files are 4:2:0, as Pillow writes JPEG by default.
            sngan = partial(plain_sngan, rgb, 32, 95, tmp_path, "4:2:0")
            plain = plain_biggan(rgb, 32) if biggan else sngan()
            np.testing.assert_array_equal(shard.images[3 * i + row], plain)


def test_images_of_a_class_do_not_depend_on_the_class_ranges(
    tmp_path: Path, base: dict, classes: dict[str, dict[str, bytes]]
) -> None:
    path = write_nested(tmp_path / "train.tar", classes)
    assert prepare(base, path, tmp_path / "whole") == 0
    whole = open_shard(tmp_path / "whole")
    for label in range(3):
        out = tmp_path / f"part{label}"
        assert prepare(base, path, out, classes=f"{label:03d}-{label:03d}") == 0
        part = open_shard(out)
        assert set(part.labels.tolist()) == {label}
        np.testing.assert_array_equal(part.images, whole.images[whole.labels == label])


def test_the_order_of_the_config_gives_the_labels(
    tmp_path: Path, base: dict, classes: dict[str, dict[str, bytes]]
) -> None:
    root = write_folders(tmp_path / "folders", classes)
    assert prepare(base, root, tmp_path / "a") == 0
    base["classes"] = ["goldfish", 0, "n02105855"]
    assert prepare(base, root, tmp_path / "b") == 0
    a, b = open_shard(tmp_path / "a"), open_shard(tmp_path / "b")
    np.testing.assert_array_equal(b.images[:3], a.images[3:6])
    np.testing.assert_array_equal(b.images[3:6], a.images[:3])


def test_a_png_and_other_odd_files_of_a_tar_are_handled(
    tmp_path: Path, base: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {name: content for name, (content, _) in odd_files().items()}
    path = write_nested(tmp_path / "train.tar", {WNIDS[0]: odd})
    base["classes"] = WNIDS[:1]
    out = tmp_path / "out"
    assert prepare(base, path, out, classes="000-000") == 1
    assert "5 of 11 files cannot be read, more than the fraction" in capsys.readouterr().err
    base["real"]["max_dropped"] = 0.5
    assert prepare(base, path, out, classes="000-000") == 0
    assert len(open_shard(out).labels) == 6
    assert len((tmp_path / "out.dropped.csv").read_text().splitlines()) == 1 + 5


def refusal(path: Path, wnids: list[str] = WNIDS) -> str:
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        open_imagenet(path, wnids)
    return str(caught.value)


def test_wrong_folder_levels_are_refused(
    tmp_path: Path, classes: dict[str, dict[str, bytes]]
) -> None:
    folders = write_folders(tmp_path / "up" / "train", classes)
    tars = write_tars(tmp_path / "upper" / "tars", classes)
    assert "there is no" in refusal(tmp_path / "none")
    assert f"but in {folders}: give that" in refusal(tmp_path / "up")
    assert f"but in {tars}: give that" in refusal(tmp_path / "upper")
    assert "directly in it" in refusal(folders / WNIDS[0])
    assert "it is the tar of one class" in refusal(tars / f"{WNIDS[0]}.tar")
    other = write_nested(tmp_path / "other.tar", {"outer": {}})
    assert "has outer, which is not a WNID" in refusal(other)
    assert "lacks 3 of 3 classes" in refusal(write_folders(tmp_path, {"empty": {}}) / "empty")


def test_missing_unknown_and_repeated_classes_are_refused(
    tmp_path: Path, classes: dict[str, dict[str, bytes]]
) -> None:
    folders = write_folders(tmp_path / "folders", classes)
    assert "lacks 1 of 1 classes: n02655020" in refusal(folders, ["n02655020"])
    (folders / "n00000001").mkdir()
    assert "has n00000001, which is not a WNID" in refusal(folders)
    (folders / "n00000001").rmdir()
    write_tars(tmp_path / "more", {WNIDS[0]: {}})
    (tmp_path / "more" / f"{WNIDS[0]}.tar").rename(folders / f"{WNIDS[0]}.tar")
    assert "as a tar and as a folder" in refusal(folders)


def test_damaged_tars_are_refused(tmp_path: Path, classes: dict[str, dict[str, bytes]]) -> None:
    nested = write_nested(tmp_path / "train.tar", classes)
    content = nested.read_bytes()
    nested.write_bytes(content[: len(content) // 2])
    assert "is not an uncompressed tar, or damaged (unexpected end of data)" in refusal(nested)
    (tmp_path / "text.tar").write_text("not a tar")
    assert "is not an uncompressed tar, or damaged" in refusal(tmp_path / "text.tar")
    tars = write_tars(tmp_path / "tars", classes)
    tar = tars / f"{WNIDS[0]}.tar"
    tar.write_bytes(tar.read_bytes()[:2000])
    with pytest.raises(ValueError, match="is not a class tar, or damaged"):
        list(open_imagenet(tars, WNIDS)[0]())


def test_an_empty_class_is_an_error(
    tmp_path: Path,
    base: dict,
    classes: dict[str, dict[str, bytes]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_nested(tmp_path / "train.tar", classes | {WNIDS[1]: {}})
    assert prepare(base, path, tmp_path / "out") == 1
    assert "no images in the classes 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_imagenet_has_a_thousand_classes_in_order_of_wnid() -> None:
    names, wnids = list(wnid_of_name()), list(wnid_of_name().values())
    assert len(names) == len(set(wnids)) == 1000 and wnids == sorted(wnids)
    assert (names[0], wnids[0]) == ("tench", "n01440764")
    assert wnids[397] == "n02655020" and names[999] == "toilet tissue"
    assert imagenet_names("animals") == names[:398] and imagenet_names("all") == names
    assert imagenet_names([397, "n01440764", "goldfish"]) == [names[397], "tench", "goldfish"]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("plants", "unknown classes 'plants': use animals, all, or a list"),
        (["n99999999"], "'n99999999' is neither a WNID nor the name of an ImageNet class"),
        (["goldfisch"], "did you mean goldfish?"),
        ([1000], "index 1000 is outside 0..999"),
        ([-1], "index -1 is outside 0..999"),
        ([0, "tench"], "classes: tench is listed more than once"),
    ],
)
def test_classes_that_imagenet_lacks_are_refused(base: dict, classes: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configs.validate(base | {"classes": classes})
    assert message in str(caught.value)


@pytest.mark.parametrize("classes", ["animals", [0, 1]])
def test_names_of_subsets_and_indices_are_for_imagenet_only(base: dict, classes: object) -> None:
    config = base | {"classes": classes, "real": base["real"] | {"source": "image_folder"}}
    with pytest.raises(ConfigError, match="can be used for ImageNet only"):
        configs.validate(config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": None}, "config: missing key real.crop"),
        (
            {"path": None},
            "config: missing key real.path, which imagenet needs: give the path of its images",
        ),
        ({"crop": "center"}, "real.crop: 'center' is not one of ['sngan', 'biggan']"),
        ({"max_dropped": 2}, "real.max_dropped: 2 is greater than the maximum"),
        ({"jpeg_quality": 0}, "real.jpeg_quality: 0 is less than the minimum"),
        ({"train_crop": "none"}, "real.train_crop: 'none' is not one of"),
        ({"cropp": "biggan"}, "unknown key real.cropp; did you mean real.crop?"),
    ],
)
def test_bad_settings_of_real_images_are_refused(base: dict, change: dict, message: str) -> None:
    real = {key: value for key, value in (base["real"] | change).items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        configs.validate(base | {"real": real})
    assert message in str(caught.value)


def test_image_sizes_that_cannot_be_prepared_are_refused(base: dict) -> None:
    with pytest.raises(ConfigError, match="imagenet can be prepared at 32 to 256 px"):
        configs.validate(base | {"image_size": 512})


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the ImageNet sample is not here")
def test_both_crops_of_photographs_match_their_definitions(tmp_path: Path) -> None:
    files = sorted((PHOTOGRAPHS / "train").rglob("*.JPEG"))[:12]
    assert len(files) == 12
    for path in files:
        rgb = np.asarray(Image.open(path).convert("RGB"))
        image = decode(path)
        np.testing.assert_array_equal(np.asarray(crop_biggan(image, 128)), plain_biggan(rgb, 128))
        if min(image.size) >= 256:
            found = np.asarray(crop_sngan(image, 128, 95))
            np.testing.assert_array_equal(found, plain_sngan(rgb, 128, 95, tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the ImageNet sample is not here")
@pytest.mark.skipif(not has_magick(), reason="ImageMagick is not installed")
def test_the_sngan_crop_is_that_of_imagemagick(tmp_path: Path) -> None:
    """At least 99 % of the pixels within a level, for both kinds of chroma subsampling."""
    crop, close = crop_of("sngan", 128, 95), {"4:4:4": [], "4:2:0": []}
    for path in sorted((PHOTOGRAPHS / "train").rglob("*.JPEG")):
        if min(Image.open(path).size) >= 256:
            difference = np.asarray(crop(path)).astype(int) - magick_sngan(path, 128, tmp_path)
            close[subsampling_of(path)].append(np.mean(abs(difference) <= 1))
    assert len(close["4:4:4"]) == 82 and len(close["4:2:0"]) == 27
    assert all(np.mean(shares) > 0.99 for shares in close.values())


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the ImageNet sample is not here")
def test_photographs_are_prepared_by_wnid(tmp_path: Path, base: dict) -> None:
    base["classes"] = sorted(path.name for path in (PHOTOGRAPHS / "train").iterdir())[:4]
    assert prepare(base, PHOTOGRAPHS / "train", tmp_path / "out", classes="000-003") == 0
    shard = open_shard(tmp_path / "out")
    assert shard.labels.tolist() == [0, 1, 2, 3] and shard.images.shape == (4, 32, 32, 3)
