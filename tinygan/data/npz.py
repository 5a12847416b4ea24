"""Arrays in .npz files: nothing is unpickled, and what is not compressed is not copied."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tinygan.external import check_content
from tinygan.files import atomic_file

_SUFFIX = ".npy"
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a ZIP member: the lengths of its name and extra field


def names_in_npz(path: Path) -> list[str]:
    """Return the names of the arrays in a .npz file.

    Raises:
        ValueError: it is not a .npz file, or cut off.
    """
    check_content(path, "zip")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ValueError(_damaged(path, error)) from error
    return [name.removesuffix(_SUFFIX) for name in members if name.endswith(_SUFFIX)]


def read_npz_array(path: Path, name: str) -> np.ndarray:
    """Return an array of a .npz file, read-only.

    An array that `numpy.savez` wrote is memory-mapped. One that is compressed is read as a whole.

    Args:
        path: the file.
        name: one of `names_in_npz`.

    Raises:
        ValueError: the file is damaged, or the array has Python objects.
    """
    member = name + _SUFFIX
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(member)
            if info.compress_type != zipfile.ZIP_STORED:
                with archive.open(info) as file:
                    return np.lib.format.read_array(file, allow_pickle=False)
        return _map(path, info)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error) as error:
        raise ValueError(_damaged(path, error)) from error
    except ValueError as error:  # of NumPy: objects, a cut or invalid header
        raise ValueError(f"{path}: the array {name} cannot be read: {error}") from error


def write_npz(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write images uint8 [N, H, W, 3] as ``arr_0`` and labels [N] as ``arr_1``, atomically."""
    with atomic_file(path) as partial, open(partial, "wb") as file:
        np.savez(file, images, labels.astype(np.int64))


def _map(path: Path, info: zipfile.ZipInfo) -> np.ndarray:
    """Map an array that is stored without compression."""
    with open(path, "rb") as file:
        file.seek(info.header_offset)
        skipped = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        file.seek(sum(skipped), 1)
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read:
            raise ValueError(f"its format is version {version}")
        shape, is_fortran, dtype = read[version](file)
        if dtype.hasobject:
            raise ValueError("it has Python objects, which would have to be unpickled")
        if not np.prod(shape):
            return np.empty(shape, dtype)
        order = "F" if is_fortran else "C"
        return np.memmap(path, dtype, "r", file.tell(), shape, order)


def _damaged(path: Path, error: Exception) -> str:
    return f"{path} is damaged or not a .npz file ({error}): get it again"
