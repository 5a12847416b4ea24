"""Score images against real images, each score with its confidence interval (section 5.2).

Classes are read part by part (a part is a shard), so memory does not grow with their number. The
classes of a part are scored in parallel; scores over all classes combine them in order of class. So
no result depends on the number of threads, or, up to rounding, on how classes are split into parts.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygan.evaluation.class_scores import ClassScores, score_classes
from tinygan.evaluation.parts import Part, add_classes, checked_parts
from tinygan.evaluation.score_sheet import sheet_scores
from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features
from tinygan.files import write_json, write_text
from tinygan.metrics.fid import Gaussian
from tinygan.metrics.inception_score import inception_score, inception_score_jackknife
from tinygan.metrics.jackknife import (
    NO_REPLICATES,
    Interval,
    TooFewSamples,
    assign_groups,
    interval,
    interval_of_mean,
)
from tinygan.metrics.kid import kid, kid_jackknife
from tinygan.metrics.leave_one_out import frechet_jackknife
from tinygan.metrics.moments import Moments
from tinygan.metrics.prdc import prdc, prdc_jackknife
from tinygan.seeding import stream

# The scores by which runs are compared, by names that leave room for a path in a terminal.
METRICS = {"fid": "fid", "intra_fid": "intra_fid", "is": "inception_score", "kid": "kid"}
INTRA_COLUMNS = ("class", "name", "intra_fid", "low", "high")


# A score of all images, and the scores without one group each, [G].
Jackknifed = tuple[float, np.ndarray]
Scored = tuple[float | None, Interval]


def score(
    source: str,
    parts: Iterable[Part],
    class_names: Sequence[str],
    settings: Settings,
    provenance: Mapping[str, Any],
    *,
    pairs: Iterable[Features] | None = None,
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
        pairs: harvested pairs of the classes of each part, see `score_classes`; None for none.
        progress: title of the progress bar over the classes; None for no bar.

    Returns:
        the scores: Inception score with its standard deviation over the splits, FID against all
        real images, mean and population standard deviation of intra-FID over the classes, KID,
        precision, recall, density and coverage, and those of `sheet_scores`; the 95 % interval of
        each (keys ..._low and ..._high, see `jackknife`; None if it has none, or if there are too
        few images); the numbers of images, the settings and the extractor. And the rows of the
        intra-FID table, one per class, with the keys `INTRA_COLUMNS`.

    Raises:
        ValueError: a class has no or too few images or real images, or is out of order; a label
            has no name; or the features are of different extractors.
    """
    classes: list[ClassScores] = []
    moments = None
    title = {"desc": progress, "unit": "class", "disable": progress is None}
    with tqdm(total=len(class_names), **title) as bar:
        checked = checked_parts(source, parts, class_names)
        for (images, real), some in zip(checked, pairs or repeat(None), strict=False):
            classes += score_classes(images, real, class_names, settings, bar.update, some)
            moments = add_classes(moments, real)
    return combine(source, classes, moments, class_names, settings, provenance)


def combine(
    source: str,
    classes: Sequence[ClassScores],
    real: Moments,
    class_names: Sequence[str],
    settings: Settings,
    provenance: Mapping[str, Any],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what `score` returns, from what each class contributes.

    Args:
        source, class_names, settings, provenance: see `score`.
        classes: see `score_classes`; all classes, in order.
        real: the moments of all real images.

    Raises:
        ValueError: a class is missing.
    """
    found = {scores.label for scores in classes}
    if missing := [name for i, name in enumerate(class_names) if i not in found]:
        raise ValueError(
            f"the scores of {source} lack {len(missing)} classes, such as {missing[0]}: give the "
            "files of all classes"
        )
    scores: dict[str, Any] = {"source": source} | _summary(classes, real, settings)
    if clash := scores.keys() & provenance.keys():
        raise ValueError(f"provenance must not have the keys of scores: {sorted(clash)}")
    rows = [
        dict(zip(INTRA_COLUMNS, (c.label, name, c.intra_fid, *c.interval), strict=True))
        for name, c in zip(class_names, classes, strict=True)
    ]
    return scores | dict(provenance), rows


def _summary(
    classes: Sequence[ClassScores], real_moments: Moments, settings: Settings
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


def _overall(
    classes: Sequence[ClassScores], real: Gaussian, settings: Settings
) -> dict[str, Scored]:
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
    scores |= {
        name: (value, interval(value, without.get(name, NO_REPLICATES)))
        for name, value in values.items()
    }
    return scores | sheet_scores(
        classes, features, real, pairwise, real_pairwise, pairwise_groups, settings.seed
    )


def _scored(with_groups: Callable[[], Jackknifed], whole: Callable[[], float]) -> Scored:
    try:
        value, without = with_groups()
    except TooFewSamples:
        return whole(), (None, None)
    return value, interval(value, without)


def write_scores(
    json_path: Path,
    csv_path: Path,
    metrics_path: Path | None,
    scores: dict[str, Any],
    rows: list[dict[str, Any]],
) -> None:
    """Write the two results of `score`, each file atomically.

    Args:
        json_path: file for the scores.
        csv_path: file for the rows.
        metrics_path: file for the `METRICS` with six significant digits; None for none.
        scores: see `score`.
        rows: see `score`; for ImageNet also with the key ``wnid``.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(csv_path, text.getvalue())
    write_json(json_path, scores)
    if metrics_path:
        shown = {key: scores[name] for key, name in METRICS.items() if scores[name] is not None}
        write_json(metrics_path, {key: float(f"{value:.6g}") for key, value in shown.items()})
