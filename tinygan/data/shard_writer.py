"""Write a shard row by row, see `tinygan.data.shards.new_shard`."""

import platform
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tinygan.classes.by_name import Names
from tinygan.files import sha256, write_json

FORMAT = 1


class ShardWriter:
    """Appends images to a shard; the arrays are on disk, not in memory.

    Attributes:
        provenance: what else determines the content; may be added to until the shard is closed.
    """

    def __init__(
        self, folder: Path, partial: Path, provenance: dict[str, Any], names: Names | None
    ) -> None:
        self.provenance = dict(provenance)
        self._folder, self._partial, self._names = folder, partial, names
        self._arrays: dict[str, _GrowingArray] = {}
        self._counts: dict[int, int] = {}
        self._files = ExitStack()

    def append(self, images: np.ndarray, labels: np.ndarray, z: np.ndarray | None = None) -> None:
        """Write some images to disk.

        Args:
            images: uint8 [N, H, W, 3], N > 0.
            labels: integers [N], class indices, ascending within and across calls.
            z: float [N, z_dim]; in every call or in none.

        Raises:
            ValueError: the arrays do not have these types, shapes or order.
            OSError: they cannot be written, e.g. ENOSPC.
        """
        rows = {"images": np.asarray(images), "labels": np.asarray(labels, dtype=np.int64)}
        if z is not None:
            rows["z"] = np.asarray(z, dtype=np.float32)
        check_arrays(rows, self._folder)
        if not self._arrays:
            for name, array in rows.items():
                file = self._files.enter_context(open(self._partial / f"{name}.npy", "wb"))
                self._arrays[name] = _GrowingArray(file, array)
        shapes = {name: array.shape[1:] for name, array in rows.items()}
        if shapes != (before := {name: array.row for name, array in self._arrays.items()}):
            raise ValueError(f"shard {self._folder}: rows of {shapes} after rows of {before}")
        if self._counts and rows["labels"][0] < max(self._counts):
            raise ValueError(f"shard {self._folder}: labels must be in ascending order")
        for name, array in rows.items():
            self._arrays[name].append(array)
        for label, count in zip(*np.unique(rows["labels"], return_counts=True), strict=True):
            self._counts[int(label)] = self._counts.get(int(label), 0) + int(count)

    def _close(self, source: str) -> None:
        """Complete the arrays and write the manifest."""
        if not self._arrays:
            raise ValueError(f"shard {self._folder}: no rows were written")
        for array in self._arrays.values():
            array.write_header()
        self._files.close()
        described = {
            name: {
                "shape": [array.count, *array.row],
                "dtype": str(array.dtype),
                "sha256": sha256(self._partial / f"{name}.npy"),
            }
            for name, array in self._arrays.items()
        }
        manifest = {
            "format": FORMAT,
            "source": source,
            "count": sum(self._counts.values()),
            "classes": {str(label): count for label, count in self._counts.items()},
            **self._class_names(),
            "arrays": described,
            "provenance": self.provenance,
            "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        }
        write_json(self._partial / "manifest.json", manifest)

    def _class_names(self) -> dict[str, dict[str, str]]:
        if self._names is None:
            return {}
        try:
            names = {str(label): self._names[label] for label in self._counts}
        except LookupError:
            raise ValueError(
                f"shard {self._folder}: there are names for {len(self._names)} classes, but not "
                f"for all of the labels {list(self._counts)}"
            ) from None
        return {"class_names": names}


class _GrowingArray:
    """A .npy file that rows are appended to; NumPy pads the header, so it can be rewritten."""

    def __init__(self, file: BinaryIO, first: np.ndarray) -> None:
        self.file, self.dtype, self.row, self.count = file, first.dtype, first.shape[1:], 0
        self.write_header()

    def append(self, rows: np.ndarray) -> None:
        self.file.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def write_header(self) -> None:
        self.file.seek(0)
        descr = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": (self.count, *self.row)}
        np.lib.format.write_array_header_1_0(self.file, header)


def check_arrays(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """Refuse, with ValueError, arrays that do not have the types and shapes of a shard."""
    images, labels, z = arrays.get("images"), arrays.get("labels"), arrays.get("z")
    if images is None or labels is None:
        raise ValueError(f"shard {folder} needs the arrays images and labels")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(
            f"shard {folder}: images must be uint8 [N, H, W, 3], not {images.dtype} {images.shape}"
        )
    if labels.shape != images.shape[:1] or len(labels) == 0:
        raise ValueError(f"shard {folder}: {labels.shape} labels for {len(images)} images")
    if np.any(np.diff(labels) < 0) or labels[0] < 0:
        raise ValueError(f"shard {folder}: labels must be class indices in ascending order")
    if z is not None and (z.ndim != 2 or len(z) != len(images)):
        raise ValueError(f"shard {folder}: z must be [{len(images)}, z_dim], not {z.shape}")
