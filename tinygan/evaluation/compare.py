"""Compare two sets of images, outside any pipeline.

The second set is the reference, e.g. the real images that generated ones are compared with.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.classes.by_name import ClassMismatch, match
from tinygan.evaluation.image_sets import ImageReader, ImageSet
from tinygan.evaluation.scores import score
from tinygan.evaluation.settings import Settings
from tinygan.evaluation.statistics import read_statistics
from tinygan.features.extract import extract
from tinygan.features.extractor import Extractor
from tinygan.features.files import Features
from tinygan.metrics.counts import share
from tinygan.metrics.inception_score import inception_score
from tinygan.metrics.leave_one_out import frechet_jackknife
from tinygan.seeding import stream

# Suffixes of the keys of `scores.score` for a score and the ends of its interval.
ENDS = {"value": "", "low": "_low", "high": "_high"}
# The other keys of its result that are passed on.
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
        a: the images to evaluate.
        b: the reference.
        extractor: see `tinygan.features.extract.open_extractor`.
        batch: images per batch.
        seed: seed of the random choices.
        samples: images to draw from each set; None takes all.
        splits: splits of the Inception score.
        progress: show a progress bar.

    Returns:
        for each set its path, kind, number of images and of classes, sizes, Inception score and
        the SHA-256 of its pixels; each score of `scores.score` with its interval, the means over
        classes (intra_...) only if both sets have the same two or more classes; what the scores
        depend on: extractor, its SHA-256, input size and resize, seed and settings; and notes on
        what was omitted.

    Raises:
        ValueError: too few images for a score, or a file that `read_image` refuses.
    """
    a, b, classes, notes = select_images(a, b, seed=seed, samples=samples, splits=splits)
    features_a, about_a = _features(a, "A", classes, extractor, batch, splits, progress)
    features_b, about_b = _features(b, "B", classes, extractor, batch, splits, progress)
    settings = Settings(
        is_splits=splits,
        overall_samples=len(classes) * int(np.bincount(features_a.labels).max()),  # all
        seed=seed,
    )
    result, _ = score("A", [(features_a, features_b)], classes, settings, {})
    scores = {
        name: {key: result[name + end] for key, end in ENDS.items()}
        for name in result
        if f"{name}_low" in result and (len(classes) > 1 or not name.startswith("intra_"))
    }
    about_a["inception_score"] |= scores.pop("inception_score")
    return {
        "a": about_a,
        "b": about_b,
        "scores": scores,
        **{name: result[name] for name in SETTINGS},
        "resize": extractor.resize,
        "seed": seed,
        "notes": notes,
    }


def compare_with_statistics(
    a: ImageSet,
    path: Path,
    extractor: Extractor,
    *,
    batch: int = 100,
    seed: int = 0,
    samples: int | None = None,
    splits: int = 10,
    progress: bool = True,
) -> dict[str, Any]:
    """Compute the FID of the images of `a` against a mean and covariance in a .npz file.

    Args:
        a, extractor, batch, seed, samples, splits, progress: see `compare`.
        path: see `tinygan.evaluation.statistics`.

    Returns:
        as `compare`; ``b`` has path, kind and dimensions.

    Raises:
        ValueError: too few images, other dimensions than the extractor's, or not a covariance.
    """
    reference = read_statistics(path)
    if samples is not None:
        a = a.choose(samples, stream(seed, "compare", 0))
    _check_splits(a, splits)
    features, about = _features(a, "A", ["all"], extractor, batch, splits, progress)
    x, dimensions = features.features, len(reference.mean)
    if x.shape[1] != dimensions:
        raise ValueError(
            f"{path} is of {dimensions} features, but {extractor.name} has {x.shape[1]}: give the "
            "extractor that it was made with"
        )
    value, variance = frechet_jackknife(x, reference)
    low, high = variance.interval(value)
    return {
        "a": about,
        "b": {"path": str(path), "kind": "statistics", "dimensions": dimensions},
        "scores": {"fid": {"value": value, "low": low, "high": high}},
        "extractor": extractor.name,
        "extractor_sha256": extractor.sha256,
        "input_size": extractor.input_size,
        "resize": extractor.resize,
        "seed": seed,
        "notes": [
            "B is a mean and a covariance: only the FID can be computed, and it means something "
            "only if they are of this extractor, at this input size and resize"
        ],
    }


def select_images(
    a: ImageSet, b: ImageSet, *, seed: int = 0, samples: int | None = None, splits: int = 10
) -> tuple[ImageSet, ImageSet, list[str], list[str]]:
    """Draw the images to score, and check that there are enough; nothing is decoded yet.

    Args:
        a, b, seed, samples, splits: see `compare`.

    Returns:
        the selected images of both sets, the classes to score one by one (``["all"]`` for no
        classes), and notes on what is omitted.

    Raises:
        ValueError: too few images for a score.
    """
    same = a.path.resolve() == b.path.resolve()
    if samples is not None:
        a, b = (s.choose(samples, stream(seed, "compare", i)) for i, s in enumerate((a, b)))
    classes, notes = _shared_classes(a, b)
    for images in (a, b):
        _check_splits(images, splits)
        _check_counts(images, classes, "" if samples is None else "of those drawn ")
    return a, b, classes, notes + ["A and B are the same folder"] * same


def _check_splits(images: ImageSet, splits: int) -> None:
    if splits > (count := len(images.readers)):
        raise ValueError(f"{images.path} has {count} images, too few for --splits {splits}")


def _check_counts(images: ImageSet, classes: Sequence[str], which: str) -> None:
    counts = [len(images.readers)]
    if len(classes) > 1:
        by_name = Counter(images.labels)
        counts = [by_name[name] for name in classes]
        if min(counts) < 2:
            raise ValueError(
                f"class {classes[counts.index(min(counts))]} has 1 image {which}in {images.path}, "
                "but an intra-FID needs 2: add images, remove the class from both folders, or "
                "ignore the classes (--no-classes)"
            )
    total = Settings.pairwise_samples
    pairwise = sum(min(n, share(total, len(counts), i)) for i, n in enumerate(counts))
    if pairwise <= Settings.prdc_k:
        raise ValueError(
            f"{images.path} has {pairwise} images, but precision, recall, density and coverage "
            f"need {Settings.prdc_k + 1}, for {Settings.prdc_k} nearest neighbours"
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
    """Return the features of a set and its entry in the result of `compare`."""
    reader = ImageReader(images)
    title = f"{name}: {images.path.name}" if progress else None
    features, logits = extract(reader, extractor, batch=batch, progress=title)
    labels = np.zeros(len(reader), np.int64)
    if len(classes) > 1:
        labels[:] = match(classes, images.labels, what="the other set", by=str(images.path))
    mean, deviation = inception_score(logits, splits)
    about = {
        "path": str(images.path),
        "kind": images.kind,
        "images": len(reader),
        "classes": None if images.labels is None else len(set(images.labels)),
        "sizes": dict(reader.sizes.most_common()),
        "inception_score": {"value": mean, "std": deviation},
        "pixels_sha256": reader.sha256,
    }
    identity = extractor.name, extractor.sha256, extractor.input_size
    return Features(features, logits, labels, *identity), about


def _shared_classes(a: ImageSet, b: ImageSet) -> tuple[list[str], list[str]]:
    """Return the names of the classes to score one by one, and a note if there are none."""
    if a.labels is None or b.labels is None:
        unsorted = a if a.labels is None else b
        return ["all"], [f"no intra-FID: {unsorted.path} is not sorted into classes"]
    classes_a, classes_b = (sorted(set(images.labels)) for images in (a, b))
    try:
        match(classes_b, classes_a, what=str(b.path), by=str(a.path), exact=True)
    except ClassMismatch as error:
        unshared = sorted(error.missing + error.extra)
        return ["all"], [
            f"no intra-FID: {len(unshared)} classes are in one folder only, such as {unshared[0]} "
            f"({error})"
        ]
    if len(classes_a) == 1:
        return ["all"], ["no intra-FID: there is only one class"]
    return classes_a, []


def table(result: dict[str, Any]) -> str:
    """Format the result of `compare` as two text tables: the sets, and the scores."""
    sets = result["a"], result["b"]
    about = [
        ["", "A", "B"],
        ["path", *(s["path"] for s in sets)],
        *([name, *(_cell(s, name) for s in sets)] for name in ("images", "classes", "sizes")),
        ["Inception score", *(_cell(s, "inception_score") for s in sets)],
    ]
    scores = [["", "A against B", "95 % interval"]] + [
        [name, f"{entry['value']:.4g}", _interval(**entry)]
        for name, entry in result["scores"].items()
    ]
    settings = f"extractor {result['extractor']}, {result['resize']}; seed {result['seed']}"
    return "\n".join([*_aligned(about), "", *_aligned(scores), "", settings, *result["notes"]])


def _cell(about: dict[str, Any], name: str) -> str:
    """Format what is known of a set; a file of statistics has no images."""
    value = about.get(name)
    if value is None:
        return "–"
    if name == "sizes":
        (first, _), *others = value.items()
        return f"{first} and {len(others)} other" if others else first
    if name == "inception_score":
        return "–" if value["value"] is None else f"{value['value']:.2f} ± {value['std']:.2f}"
    return f"{value:,}"


def _interval(value: float, low: float | None, high: float | None) -> str:
    return "–" if low is None else f"{low:.4g} to {high:.4g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [rows[0], ["-" * width for width in widths], *rows[1:]]
    ]
