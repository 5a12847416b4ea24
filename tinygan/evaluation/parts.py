"""Images and the real images of the same classes, a few classes at a time.

A part is what one shard of each side holds, so memory does not grow with the number of classes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tinygan.classes.by_name import match, merge
from tinygan.features.files import Features, read_features
from tinygan.metrics.counts import floor_samples
from tinygan.metrics.moments import Moments
from tinygan.seeding import stream

# Images to score and the real images of the same classes.
Part = tuple[Features, Features]


def pairs(
    images: Sequence[Path], real: Sequence[Path], classes: Sequence[str] | None = None
) -> Iterator[Part]:
    """Read the feature files of a source and of the real images, cut alike, two at a time.

    Args:
        images: the files of the source.
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
    for ours, theirs in zip(images, real, strict=True):
        part = read_features([ours], classes), read_features([theirs], classes)
        names = [features.class_names for features in part]
        if None not in names:
            match(*names, what=str(ours), by=str(theirs), exact=True)
        yield part


def real_vs_real(real: Features, samples: int, seed: int) -> Part:
    """Draw real images of each class in place of generated ones; the others are their reference.

    Their score is the floor: what a perfect generator would have with as many samples.

    Args:
        real: features of all real images of some classes.
        samples: images to draw from each class; half of it where that is less.
        seed: the run's seed; it decides which images are drawn.

    Returns:
        the drawn images and the others, without a common one.

    Raises:
        ValueError: a class has one image only.
    """
    drawn = np.zeros(len(real), dtype=bool)
    for label in np.unique(real.labels).tolist():
        rows = np.flatnonzero(real.labels == label)
        count = floor_samples(len(rows), samples)
        if not count:
            raise ValueError(f"class {label} has one real image: two sets cannot be drawn from it")
        drawn[stream(seed, "metrics/floor", label).permutation(rows)[:count]] = True
    return real.take(drawn), real.take(~drawn)


def read_moments(
    real: Iterable[Path], classes: Sequence[str] | None = None
) -> tuple[Moments, Features]:
    """Return the moments of the features in some files, one file in memory at a time.

    Args:
        real: the files.
        classes: the names of the run's classes, which the files must have, each in one of them;
            None: any.

    Returns:
        the moments, and one row of the features, which tells what they may be compared with.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: one is damaged, their extractors or dimensions differ, or they have not the
            classes of the run.
    """
    moments = example = None
    names: list[Mapping[int, str] | None] = []
    for path in real:
        part = read_features([path], classes)
        names.append(part.class_names)
        example = example or part.take(np.arange(1))
        example.check_comparable(part)
        for label in np.unique(part.labels):
            found = Moments.of(part.features[part.labels == label])
            moments = moments.merge(found) if moments else found
    known = merge(names, what="the feature files")
    if classes is not None and known is not None:
        match(known, classes, what="the feature files", exact=True)
    return moments, example


def in_order(source: str, parts: Iterable[Part], class_names: Sequence[str]) -> Iterator[Part]:
    """Pass the parts on; refuse other extractors, and classes that are missing or out of order."""
    first, expected = None, 0
    for images, real in parts:
        first = first or real
        found = [set(np.unique(f.labels).tolist()) for f in (images, real)]
        labels = found[0] | found[1]
        for side, features, ours in zip((source, "real"), (images, real), found, strict=True):
            first.check_comparable(features)
            if unknown := sorted(label for label in ours if not 0 <= label < len(class_names)):
                raise ValueError(
                    f"{side} images have labels {unknown[:5]}, "
                    f"but the config names only {len(class_names)} classes"
                )
            _refuse_missing(side, labels - ours, class_names)
        if min(labels) < expected:
            raise ValueError(
                f"class {min(labels)} comes after class {expected - 1}; "
                "give the images of each class once, in order of class"
            )
        _refuse_missing("real", set(range(expected, max(labels))) - labels, class_names)
        expected = max(labels) + 1
        yield images, real
    _refuse_missing("real", set(range(expected, len(class_names))), class_names)


def _refuse_missing(side: str, missing: set[int], class_names: Sequence[str]) -> None:
    if missing:
        names = ", ".join(class_names[label] for label in sorted(missing)[:5])
        raise ValueError(f"{side} images lack {len(missing)} classes: {names}; give all shards")
