"""The shard store: complete or absent, checked when read, in order, each class once."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from tinygan.data import shard_writer, shards
from tinygan.data.shards import new_shard, open_shard, open_store, write_shard
from tinygan.files import atomic_file, atomic_folder


def write(folder: Path, classes: list[int], *, size: int = 8, fill: int = 0) -> Path:
    labels = np.repeat(classes, 3)
    rng = np.random.default_rng([*classes, fill])
    images = rng.integers(0, 256, (len(labels), size, size, 3), dtype=np.uint8)
    z = rng.standard_normal((len(labels), 5)).astype(np.float32)
    write_shard(folder, images, labels, z, source="test", provenance={"fill": fill})
    return folder


def test_round_trip(tmp_path: Path) -> None:
    images = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    labels = np.array([1, 1, 4, 4])
    z = np.linspace(-1, 1, 12).reshape(4, 3)
    write_shard(tmp_path / "a", images, labels, z, source="test", provenance={"seed": 1})
    for path in (tmp_path / "a", tmp_path / "a" / "manifest.json"):
        shard = open_shard(path, verify=True)
        np.testing.assert_array_equal(shard.images, images)
        np.testing.assert_array_equal(shard.labels, labels)
        np.testing.assert_array_equal(shard.z, z.astype(np.float32))
        assert (shard.labels.dtype, shard.z.dtype) == (np.int64, np.float32)
        assert shard.manifest["classes"] == {"1": 2, "4": 2}
        assert shard.manifest["count"] == 4
        assert shard.manifest["provenance"] == {"seed": 1}
        assert not shard.images.flags.writeable
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_shard_without_z(tmp_path: Path) -> None:
    images = np.zeros((2, 4, 4, 3), np.uint8)
    write_shard(tmp_path / "a", images, np.array([0, 1]), source="real", provenance={})
    assert open_shard(tmp_path / "a", verify=True).z is None
    assert not (tmp_path / "a" / "z.npy").exists()


def test_bytes_are_reproducible(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", [0, 1]), write(tmp_path / "two", [0, 1])
    for name in ("images.npy", "labels.npy", "z.npy", "manifest.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_appended_rows_give_the_bytes_that_numpy_saves(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 4, 4, 3), dtype=np.uint8)
    labels, z = np.repeat([3, 4, 9], 4), rng.standard_normal((12, 5)).astype(np.float32)
    write_shard(tmp_path / "once", images, labels, z, source="test", provenance={"a": 1, "b": 2})
    with new_shard(tmp_path / "rows", source="test", provenance={"a": 1}) as writer:
        for rows in np.split(np.arange(12), [1, 3, 10]):
            # A view that is not contiguous is written like any other.
            writer.append(images[:, :, ::-1][rows][:, :, ::-1], labels[rows], z[rows])
        assert not (tmp_path / "rows").exists()
        writer.provenance["b"] = 2
    for name, array in (("images", images), ("labels", labels), ("z", z)):
        np.save(tmp_path / "reference.npy", array)
        for folder in ("once", "rows"):
            written = (tmp_path / folder / f"{name}.npy").read_bytes()
            assert written == (tmp_path / "reference.npy").read_bytes()
    manifests = [(tmp_path / folder / "manifest.json").read_bytes() for folder in ("once", "rows")]
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(
    ("shape", "label", "z", "message"),
    [
        ((8, 8, 3), 1, True, "rows of"),
        ((4, 4, 3), 0, True, "ascending"),
        ((4, 4, 3), 1, False, "rows of"),
    ],
)
def test_mismatched_rows_are_refused(
    tmp_path: Path, shape: tuple[int, ...], label: int, z: bool, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        with new_shard(tmp_path / "a", source="test", provenance={}) as writer:
            writer.append(np.zeros((1, 4, 4, 3), np.uint8), np.array([1]), np.zeros((1, 5)))
            latents = np.zeros((1, 5)) if z else None
            writer.append(np.zeros((1, *shape), np.uint8), np.array([label]), latents)
    assert not list(tmp_path.iterdir())


def test_a_shard_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rows"):
        with new_shard(tmp_path / "a", source="test", provenance={}):
            pass
    assert not list(tmp_path.iterdir())


def test_leftovers_of_a_killed_process_are_removed_but_not_those_of_a_live_one(
    tmp_path: Path,
) -> None:
    for name in (".a.0123abcd", ".a.0123abcd.old", ".b.0123abcd"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "images.npy").touch()
    with atomic_folder(tmp_path / "a", shards.FILES) as held:
        write(tmp_path / "a", [0, 1])
        assert held.is_dir()
        (held / "manifest.json").write_text("later")
    assert (tmp_path / "a" / "manifest.json").read_text() == "later"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.0123abcd", "a"]


@pytest.mark.parametrize("existing", [False, True])
def test_failing_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    folder = tmp_path / "store" / "000-001"
    if existing:
        write(folder, [0, 1], fill=1)

    def fail(*arguments: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(shard_writer, "write_json", fail)  # the arrays are written by then
        with pytest.raises(OSError, match="disk full"):
            write(folder, [0, 1], fill=2)
    assert list(folder.parent.iterdir()) == ([folder] if existing else [])
    if existing:
        assert open_shard(folder, verify=True).manifest["provenance"] == {"fill": 1}
        write(folder, [0, 1], fill=2)
        assert open_shard(folder, verify=True).manifest["provenance"] == {"fill": 2}
        assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "z.npy"])
def test_flipped_byte_is_found(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / "a", [0, 1]) / name
    content = bytearray(file.read_bytes())
    content[-8] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.*SHA-256"):
        open_shard(tmp_path / "a", verify=True)


def test_damage_is_found_without_hashes(tmp_path: Path) -> None:
    truncated = write(tmp_path / "truncated", [0]) / "images.npy"
    truncated.write_bytes(truncated.read_bytes()[:-100])
    with pytest.raises(ValueError, match="images.npy cannot be read"):
        open_shard(truncated.parent)

    missing = write(tmp_path / "missing", [0])
    (missing / "z.npy").unlink()
    with pytest.raises(ValueError, match="z.npy cannot be read"):
        open_shard(missing)

    swapped = write(tmp_path / "swapped", [0])
    np.save(swapped / "images.npy", np.zeros((3, 9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match="is not the array"):
        open_shard(swapped)

    pickled = write(tmp_path / "pickled", [0])
    np.save(pickled / "labels.npy", np.array([{}, {}, {}]), allow_pickle=True)
    with pytest.raises(ValueError, match="labels.npy cannot be read"):
        open_shard(pickled)


def test_a_folder_without_a_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no manifest.json"):
        open_shard(tmp_path)
    for text, message in (("{", "not valid JSON"), ('{"format": 99}', "not a shard manifest")):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            open_shard(tmp_path)


IMAGES = np.zeros((2, 4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "z", "message"),
    [
        (IMAGES.astype(np.float32), [0, 1], None, "uint8"),
        (IMAGES[..., :1], [0, 1], None, "uint8"),
        (IMAGES, [0], None, "labels for 2 images"),
        (IMAGES[:0], [], None, "labels for 0 images"),
        (IMAGES, [1, 0], None, "ascending"),
        (IMAGES, [-1, 0], None, "ascending"),
        (IMAGES, [0, 1], np.zeros((3, 5)), "z must be"),
        (IMAGES, [0, 1], np.zeros(2), "z must be"),
    ],
)
def test_malformed_arrays_are_refused(
    tmp_path: Path, images: np.ndarray, labels: list[int], z: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_shard(tmp_path / "a", images, np.array(labels), z, source="test", provenance={})
    assert not list(tmp_path.iterdir())


def test_store_is_in_order_of_class(tmp_path: Path) -> None:
    folders = [write(tmp_path / str(c), [c, c + 1]) for c in (10, 2, 4)]
    store = open_store(folders)
    assert [int(shard.labels[0]) for shard in store] == [2, 4, 10]


def test_store_refuses(tmp_path: Path) -> None:
    first = write(tmp_path / "first", [0, 1])
    with pytest.raises(ValueError, match="class 1 is in"):
        open_store([first, write(tmp_path / "overlap", [1, 2])])
    with pytest.raises(ValueError, match="images of"):
        open_store([first, write(tmp_path / "size", [2, 3], size=4)])
    with pytest.raises(ValueError, match="at least one shard"):
        open_store([])


def test_a_full_disk_names_the_shard_and_keeps_the_old_one(tmp_path, monkeypatch):
    images, labels = np.zeros((2, 4, 4, 3), np.uint8), np.arange(2)
    write_shard(tmp_path / "s", images, labels, source="old", provenance={})

    def full(array, rows):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shard_writer._GrowingArray, "append", full)
    with pytest.raises(OSError, match="cannot write .*s: No space left on device; free space"):
        write_shard(tmp_path / "s", images, labels, source="new", provenance={})
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert open_shard(tmp_path / "s", verify=True).manifest["source"] == "old"


@pytest.mark.parametrize(
    "raised",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device"),
    ],
)
def test_a_full_disk_names_the_file_and_keeps_the_old_one(tmp_path, raised):
    path = tmp_path / "log.csv"
    path.write_text("old")
    with pytest.raises(OSError, match=r"cannot write .*log\.csv.*No space left"):
        with atomic_file(path):
            raise raised
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_other_errors_pass_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError, match="weights"), atomic_file(tmp_path / "curve.csv"):
        raise FileNotFoundError("no weights")


@pytest.mark.parametrize("other", ["thesis.txt", ".notes", "images", "z.npy/x"])
def test_a_folder_with_other_files_is_refused_before_anything_is_written(
    tmp_path: Path, other: str
) -> None:
    write(tmp_path / "p", [0])
    (tmp_path / "p" / "z.npy").unlink()
    (tmp_path / "p" / other).parent.mkdir(exist_ok=True)
    (tmp_path / "p" / other).write_text("kept")
    named = re.escape(other.split("/")[0])
    with pytest.raises(FileExistsError, match=f"such as {named}: nothing was changed"):
        with new_shard(tmp_path / "p", source="test", provenance={}):
            raise AssertionError("the block was entered")
    assert (tmp_path / "p" / other).read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_an_empty_folder_and_a_shard_are_replaced_and_links_are_followed(tmp_path: Path) -> None:
    target = tmp_path / "disk" / "shard"
    target.mkdir(parents=True)
    (tmp_path / "link").symlink_to(target)
    for fill in (1, 2):
        write(tmp_path / "link", [0, 1], fill=fill)
        assert (tmp_path / "link").is_symlink()
        assert open_shard(target).manifest["provenance"] == {"fill": fill}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "link"]
    assert [path.name for path in target.parent.iterdir()] == ["shard"]


def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below" / "it"):
        with pytest.raises(FileExistsError, match="file is a file, so .* cannot be a folder"):
            write(folder, [0])
    assert (tmp_path / "file").is_file()


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_files_follow_the_umask_whatever_wrote_them(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with atomic_file(tmp_path / "w.safetensors") as partial:
            save_file({"x": np.ones(2)}, partial)
        with atomic_file(tmp_path / "t.txt") as partial:
            partial.write_text("x")
    finally:
        os.umask(before)
    for name in ("w.safetensors", "t.txt"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o666 & ~mask
