"""Evaluated images and real images of the same classes, a few classes at a time.

A part has the classes of one shard, so memory does not grow with the number of classes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tinygan.classes.by_name import match, merge
from tinygan.features.files import Features, read_features
from tinygan.metrics.counts import floor_samples
from tinygan.metrics.moments import Moments
from tinygan.seeding import stream

# Features of images to score, and of the real images of the same classes.
Part = tuple[Features, Features]


def read_parts(
    images: Sequence[Path], real: Sequence[Path], classes: Sequence[str] | None = None
) -> Iterator[Part]:
    """Read the feature files of images and of real images, both split alike, part by part.

    Args:
        images: the feature files of the images to score.
        real: those of the real images.
        classes: the names of the run's classes, see `read_features`.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: their numbers or classes differ, or one is damaged.
    """
    if len(images) != len(real):
        raise ValueError(
            f"{len(images)} feature files of images and {len(real)} of real images: "
            "give one of each for the same classes"
        )
    for path, real_path in zip(images, real, strict=True):
        part = read_features([path], classes), read_features([real_path], classes)
        names = [features.class_names for features in part]
        if None not in names:
            match(*names, what=str(path), by=str(real_path), exact=True)
        yield part


def real_vs_real(real: Features, samples: int, seed: int) -> Part:
    """Split the real images into two disjoint sets, to score one against the other.

    The score is the floor: what a perfect generator would have with as many samples.

    Args:
        real: features of all real images of some classes.
        samples: images to draw per class; at most half of the class.
        seed: the run's seed; it determines which images are drawn.

    Returns:
        the drawn images, in place of generated ones, and the rest as their reference.

    Raises:
        ValueError: a class has only one image.
    """
    drawn = np.zeros(len(real), dtype=bool)
    for label in np.unique(real.labels).tolist():
        rows = np.flatnonzero(real.labels == label)
        count = floor_samples(len(rows), samples)
        if not count:
            raise ValueError(f"class {label} has one real image, which cannot be split in two sets")
        drawn[stream(seed, "metrics/floor", label).permutation(rows)[:count]] = True
    return real.take(drawn), real.take(~drawn)


def read_moments(
    real: Iterable[Path], classes: Sequence[str] | None = None
) -> tuple[Moments, Features]:
    """Return the moments of the features in some files, one file in memory at a time.

    Args:
        real: the feature files.
        classes: the names of the run's classes, which the files together must have; None: any.

    Returns:
        the moments, and one row of the features, to check what they are comparable with.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: one is damaged, extractors or dimensions differ, or the files do not have the
            classes of the run.
    """
    moments = example = None
    names: list[Mapping[int, str] | None] = []
    for path in real:
        part = read_features([path], classes)
        names.append(part.class_names)
        example = example or part.take(np.arange(1))
        example.check_comparable(part)
        moments = add_classes(moments, part)
    merged = merge(names, what="the feature files")
    if classes is not None and merged is not None:
        match(merged, classes, what="the feature files", exact=True)
    return moments, example


def add_classes(moments: Moments | None, features: Features) -> Moments:
    """Return the moments of some features, class by class, added to others."""
    for label in np.unique(features.labels):
        new = Moments.of(features.features[features.labels == label])
        moments = moments.merge(new) if moments else new
    return moments


def checked_parts(source: str, parts: Iterable[Part], class_names: Sequence[str]) -> Iterator[Part]:
    """Yield the parts, and check extractors and classes: each class once, in ascending order.

    Args:
        source: the origin of the images, for messages.
        parts: see `tinygan.evaluation.scores.score`.
        class_names: names of the classes, in the order of the class index.

    Raises:
        ValueError: extractors differ, or classes are unknown, missing or out of order.
    """
    first, expected = None, 0
    for images, real in parts:
        first = first or real
        image_labels, real_labels = (set(np.unique(f.labels).tolist()) for f in (images, real))
        labels = image_labels | real_labels
        for name, features, present in (
            (source, images, image_labels),
            ("real", real, real_labels),
        ):
            first.check_comparable(features)
            if unknown := sorted(label for label in present if not 0 <= label < len(class_names)):
                raise ValueError(
                    f"{name} images have labels {unknown[:5]}, "
                    f"but the config names only {len(class_names)} classes"
                )
            _refuse_missing(name, labels - present, class_names)
        if min(labels) < expected:
            raise ValueError(
                f"class {min(labels)} comes after class {expected - 1}; "
                "give the images of each class once, in order of class"
            )
        _refuse_missing("real", set(range(expected, max(labels))) - labels, class_names)
        expected = max(labels) + 1
        yield images, real
    _refuse_missing("real", set(range(expected, len(class_names))), class_names)


def _refuse_missing(source: str, missing: set[int], class_names: Sequence[str]) -> None:
    if missing:
        names = ", ".join(class_names[label] for label in sorted(missing)[:5])
        raise ValueError(f"{source} images lack {len(missing)} classes: {names}; give all shards")
