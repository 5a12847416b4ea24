"""Two sets of images scored against each other, outside any pipeline.

The second set is the reference: where generated and real images are compared, the real ones.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygan.classes.by_name import ClassMismatch, match
from tinygan.evaluation.image_sets import ImageSet, Reading
from tinygan.evaluation.scores import Settings, score
from tinygan.features.extract import extract
from tinygan.features.extractor import Extractor
from tinygan.features.files import Features
from tinygan.metrics.counts import share
from tinygan.metrics.inception_score import inception_score
from tinygan.seeding import stream

# How `scores.score` names a score and the ends of its interval.
ENDS = {"value": "", "low": "_low", "high": "_high"}
# What else of its result is handed on.
SETTINGS = (
    "fid_mode",
    "prdc_k",
    "jackknife_groups",
    "pairwise_samples",
    "extractor",
    "extractor_sha256",
    "input_size",
)


def compare(
    a: ImageSet,
    b: ImageSet,
    extractor: Extractor,
    *,
    batch: int = 100,
    seed: int = 0,
    samples: int | None = None,
    splits: int = 10,
    progress: bool = True,
) -> dict[str, Any]:
    """Score the images of `a` against those of `b` (section 5.2).

    Args:
        a: the images in question.
        b: the reference.
        extractor: see `tinygan.features.extract.open_extractor`.
        batch: images read at once.
        seed: decides what is drawn.
        samples: images to draw from each set; None takes all.
        splits: splits of the Inception score.
        progress: show a progress bar.

    Returns:
        For each set its path, kind, number of images and of classes, sizes, Inception score and
        the SHA-256 of its pixels; each score of `scores.score` with its interval,
        the intra-FID only where both sets have the same two or more classes; what the scores depend
        on: extractor, its SHA-256, input size and resize, seed and settings; notes on what was left
        out.

    Raises:
        ValueError: too few images for a score, or a file that `read_image` refuses.
    """
    a, b, classes, notes = matched(a, b, seed=seed, samples=samples, splits=splits)
    features_a, about_a = _features(a, "A", classes, extractor, batch, splits, progress)
    features_b, about_b = _features(b, "B", classes, extractor, batch, splits, progress)
    settings = Settings(
        is_splits=splits,
        overall_samples=len(classes) * int(np.bincount(features_a.labels).max()),  # that is, all
        seed=seed,
    )
    found, _ = score("A", [(features_a, features_b)], classes, settings, {})
    scores = {
        name: {key: found[name + end] for key, end in ENDS.items()}
        for name in found
        if f"{name}_low" in found and (len(classes) > 1 or name != "intra_fid")
    }
    about_a["inception_score"] |= scores.pop("inception_score")
    return {
        "a": about_a,
        "b": about_b,
        "scores": scores,
        **{name: found[name] for name in SETTINGS},
        "resize": extractor.resize,
        "seed": seed,
        "notes": notes,
    }


def matched(
    a: ImageSet, b: ImageSet, *, seed: int = 0, samples: int | None = None, splits: int = 10
) -> tuple[ImageSet, ImageSet, list[str], list[str]]:
    """Draw the images to score, and see that they are enough; nothing is decoded yet.

    Args:
        a, b, seed, samples, splits: see `compare`.

    Returns:
        the images of both sets, the classes to score one by one, and notes on what is left out.

    Raises:
        ValueError: too few images for a score.
    """
    same = a.path.resolve() == b.path.resolve()
    if samples is not None:
        a, b = (s.choose(samples, stream(seed, "compare", i)) for i, s in enumerate((a, b)))
    classes, notes = _shared_classes(a, b)
    for images in (a, b):
        _check_counts(images, classes, splits, "" if samples is None else "of those drawn ")
    return a, b, classes, notes + ["A and B are the same folder"] * same


def _check_counts(images: ImageSet, classes: Sequence[str], splits: int, which: str) -> None:
    count = len(images.readers)
    if splits > count:
        raise ValueError(f"{images.path} has {count} images, too few for --splits {splits}")
    counts = [count]
    if len(classes) > 1:
        by_name = Counter(images.labels)
        counts = [by_name[name] for name in classes]
        if min(counts) < 2:
            raise ValueError(
                f"class {classes[counts.index(min(counts))]} has 1 image {which}in {images.path}, "
                "but an intra-FID needs 2: add images, leave the class out of both folders, or "
                "ignore the classes (--no-classes)"
            )
    total = Settings.pairwise_samples
    paired = sum(min(n, share(total, len(counts), i)) for i, n in enumerate(counts))
    if paired <= Settings.prdc_k:
        raise ValueError(
            f"{images.path} has {paired} images, but precision to coverage need "
            f"{Settings.prdc_k + 1}: they look at the neighbour number {Settings.prdc_k} of each"
        )


def _features(
    images: ImageSet,
    name: str,
    classes: Sequence[str],
    extractor: Extractor,
    batch: int,
    splits: int,
    progress: bool,
) -> tuple[Features, dict[str, Any]]:
    reading = Reading(images)
    title = f"{name}: {images.path.name}" if progress else None
    features, logits = extract(reading, extractor, batch=batch, progress=title)
    labels = np.zeros(len(reading), np.int64)
    if len(classes) > 1:
        labels[:] = match(classes, images.labels, what="the other set", by=str(images.path))
    mean, deviation = inception_score(logits, splits)
    about = {
        "path": str(images.path),
        "kind": images.kind,
        "images": len(reading),
        "classes": None if images.labels is None else len(set(images.labels)),
        "sizes": dict(reading.sizes.most_common()),
        "inception_score": {"value": mean, "std": deviation},
        "pixels_sha256": reading.sha256,
    }
    made_by = extractor.name, extractor.sha256, extractor.input_size
    return Features(features, logits, labels, *made_by), about


def _shared_classes(a: ImageSet, b: ImageSet) -> tuple[list[str], list[str]]:
    """Return the names of the classes to score one by one, and a note where there are none."""
    if a.labels is None or b.labels is None:
        lacking = a if a.labels is None else b
        return ["all"], [f"no intra-FID: {lacking.path} is not sorted into classes"]
    ours, theirs = (sorted(set(images.labels)) for images in (a, b))
    try:
        match(theirs, ours, what=str(b.path), by=str(a.path), exact=True)
    except ClassMismatch as error:
        odd = sorted(error.missing + error.extra)
        return ["all"], [
            f"no intra-FID: {len(odd)} classes are in one folder only, such as {odd[0]} ({error})"
        ]
    if len(ours) == 1:
        return ["all"], ["no intra-FID: there is one class only"]
    return ours, []


def table(result: dict[str, Any]) -> str:
    """Return the result of `compare` as two tables for people: the sets, and the scores."""
    sets = result["a"], result["b"]
    about = [
        ["", "A", "B"],
        ["folder", *(s["path"] for s in sets)],
        ["images", *(f"{s['images']:,}" for s in sets)],
        ["classes", *("–" if s["classes"] is None else str(s["classes"]) for s in sets)],
        ["sizes", *(_sizes(s["sizes"]) for s in sets)],
        [
            "Inception score",
            *("{value:.2f} ± {std:.2f}".format(**s["inception_score"]) for s in sets),
        ],
    ]
    scores = [["", "A against B", "95 % interval"]] + [
        [name, f"{found['value']:.4g}", _interval(**found)]
        for name, found in result["scores"].items()
    ]
    made_by = f"extractor {result['extractor']}, {result['resize']}; seed {result['seed']}"
    return "\n".join([*_aligned(about), "", *_aligned(scores), "", made_by, *result["notes"]])


def _interval(value: float, low: float | None, high: float | None) -> str:
    return "–" if low is None else f"{low:.4g} to {high:.4g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [rows[0], ["-" * width for width in widths], *rows[1:]]
    ]


def _sizes(sizes: dict[str, int]) -> str:
    (first, _), *others = sizes.items()
    return f"{first} and {len(others)} other" if others else first
