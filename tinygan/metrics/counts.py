"""How many images the scores need, compared with how many there are, before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Real images per class: the floor splits them into two halves, each with 2 for a covariance.
LEAST_REAL = 4


def share(total: int, classes: int, label: int) -> int:
    """Return how many of `total` images, drawn evenly from all classes, are of one class."""
    return total // classes + (label < total % classes)


def floor_samples(real: int, samples: int) -> int:
    """Return how many of a class's real images the floor scores, if models have `samples`."""
    return min(samples, real // 2)


def setting_problems(metrics: Mapping[str, Any], classes: int) -> Iterator[str]:
    """Yield the contradictions in the config's section `metrics`, for this number of classes."""
    samples, curve = metrics["samples_per_class"], metrics["curve_samples_per_class"]
    if metrics["overall_samples"] < classes:
        yield (
            f"metrics.overall_samples: {metrics['overall_samples']} images for {classes} classes; "
            f"every class needs one, so use {classes} or more"
        )
    of_curve = "samples for a point of the learning curve (metrics.curve_samples_per_class)"
    yield from _splits(metrics, curve * classes, of_curve)
    overall = sum(
        min(samples, share(metrics["overall_samples"], classes, i)) for i in range(classes)
    )
    yield from _splits(metrics, overall, "samples")


def real_problems(
    metrics: Mapping[str, Any], names: Sequence[str], counts: Sequence[int]
) -> Iterator[str]:
    """Yield what cannot be scored with these numbers of real images per class."""
    small = {name: n for name, n in zip(names, counts, strict=True) if n < LEAST_REAL}
    if small:
        shown = ", ".join(f"{name} has {_images(n)}" for name, n in list(small.items())[:5])
        rest = f" (and {len(small) - 5} more classes)" if len(small) > 5 else ""
        yield (
            f"real.path: class {shown}{rest}; the scores need at least {LEAST_REAL} per class, two "
            "to draw and two to compare them with: add images, or remove the class from `classes`"
        )
        return
    samples = metrics["samples_per_class"]
    yield from _all_classes(metrics, [samples] * len(counts), "samples")
    floor = [floor_samples(count, samples) for count in counts]
    yield from _all_classes(metrics, floor, "real images, half of them, for the floor")


def _all_classes(metrics: Mapping[str, Any], counts: Sequence[int], what: str) -> Iterator[str]:
    """Yield why the scores over all classes cannot be computed with these numbers of images."""
    overall, pairwise = (
        sum(min(count, share(metrics[key], len(counts), i)) for i, count in enumerate(counts))
        for key in ("overall_samples", "pairwise_samples")
    )
    yield from _splits(metrics, overall, what)
    if metrics["prdc_k"] >= pairwise:
        yield (
            f"metrics.prdc_k: {pairwise} {what} (at most metrics.pairwise_samples of them) are too "
            f"few for {metrics['prdc_k']} nearest neighbours; use fewer, or more images"
        )


def _splits(metrics: Mapping[str, Any], count: int, what: str) -> Iterator[str]:
    if metrics["is_splits"] > count:
        splits = metrics["is_splits"]
        yield f"metrics.is_splits: {splits} splits of {count} {what}; use fewer splits"


def _images(count: int) -> str:
    return {0: "no images", 1: "1 image"}.get(count, f"{count} images")
