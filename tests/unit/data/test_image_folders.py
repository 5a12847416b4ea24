"""One policy for folders of images: every command reads the same images in the same order."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.image_files import packed, pixels, write_tars
from PIL import Image

from tinygan.data.class_folders import open_class_folders
from tinygan.data.crops import crop_of
from tinygan.data.image_folders import first_level, is_image, list_images, printable
from tinygan.data.prepare import write_real
from tinygan.data.real.imagenet import open_imagenet
from tinygan.data.shards import open_shard, write_shard
from tinygan.evaluation.image_sets import open_images
from tinygan.evaluation.sources import read_source
from tinygan.files import folder_state
from tinygan.planning import origins
from tinygan.planning.disk import real_counts
from tinygan.planning.origins import real_origin, source_origin
from tinygan.teacher.fingerprint import sha256_of

SIDE = 32
CAFE = "caf\u00e9"  # composed; its folder has the decomposed name
CLASSES = ["Dog", "dog", CAFE, "two words"]


def image_bytes(seed: int, form: str = "PNG") -> bytes:
    return packed(pixels(seed, SIDE, SIDE), form)


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """A folder with all that the policy names, and 13 images of four classes."""
    root, away = tmp_path / "nasty", tmp_path / "away"
    rgb = Image.fromarray(pixels(9, SIDE, SIDE))
    files = {
        "Dog/1.png": image_bytes(1),
        "dog/b.JPEG": image_bytes(2, "JPEG"),
        "dog/a.Png": image_bytes(3),
        "dog/a b/x.png": image_bytes(4),
        "dog/a/x.png": image_bytes(5),
        "dog/#1.bmp": image_bytes(6, "BMP"),
        "dog/new\nline.png": image_bytes(7),
        "dog/notes.txt": b"no image",
        "dog/.hidden.png": b"no image",
        "dog/.ipynb_checkpoints/x.png": b"no image",
        "dog/Thumbs.db": b"no image",
        "two words/grey.png": packed(pixels(8, SIDE, SIDE)[..., 0].copy(), "PNG"),
        "two words/palette.gif": packed(rgb.quantize(), "GIF"),
        "two words/ink.tif": packed(rgb.convert("CMYK"), "TIFF"),
        ".DS_Store": b"x",
        "readme.md": b"x",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    opaque = np.dstack([pixels(11, SIDE, SIDE), np.full((SIDE, SIDE), 255, np.uint8)])
    (root / "two words" / "opaque.png").write_bytes(packed(opaque, "PNG"))
    with open(os.fsencode(root / "dog") + b"/\xff.png", "wb") as file:
        file.write(image_bytes(12))
    # A class that is a link to a folder, in which a file and a folder are links.
    (away / "more").mkdir(parents=True)
    (away / "more" / "z.png").write_bytes(image_bytes(13))
    (tmp_path / "single.png").write_bytes(image_bytes(14))
    (away / "y.png").symlink_to(tmp_path / "single.png")
    (away / "linked").symlink_to(away / "more")
    (root / unicodedata.normalize("NFD", CAFE)).symlink_to(away)
    return root


EXPECTED = {
    "Dog": ["1.png"],
    "dog": [
        *["#1.bmp", "a b/x.png", "a.Png", "a/x.png", "b.JPEG", "new\nline.png", "\udcff.png"],
    ],
    CAFE: ["linked/z.png", "more/z.png", "y.png"],
    "two words": ["grey.png", "ink.tif", "opaque.png", "palette.gif"],
}


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


def test_one_link_more_or_less_gives_the_same_scores(nasty: Path, tmp_path: Path) -> None:
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


def test_files_that_are_no_images_are_told_of_once(
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


def test_a_name_that_is_no_utf8_can_be_printed_and_listed(tmp_path: Path) -> None:
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


# What the freshness of a job depends on.


def states(config: dict) -> list[str]:
    folder_state.cache_clear()
    origins._folders.cache_clear()
    return [real_origin(config, range(i, i + 1)) for i in range(2)]


def test_the_origin_of_a_shard_is_its_own_images_and_nothing_else(tmp_path: Path) -> None:
    config = {"real": {"source": "image_folder", "path": str(tmp_path / "data")}}
    config["classes"] = ["cat", "dog"]
    (tmp_path / "away.png").write_bytes(image_bytes(0))
    for name in config["classes"]:
        (tmp_path / "data" / name / "deep").mkdir(parents=True)
        (tmp_path / "data" / name / "deep" / "0.png").write_bytes(image_bytes(0))
        (tmp_path / "data" / name / "link.png").symlink_to(tmp_path / "away.png")
    first, cat = states(config), tmp_path / "data" / "cat"
    (cat / ".DS_Store").touch()
    (cat / "notes.txt").touch()
    (tmp_path / "data" / "cow").mkdir()
    (cat / "deep" / "0.png").read_bytes()
    assert states(config) == first
    os.utime(cat / "deep" / "0.png", ns=(0, 0))
    second = states(config)
    assert second[0] != first[0] and second[1] == first[1]
    os.utime(tmp_path / "away.png", ns=(0, 0))
    third = states(config)
    assert third[0] != second[0] and third[1] != second[1]
    # Gone, the class alone or the whole folder: nothing to compare with.
    cat.rename(tmp_path / "cat")
    assert states(config) == ["", third[1]]
    (tmp_path / "data").rename(tmp_path / "archive")
    assert states(config) == ["", ""]
    # What cannot be read has some state, and the job says what is wrong.
    (tmp_path / "data" / "cat").mkdir(parents=True)
    (tmp_path / "data" / "cat" / "0.png").symlink_to("nowhere")
    assert states(config)[0] not in ("", third[0])


def test_a_class_is_looked_at_once_a_process(nasty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"real": {"source": "image_folder", "path": str(nasty)}, "classes": CLASSES}
    folder_state.cache_clear()
    first = real_origin(config, range(4))
    monkeypatch.setattr("os.scandir", lambda folder: pytest.fail("read again"))
    assert real_origin(config, range(4)) == first


def test_the_origin_of_a_tar_is_the_file_itself(tmp_path: Path) -> None:
    config = {"classes": ["tench", "goldfish"], "real": {"source": "imagenet"}}
    classes = {wnid: {"0.JPEG": image_bytes(0)} for wnid in ("n01440764", "n01443537")}
    tars = write_tars(tmp_path / "tars", classes)
    config["real"]["path"] = str(tars)
    first = states(config)
    os.utime(tars / "n01440764.tar", ns=(0, 0))
    second = states(config)
    assert second[0] != first[0] and second[1] == first[1]


def test_the_origin_of_a_source_is_what_is_read_of_it(tmp_path: Path, nasty: Path) -> None:
    def state(folder: Path, *names: str) -> str:
        folder_state.cache_clear()
        return source_origin(folder, names)

    first = [state(nasty, name) for name in CLASSES]
    os.utime(tmp_path / "away" / "more" / "z.png", ns=(0, 0))  # behind a link
    assert [state(nasty, name) == x for name, x in zip(CLASSES, first, strict=True)] == [
        *[True, True, False, True]
    ]
    store, model = tmp_path / "store", tmp_path / "model"
    write_shard(
        store / "a", np.zeros((1, 4, 4, 3), np.uint8), np.array([0]), source="x", provenance={}
    )
    (model / "snapshots").mkdir(parents=True)
    for name in ("card.json", "generator.safetensors", "log.csv", "snapshots/1.safetensors"):
        (model / name).touch()
    for folder, read, other in (
        (store, "a/images.npy", "a/notes.txt"),
        (model, "generator.safetensors", "log.csv"),
    ):
        before = state(folder, "Dog")
        (folder / other).write_text("changed")
        assert state(folder, "Dog") == before != ""
        os.utime(folder / read, ns=(0, 0))
        assert state(folder, "Dog") != before
    assert state(tmp_path / "absent", "Dog") == ""


def test_the_origin_of_a_teacher_is_all_its_files_and_those_that_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def fingerprint(kind: str, handle: str, *files: str) -> str:
        origins._fingerprint.cache_clear()
        sha256_of.cache_clear()
        teacher = {"kind": kind, "handle": handle, "target": handle, "files": list(files)}
        return origins.teacher_origin({"teacher": teacher})

    (tmp_path / "disk" / "variables").mkdir(parents=True)
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "module" / "variables").symlink_to(tmp_path / "disk" / "variables")
    weights = tmp_path / "disk" / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(b"one")
    (tmp_path / "mygan.py").write_text("def images(z, y, truncation): ...")
    for call in (
        ("tfhub", "module"),
        ("torch", str(weights)),
        ("python", "mygan:images", str(weights)),
    ):
        weights.write_bytes(b"one")
        first = fingerprint(*call)
        os.utime(weights, ns=(0, 0))
        (tmp_path / "module" / ".DS_Store").touch()
        assert fingerprint(*call) == first
        weights.write_bytes(b"two")
        assert fingerprint(*call) != first
    with pytest.raises(FileNotFoundError, match="teacher.files: there is no file gone.bin"):
        fingerprint("python", "mygan:images", "gone.bin")
    with pytest.raises(FileNotFoundError, match="no TF-Hub module in 'gone'"):
        fingerprint("tfhub", "gone")
