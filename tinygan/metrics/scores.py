"""The scores of a source: Inception score, FID and intra-FID, and their files (section 5.2)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.files import write_json, write_text
from tinygan.metrics.features import Features
from tinygan.metrics.frechet import frechet_distance
from tinygan.metrics.inception_score import inception_score

INTRA_COLUMNS = ("class", "name", "intra_fid")


def score(
    source: str,
    images: Features,
    real: Features,
    class_names: Sequence[str],
    splits: int,
    provenance: dict[str, Any],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Score images against real images.

    Args:
        source: what made the images, e.g. ``"teacher"``.
        images: features of the images, in order of class.
        real: features of all real images.
        class_names: names of the classes, in the order of the class index.
        splits: splits of the Inception score.
        provenance: what else the scores depend on (side, seed, truncation); copied into the result.

    Returns:
        the scores: Inception score of `images` with its deviation over the splits, FID of all
        images against all real images, mean and population standard deviation over the classes of
        the intra-FID, the numbers of images, the extractor; and the rows of the intra-FID table,
        one a class, with the keys class, name and intra_fid.

    Raises:
        ValueError: a class has no images or too few on either side, a label has no name, or the
            features are of different extractors.
    """
    real.check_comparable(images)
    for side, features in ((source, images), ("real", real)):
        _check_classes(side, features.labels, class_names)
    rows = [
        {"class": label, "name": name, "intra_fid": _intra_fid(label, name, images, real)}
        for label, name in enumerate(class_names)
    ]
    intra = [row["intra_fid"] for row in rows]
    mean, deviation = inception_score(images.logits, splits)
    scores = {
        "source": source,
        "inception_score": mean,
        "inception_score_std": deviation,
        "fid": frechet_distance(images.features, real.features),
        "intra_fid": float(np.mean(intra)),
        "intra_fid_std": float(np.std(intra)),
        "samples": len(images),
        "real_samples": len(real),
        "extractor": images.extractor,
        "extractor_sha256": images.extractor_sha256,
    }
    if clash := scores.keys() & provenance.keys():
        raise ValueError(f"provenance must not hold the keys of scores: {sorted(clash)}")
    return scores | provenance, rows


def split_floor(real: Features) -> tuple[Features, Features]:
    """Return the even and the odd rows of each class of real images.

    One half scored against the other is the floor: what a perfect generator would score with as
    many samples as a half holds.
    """
    odd = np.zeros(len(real), dtype=bool)
    for label in np.unique(real.labels):
        odd[np.flatnonzero(real.labels == label)[1::2]] = True
    if not odd.any():
        raise ValueError("no class has two real images, so they cannot be halved")
    return real.take(~odd), real.take(odd)


def write_scores(
    json_path: Path, csv_path: Path, scores: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    """Write the two results of `score`, each file whole or not at all."""
    text = io.StringIO()
    table = csv.DictWriter(text, INTRA_COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(csv_path, text.getvalue())
    write_json(json_path, scores)


def _check_classes(side: str, labels: np.ndarray, class_names: Sequence[str]) -> None:
    found = set(np.unique(labels).tolist())
    expected = set(range(len(class_names)))
    if missing := sorted(expected - found):
        names = ", ".join(class_names[label] for label in missing[:5])
        raise ValueError(f"{side} images lack {len(missing)} classes: {names}; give all shards")
    if unknown := sorted(found - expected):
        raise ValueError(
            f"{side} images have labels {unknown[:5]}, "
            f"but the config names only {len(class_names)} classes"
        )


def _intra_fid(label: int, name: str, images: Features, real: Features) -> float:
    ours, theirs = (f.features[f.labels == label] for f in (images, real))
    try:
        return frechet_distance(ours, theirs)
    except ValueError as error:
        raise ValueError(f"class {label} ({name}): {error}") from error
