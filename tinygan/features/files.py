"""Features of images, in memory and as npz files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from tinygan.classes.by_name import merge, relabel, warn_unnamed
from tinygan.external import check_content
from tinygan.files import atomic_file

ARRAYS = ("features", "logits", "labels", "extractor", "extractor_sha256")


@dataclass(frozen=True)
class Features:
    """The output of an extractor for a set of images, one row per image, in order of class.

    Attributes:
        features: float32 [N, D]; float16 if `compact`.
        logits: float32 [N, K], of the extractor's own K classes; K may be 0.
        labels: int64 [N], class indices of the run.
        extractor: the extractor's name.
        extractor_sha256: SHA-256 of its weight file.
        input_size: height and width of the extractor's input in pixels; None if unknown.
        class_names: the name of each label (for ImageNet, the WNID); None if unknown.

    Raises:
        ValueError: the arrays do not have these shapes, or there are no images.
    """

    features: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    extractor: str
    extractor_sha256: str
    input_size: int | None = None
    class_names: Mapping[int, str] | None = None

    def __post_init__(self) -> None:
        shapes = [a.shape for a in (self.features, self.logits, self.labels)]
        if [len(shape) for shape in shapes] != [2, 2, 1] or len({s[0] for s in shapes}) != 1:
            raise ValueError(f"features, logits and labels must be [N, D], [N, K], [N]: {shapes}")
        if not len(self):
            raise ValueError("there are no features: no images were given")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """Return some of the rows, given by an index array or a boolean mask [N]."""
        return replace(
            self,
            features=self.features[rows],
            logits=self.logits[rows],
            labels=self.labels[rows],
        )

    def compact(self) -> Self:
        """Return the features in float16 and without logits, of which only distances are taken."""
        return replace(self, features=self.features.astype(np.float16), logits=self.logits[:, :0])

    def labelled(self, classes: Sequence[str], *, what: str) -> Self:
        """Map the labels to the run's class indices, by name, and sort the rows by class.

        If there are no names, the labels are used as class indices, with a warning.

        Args:
            classes: the names of the run's classes, in the order of the class index.
            what: the file, for messages.

        Raises:
            ValueError: the run lacks one of the classes.
        """
        if self.class_names is None:
            warn_unnamed(what)
            return self
        labels, names = relabel(self.labels, self.class_names, classes, what=what)
        named = replace(self, labels=labels, class_names=names)
        return named if labels is self.labels else named.take(np.argsort(labels, kind="stable"))

    def check_comparable(self, other: "Features", *, logits: bool = True) -> None:
        """Refuse, with ValueError, another extractor, other dimensions or other class names.

        Args:
            other: the features to compare with.
            logits: whether the logits are needed; if not, either side may lack them.
        """
        first, second = (
            (f.extractor, f.extractor_sha256, f.features.shape[1], logits and f.logits.shape[1])
            for f in (self, other)
        )
        if first != second:
            raise ValueError(
                "features of different extractors cannot be compared: "
                f"(name, sha256, dimensions, classes) is {first} in one and {second} in the other; "
                "compute both with the same extractor"
            )
        if None not in (self.input_size, other.input_size) and self.input_size != other.input_size:
            raise ValueError(
                "features of images of different sizes cannot be compared: the extractor's input "
                f"was {self.input_size} px for one and {other.input_size} px for the other; use "
                "the same metrics.input_size for both"
            )
        if None not in (self.class_names, other.class_names):
            merge([self.class_names, other.class_names], what="the compared features")


def write_features(path: Path, features: Features) -> None:
    """Write features as one npz file with the arrays of `Features`, atomically.

    ``class_names`` in the file has one name per label that occurs, in ascending order of label.
    """
    with atomic_file(path) as partial:
        np.savez(partial, allow_pickle=False, **arrays_of(features))


def arrays_of(features: Features) -> dict[str, np.ndarray]:
    """Return features as the arrays of an npz file, see `write_features`."""
    arrays = {name: np.asarray(getattr(features, name)) for name in ARRAYS}
    if features.input_size is not None:
        arrays["input_size"] = np.asarray(features.input_size)
    if features.class_names is not None:
        names = [features.class_names[label] for label in np.unique(features.labels).tolist()]
        arrays["class_names"] = np.asarray(names)
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Features:
    """Return the features in the arrays of an npz file; KeyError or ValueError for other arrays."""
    rows = {name: arrays[name] for name in ("features", "logits", "labels")}
    names = {name: str(arrays[name]) for name in ("extractor", "extractor_sha256")}
    size = int(arrays["input_size"]) if "input_size" in arrays else None
    classes = arrays["class_names"].tolist() if "class_names" in arrays else None
    if classes is not None:
        classes = dict(zip(np.unique(rows["labels"]).tolist(), classes, strict=True))
    return Features(**rows, **names, input_size=size, class_names=classes)


def read_features(paths: Iterable[Path], classes: Sequence[str] | None = None) -> Features:
    """Read the feature files of one set of images, in ascending order of class.

    Args:
        paths: the files, in any order.
        classes: the names of the run's classes, in the order of the class index: labels are mapped
            to these indices, by name. None keeps the labels.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: no file is given, one is damaged, a class is in two files or not in the run, or
            extractors or dimensions differ.
    """
    parts = [(path, _read(path)) for path in paths]
    if not parts:
        raise ValueError("no feature file is given")
    if classes is not None:
        parts = [(path, part.labelled(classes, what=str(path))) for path, part in parts]
    parts.sort(key=lambda part: int(part[1].labels.min()))
    first = parts[0][1]
    seen: dict[int, Path] = {}
    for path, part in parts:
        try:
            first.check_comparable(part)
        except ValueError as error:
            raise ValueError(f"{parts[0][0]} and {path}: {error}") from error
        for label in np.unique(part.labels).tolist():
            if label in seen:
                raise ValueError(f"class {label} is in {seen[label]} and in {path}")
            seen[label] = path
    joined = {
        name: np.concatenate([getattr(part, name) for _, part in parts])
        for name in ("features", "logits", "labels")
    }
    names = merge([part.class_names for _, part in parts], what="the feature files")
    return replace(first, **joined, class_names=names)


def _read(path: Path) -> Features:
    try:
        check_content(path, "zip")
        with np.load(path, allow_pickle=False) as file:
            return from_arrays(dict(file))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, AttributeError, TypeError, BadZipFile) as error:
        raise ValueError(f"{path} is not a valid feature file ({error}); recreate it") from error
