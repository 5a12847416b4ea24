"""What a job's freshness depends on: the files that it reads, and nothing else."""

import os
from pathlib import Path

import numpy as np
import pytest
from helpers.image_files import write_tars
from helpers.nasty_folder import CLASSES, image_bytes

from tinygan.data.shards import write_shard
from tinygan.folders import folder_state
from tinygan.planning import origins
from tinygan.planning.origins import real_origin, source_origin
from tinygan.teacher.fingerprint import sha256_of


def states(config: dict) -> list[str]:
    folder_state.cache_clear()
    origins._folders.cache_clear()
    return [real_origin(config, range(i, i + 1)) for i in range(2)]


def test_the_origin_of_a_shard_covers_its_own_images_only(tmp_path: Path) -> None:
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


def test_a_class_folder_is_read_once_per_process(
    nasty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_the_origin_of_a_source_covers_the_files_that_are_read(tmp_path: Path, nasty: Path) -> None:
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


def test_the_origin_of_a_teacher_covers_all_its_files(
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


def test_the_origin_of_a_module_at_a_url_is_its_sha256_if_that_is_known(tmp_path: Path) -> None:
    def origin(sha256: str | None, *files: str) -> str:
        teacher = {"kind": "tfhub", "handle": "https://x.org/m/1", "sha256": sha256}
        return origins.teacher_origin({"teacher": teacher | {"files": list(files)}})

    (tmp_path / "file").touch()
    assert origin(None) == "https://x.org/m/1"
    assert origin("ab" * 32) == "ab" * 32
    assert origin("ab" * 32, str(tmp_path / "file")) not in (origin("ab" * 32), origin(None))
