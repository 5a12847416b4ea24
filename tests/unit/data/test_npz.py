"""Arrays in .npz files: mapped, decompressed, written, and bad files."""

import zipfile

import numpy as np
import pytest

from tinygan.data.npz import names_in_npz, read_npz_array, write_npz

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(tmp_path, save, order):
    others = np.arange(7.0), np.empty((0, 3), np.float32), np.array(3)
    save(tmp_path / "x.npz", np.asarray(IMAGES, order=order), *others)
    assert names_in_npz(tmp_path / "x.npz") == ["arr_0", "arr_1", "arr_2", "arr_3"]
    for i, array in enumerate((IMAGES, *others)):
        found = read_npz_array(tmp_path / "x.npz", f"arr_{i}")
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_an_array_that_is_not_compressed_is_mapped(tmp_path):
    np.savez(tmp_path / "x.npz", IMAGES)
    assert isinstance(read_npz_array(tmp_path / "x.npz", "arr_0"), np.memmap)


def test_what_is_written_numpy_reads(tmp_path):
    write_npz(tmp_path / "x.npz", IMAGES, np.arange(5, dtype=np.int32))
    with np.load(tmp_path / "x.npz") as file:
        np.testing.assert_array_equal(file["arr_0"], IMAGES)
        assert file["arr_1"].tolist() == [0, 1, 2, 3, 4] and file["arr_1"].dtype == np.int64


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_objects_are_not_unpickled(tmp_path, save):
    save(tmp_path / "x.npz", np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="arr_0 cannot be read: .*([Oo]bject|pickle)"):
        read_npz_array(tmp_path / "x.npz", "arr_0")


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    path.write_text("<!DOCTYPE html><title>404</title>")
    with pytest.raises(ValueError, match="an HTML page"):
        names_in_npz(path)
    np.savez(path, IMAGES)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged or not a .npz file"):
        names_in_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0.npy", b"no array")
    with pytest.raises(ValueError, match="the array arr_0 cannot be read"):
        read_npz_array(path, "arr_0")
