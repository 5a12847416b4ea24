"""The interface of a real dataset.

Each real dataset is a module of `tinygan.data.real`, named as in the config's `real.source`, with
an instance DATASET of one of these classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tinygan.data.class_folders import ListClass, open_class_folders
from tinygan.data.image_folders import class_key, count_images, first_level

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Dataset:
    """The user's own images, in one folder per class.

    Attributes:
        image_channels: 3, or 1 if all images are grey; the student has as many.
        sizes: smallest and largest supported image_size in pixels.
    """

    image_channels: int = 3
    sizes: tuple[int, int] = (32, 256)

    # The required keys of the config's section `real`.
    needs = ("path", "crop")
    packaged = False
    # Whether there are official image counts per class, see `check_counts`.
    counts_known = False

    def class_names(self, chosen: str | Sequence[str | int]) -> list[str]:
        """Return the names of the classes that the config's `classes` selects.

        Raises:
            ValueError: there are no such classes.
        """
        if isinstance(chosen, str) or not all(isinstance(name, str) for name in chosen):
            raise ValueError(
                f"{chosen if isinstance(chosen, str) else 'numbers'} can be used for ImageNet "
                "only; list the names"
            )
        return list(chosen)

    def class_ids(self, names: Sequence[str]) -> list[str]:
        """Return the id of each of these classes in files."""
        return list(names)

    def teacher_classes(self, names: Sequence[str]) -> list[str]:
        """Return the default classes of a teacher for this dataset, in the order of its labels.

        Args:
            names: the classes of the run.
        """
        return list(names)

    def count(self, path: Path, names: Sequence[str]) -> list[int]:
        """Return the number of images per class under the config's `real.path`."""
        folders = first_level(path)[1] if path.is_dir() else {}
        keys = [class_key(name) for name in names]
        return [count_images(folders[key]) if key in folders else 0 for key in keys]

    def open(self, path: Path, names: Sequence[str]) -> list[ListClass]:
        """Find the files of each class; see `open_class_folders` for the errors."""
        return open_class_folders(path, names)

    def check_counts(self, classes: Mapping[str, ListClass]) -> None:
        """Compare the number of images per class with the official counts.

        Raises:
            ValueError: they differ, or there are no official counts.
        """
        raise ValueError("this dataset has no official image counts")


@dataclass(frozen=True, kw_only=True)
class PackagedDataset(Dataset):
    """A dataset in one file of the package index, the config's `real.requirement`.

    Attributes:
        title: its name, for messages.
        classes: the names of its classes, in the order of its labels.
        images_per_class: number of images per class.
        read: (path of the file, image_size S) -> images uint8 [N, S, S, 3], labels int64 [N].
    """

    title: str
    classes: tuple[str, ...]
    images_per_class: int
    read: "Callable[[Path, int], tuple[np.ndarray, np.ndarray]]"

    needs = ("requirement", "sha256")
    packaged = True

    def teacher_classes(self, names: Sequence[str]) -> list[str]:
        """Return all classes of the dataset."""
        return list(self.classes)

    def count(self, path: Path | None, names: Sequence[str]) -> list[int]:
        """Return the number of images per class."""
        return [self.images_per_class] * len(names)


def open_dataset(name: str) -> Dataset:
    """Return the real dataset of the config's `real.source`."""
    return import_module(f"tinygan.data.real.{name}").DATASET
