"""Score images against real images, each score with its confidence interval (section 5.2).

Classes are read part by part (a part is a shard), so memory does not grow with their number. The
classes of a part are scored in parallel; scores over all classes combine them in order of class. So
no result depends on the number of threads, or, up to rounding, on how classes are split into parts.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from tqdm import tqdm

from tinygan.evaluation.parts import Part, checked_parts
from tinygan.features.files import Features
from tinygan.files import write_json, write_text
from tinygan.metrics.counts import share
from tinygan.metrics.fid import AUTHORS_OFFSET, Gaussian
from tinygan.metrics.inception_score import inception_score, inception_score_jackknife
from tinygan.metrics.jackknife import (
    NO_REPLICATES,
    Interval,
    TooFewSamples,
    Variance,
    assign_groups,
    interval,
    interval_of_mean,
)
from tinygan.metrics.kid import kid, kid_jackknife
from tinygan.metrics.leave_one_out import frechet_jackknife
from tinygan.metrics.moments import Moments
from tinygan.metrics.prdc import prdc, prdc_jackknife
from tinygan.seeding import stream

INTRA_COLUMNS = ("class", "name", "intra_fid", "low", "high")


@dataclass(frozen=True)
class Settings:
    """How to score.

    Attributes:
        is_splits: splits of the Inception score.
        overall_samples: images of all classes together for Inception score and FID, drawn evenly
            from the classes; all if there are fewer. Intra-FID always uses all images.
        pairwise_samples: images, and real images, for KID and `prdc`, which compare all pairs;
            drawn in the same way.
        prdc_k: number of nearest neighbours k of `prdc`.
        jackknife_groups: groups of the jackknife of all scores but FID and intra-FID; at most the
            number of images.
        fid_mode: ``"exact"``, or ``"authors"`` to reproduce what the authors' released script runs:
            their NumPy code, with an offset, for the FID; TF-GAN's distance, without, for the
            intra-FIDs.
        seed: the run's seed; it determines which images are drawn and how they are grouped.
        threads: classes scored at the same time.
    """

    is_splits: int = 10
    overall_samples: int = 50_000
    pairwise_samples: int = 10_000
    prdc_k: int = 5
    jackknife_groups: int = 20
    fid_mode: str = "exact"
    seed: int = 0
    threads: int = 1

    @classmethod
    def of(cls, config: Mapping[str, Any], *, threads: int = 1) -> Self:
        """Build the settings from a run's config."""
        names = ("is_splits", "overall_samples", "pairwise_samples", "prdc_k", "jackknife_groups")
        chosen = {name: config["metrics"][name] for name in (*names, "fid_mode")}
        return cls(**chosen, seed=config["seed"], threads=threads)

    @property
    def offset(self) -> float:
        """The `offset` of `frechet_distance` for the FID over all classes."""
        return {"exact": 0.0, "authors": AUTHORS_OFFSET}[self.fid_mode]


# A score of all images, and the scores without one group each, [G].
Jackknifed = tuple[float, np.ndarray]
Scored = tuple[float, Interval]
_COVARIANCE = "an intra-FID needs at least 2 images and 2 real images of the class"


@dataclass(frozen=True)
class _Class:
    """The contribution of one class: its intra-FID, and rows for the scores over all classes."""

    samples: int
    intra_fid: float
    variance: Variance
    overall: Features
    pairwise: np.ndarray
    real_pairwise: np.ndarray

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the intra-FID."""
        return self.variance.interval(self.intra_fid)


def score(
    source: str,
    parts: Iterable[Part],
    class_names: Sequence[str],
    settings: Settings,
    provenance: Mapping[str, Any],
    *,
    progress: str | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Score images against real images.

    Args:
        source: where the images come from, e.g. ``"teacher"``.
        parts: images and real images, each part with all images of some classes, in ascending
            order of class; one part is in memory at a time.
        class_names: names of the classes, in the order of the class index.
        settings: how to score.
        provenance: what else the scores depend on (seed, truncation); copied into the result.
        progress: title of the progress bar over the classes; None for no bar.

    Returns:
        the scores: Inception score with its standard deviation over the splits, FID against all
        real images, mean and population standard deviation of intra-FID over the classes, KID,
        precision, recall, density and coverage; the 95 % interval of each (keys ..._low and
        ..._high, see `jackknife`; None if there are too few images); the numbers of images, the
        settings and the extractor. And the rows of the intra-FID table, one per class, with the
        keys `INTRA_COLUMNS`.

    Raises:
        ValueError: a class has no or too few images or real images, or is out of order; a label
            has no name; or the features are of different extractors.
    """
    classes: list[_Class] = []
    real_moments = None
    title = {"desc": progress, "unit": "class", "disable": progress is None}
    with ThreadPoolExecutor(settings.threads) as pool, tqdm(total=len(class_names), **title) as bar:
        for images, real in checked_parts(source, parts, class_names):
            score_class = partial(_score_class, images, real, class_names, settings)
            for result, moments in pool.map(score_class, np.unique(real.labels).tolist()):
                classes.append(result)
                real_moments = real_moments.merge(moments) if real_moments else moments
                bar.update()
    scores: dict[str, Any] = {"source": source} | _summary(classes, real_moments, settings)
    if clash := scores.keys() & provenance.keys():
        raise ValueError(f"provenance must not have the keys of scores: {sorted(clash)}")
    rows = [
        dict(zip(INTRA_COLUMNS, (i, name, c.intra_fid, *c.interval), strict=True))
        for i, (name, c) in enumerate(zip(class_names, classes, strict=True))
    ]
    return scores | dict(provenance), rows


def _summary(
    classes: Sequence[_Class], real_moments: Moments, settings: Settings
) -> dict[str, Any]:
    """Return the scores over all classes, the numbers of images, the settings and extractor."""
    scores: dict[str, Any] = {}
    real = Gaussian.of_moments(real_moments)
    for name, (value, (low, high)) in _overall(classes, real, settings).items():
        scores |= {name: value, f"{name}_low": low, f"{name}_high": high}
    logits = np.concatenate([c.overall.logits for c in classes])
    return scores | {
        "inception_score_std": inception_score(logits, settings.is_splits)[1],
        "intra_fid_std": float(np.std([c.intra_fid for c in classes])),
        "samples": sum(c.samples for c in classes),
        "overall_samples": len(logits),
        "pairwise_samples": sum(len(c.pairwise) for c in classes),
        "real_samples": real_moments.count,
        "fid_mode": settings.fid_mode,
        "prdc_k": settings.prdc_k,
        "jackknife_groups": settings.jackknife_groups,
        "extractor": classes[0].overall.extractor,
        "extractor_sha256": classes[0].overall.extractor_sha256,
        "input_size": classes[0].overall.input_size,
    }


def _score_class(
    images: Features, real: Features, class_names: Sequence[str], settings: Settings, label: int
) -> tuple[_Class, Moments]:
    """Score one class and draw its images for the overall scores; also return its real moments."""
    images, real = (f.take(f.labels == label) for f in (images, real))
    totals = settings.overall_samples, settings.pairwise_samples
    overall, pairwise = (share(total, len(class_names), label) for total in totals)
    rng = stream(settings.seed, "metrics/images", label)
    order, real_order = rng.permutation(len(images)), rng.permutation(len(real))
    try:
        if min(len(images), len(real)) < 2:
            raise ValueError(f"{_COVARIANCE}, not {len(images)} and {len(real)}")
        intra_fid, variance = frechet_jackknife(images.features, real.features)
        return _Class(
            samples=len(images),
            intra_fid=intra_fid,
            variance=variance,
            overall=images.take(np.sort(order[:overall])),
            pairwise=images.features[np.sort(order[:pairwise])],
            real_pairwise=real.features[np.sort(real_order[:pairwise])],
        ), Moments.of(real.features)
    except ValueError as error:
        raise ValueError(f"class {label} ({class_names[label]}): {error}") from error


def _overall(classes: Sequence[_Class], real: Gaussian, settings: Settings) -> dict[str, Scored]:
    """Return every score over all classes, with its interval."""
    features = np.concatenate([c.overall.features for c in classes])
    logits = np.concatenate([c.overall.logits for c in classes])
    labels = np.concatenate([c.overall.labels for c in classes])
    pairwise, real_pairwise = (
        np.concatenate([getattr(c, name) for c in classes])
        for name in ("pairwise", "real_pairwise")
    )
    rng, g = stream(settings.seed, "metrics/groups"), settings.jackknife_groups
    groups, pairwise_groups = (
        assign_groups(len(a), min(g, len(a)), rng) for a in (features, pairwise)
    )
    splits, k, offset = settings.is_splits, settings.prdc_k, settings.offset
    inception, _ = inception_score(logits, splits)
    fid, variance = frechet_jackknife(features, real, labels, offset=offset)
    intra_fids = [c.intra_fid for c in classes]
    scores = {
        "inception_score": (None, (None, None))
        if inception is None
        else _scored(
            lambda: (inception, inception_score_jackknife(logits, splits, groups)),
            lambda: inception,
        ),
        "fid": (fid, variance.interval(fid)),
        "intra_fid": (
            float(np.mean(intra_fids)),
            interval_of_mean(intra_fids, [c.variance for c in classes]),
        ),
        "kid": _scored(
            lambda: kid_jackknife(pairwise, real_pairwise, pairwise_groups),
            lambda: kid(pairwise, real_pairwise),
        ),
    }
    try:
        values, without = prdc_jackknife(pairwise, real_pairwise, k, pairwise_groups)
    except TooFewSamples:
        values, without = prdc(pairwise, real_pairwise, k), {}
    return scores | {
        name: (value, interval(value, without.get(name, NO_REPLICATES)))
        for name, value in values.items()
    }


def _scored(with_groups: Callable[[], Jackknifed], whole: Callable[[], float]) -> Scored:
    try:
        value, without = with_groups()
    except TooFewSamples:
        return whole(), (None, None)
    return value, interval(value, without)


def write_scores(
    json_path: Path, csv_path: Path, scores: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    """Write the two results of `score`, each file atomically.

    Args:
        json_path: file for the scores.
        csv_path: file for the rows.
        scores: see `score`.
        rows: see `score`; for ImageNet also with the key ``wnid``.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(csv_path, text.getvalue())
    write_json(json_path, scores)
