"""One policy for folders of images: every command reads the same images in the same order."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.image_files import write_tars
from helpers.nasty_folder import CAFE, CLASSES, EXPECTED, SIDE, image_bytes

from tinygan.data.class_folders import open_class_folders
from tinygan.data.crops import crop_of
from tinygan.data.image_folders import first_level, is_image, list_images, printable
from tinygan.data.prepare import write_real
from tinygan.data.real.imagenet import open_imagenet
from tinygan.data.shards import open_shard
from tinygan.evaluation.image_sets import open_images
from tinygan.evaluation.sources import read_source
from tinygan.planning.disk import real_counts


def test_a_folder_is_listed_as_the_policy_says(nasty: Path) -> None:
    images, folders = first_level(nasty)
    assert images == [] and list(folders) == sorted(CLASSES)
    assert {name: list_images(folder) for name, folder in folders.items()} == EXPECTED
    assert [is_image(name) for name in ("a.JPG", "a.Tiff", "png", "a.npy", "a")] == [
        *[True, True, False, False, False]
    ]


def test_every_command_reads_the_same_images_in_the_same_order(nasty: Path, tmp_path: Path) -> None:
    scored = open_images(nasty)
    images = np.stack([read() for read in scored.readers])
    assert scored.labels == [name for name in sorted(CLASSES) for _ in EXPECTED[name]]
    expected = {name: images[[x == name for x in scored.labels]] for name in CLASSES}
    flat = np.stack([read() for read in open_images(nasty, by_class=False).readers])
    assert sorted(map(np.ndarray.tobytes, flat)) == sorted(map(np.ndarray.tobytes, images))

    listers = open_class_folders(nasty, CLASSES)
    crop = crop_of("biggan", SIDE)
    named = dict(enumerate(listers))
    write_real(tmp_path / "r", named, crop=crop, max_dropped=0, source="r", provenance={})
    real = open_shard(tmp_path / "r")
    for label, name in enumerate(CLASSES):
        count = len(EXPECTED[name])
        settings = {"image_size": SIDE, "seed": 0, "batch": 2}
        rows, _ = read_source(nasty, CLASSES, range(label, label + 1), count, **settings)
        found = np.concatenate([part for part, _ in rows])
        np.testing.assert_array_equal(found, expected[name])
        np.testing.assert_array_equal(real.images[real.labels == label], expected[name])
    config = {"real": {"source": "image_folder", "path": str(nasty)}, "classes": CLASSES}
    assert real_counts(config, CLASSES) == [len(EXPECTED[name]) for name in CLASSES]


def test_a_link_to_a_folder_gives_the_same_images(nasty: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(nasty)
    a, b = open_images(nasty), open_images(tmp_path / "linked")
    assert a.labels == b.labels
    assert all(np.array_equal(x(), y()) for x, y in zip(a.readers, b.readers, strict=True))


def loop(root: Path) -> str:
    (root / "cat" / "again").symlink_to(root / "cat")
    return "again is a link back to a folder that contains it"


def broken(root: Path) -> str:
    (root / "cat" / "gone.png").symlink_to(root / "nowhere")
    return "gone.png is a broken link"


def itself(root: Path) -> str:
    (root / "cat" / "self").symlink_to(root / "cat" / "self")
    return "self is a broken link"


def pipe(root: Path) -> str:
    os.mkfifo(root / "cat" / "pipe.png")
    return "pipe.png is neither a file nor a folder"


def only_others(root: Path) -> str:
    (root / "cat" / "0.png").rename(root / "cat" / "0.heic")
    return r"cat has 1 files that are not images \(.heic\), but none with the suffix of an image"


def beside(root: Path) -> str:
    (root / "0.png").write_bytes(image_bytes(0))
    return "images such as 0.png"


def doubled(root: Path) -> str:
    for form in ("NFC", "NFD"):
        folder = root / unicodedata.normalize(form, CAFE)
        folder.mkdir()
        (folder / "0.png").write_bytes(image_bytes(0))
    return "has two folders named 'café'"


@pytest.mark.parametrize("spoil", [loop, broken, itself, pipe, only_others, beside, doubled])
def test_every_command_refuses_the_same_folders_with_the_same_words(
    tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "0.png").write_bytes(image_bytes(0))
    message = spoil(tmp_path)
    settings = {"image_size": SIDE, "seed": 0, "batch": 2}
    for read in (
        lambda: open_images(tmp_path),
        lambda: list(open_class_folders(tmp_path, ["cat"])[0]()),
        lambda: list(read_source(tmp_path, ["cat"], range(1), 1, **settings)[0]),
    ):
        with pytest.raises(ValueError, match=message):
            read()


def test_files_that_are_not_images_are_reported_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("0.png", "1.heic", "2.HEIC", "noext", "notes.txt"):
        (tmp_path / "cat" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "cat" / name).write_bytes(image_bytes(0))
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        assert len(open_images(tmp_path).readers) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "skipped 3 files that are not images (.heic, .HEIC, no suffix)" in lines[0]
    assert lines[0].endswith("such as 1.heic") and "such as empty" in lines[1]


def test_a_name_that_is_not_utf8_can_be_printed_and_listed(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    assert printable(name) == "\\xff.png" and printable("é\n") == "é\n"
    (tmp_path / "data" / "cat").mkdir(parents=True)
    (tmp_path / "data" / "cat" / name).write_bytes(b"")
    listers = dict(enumerate(open_class_folders(tmp_path / "data", ["cat"])))
    with pytest.raises(ValueError, match="it is empty, 0 bytes"):
        crop = crop_of("biggan", SIDE)
        write_real(tmp_path / "r", listers, crop=crop, max_dropped=0, source="r", provenance={})
    assert '\\xff.png,"it is empty' in (tmp_path / "r.dropped.csv").read_text()


def test_a_class_tar_gives_the_images_of_its_folder(tmp_path: Path) -> None:
    wnid = "n01440764"
    files = {
        **{f"{wnid}/b.JPEG": image_bytes(0, "JPEG"), f"{wnid}/a/b.png": image_bytes(1)},
        **{f"{wnid}/.hidden.png": b"", f"{wnid}/notes.txt": b""},
    }
    for name, content in files.items():
        (tmp_path / "folders" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folders" / name).write_bytes(content)
    write_tars(tmp_path / "tars", {wnid: files})
    found = [
        [(name, read()) for name, read in open_imagenet(tmp_path / form, [wnid])[0]()]
        for form in ("folders", "tars")
    ]
    assert found[0] == found[1] and [name for name, _ in found[0]] == ["a/b.png", "b.JPEG"]
