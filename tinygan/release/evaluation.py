"""What a run knows of a student and its folder does not: its scores beside others', and its data.

It is shared with the model as ``scores.json``, so that a released model can be released again. It
has no path of the machine. docs/reference/formats.md lists its keys.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tinygan.data.dataset import open_dataset

SCORES_FILE, FORMAT = "scores.json", 1
# What was scored: keys of `scores`.
SCORED = ("model", "teacher", "real")
# What is known of the real images by their source; licences are in the Hub's spelling.
_KNOWN = {
    "animal_mnist": {"shows": "silhouettes of animals, 28 x 28 px", "license": "mit"},
    "imagenet": {"title": "ImageNet (ILSVRC2012)", "shows": "photographs"},
    "image_folder": {"title": "a folder of images"},
}
# A model has the licence of its data only if its teacher does not restrict it further.
_OWN_TEACHER = "resources/mini_teacher"


class Metric(NamedTuple):
    """How to show a score.

    Attributes:
        title: its name in text.
        arrow: whether less of it is better, or more.
        decimals: to show.
        images: the key of the number of images that it is computed from.
        reference: the same of the real images; None if it needs none.
    """

    title: str
    arrow: str
    decimals: int
    images: str
    reference: str | None


# By key of a run's scores.
METRICS = {
    "fid": Metric("FID", "↓", 1, "overall_samples", "real_samples"),
    "intra_fid": Metric("intra-FID", "↓", 1, "samples", "real_samples"),
    "inception_score": Metric("Inception score", "↑", 2, "overall_samples", None),
    "kid": Metric("KID", "↓", 3, "pairwise_samples", "pairwise_samples"),
    "precision": Metric("Precision", "↑", 3, "pairwise_samples", "pairwise_samples"),
    "recall": Metric("Recall", "↑", 3, "pairwise_samples", "pairwise_samples"),
    "density": Metric("Density", "↑", 3, "pairwise_samples", "pairwise_samples"),
    "coverage": Metric("Coverage", "↑", 3, "pairwise_samples", "pairwise_samples"),
}


def evaluation(
    config: Mapping[str, Any], card: Mapping[str, Any], scores: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the content of ``scores.json``.

    Args:
        config: the run's config, validated and complete.
        card: the card.json of the student.
        scores: the run's scores of each of `SCORED`, see `tinygan.evaluation.scores.score`.
    """
    teacher, data = config["teacher"], _data(config["real"])
    is_own = os.path.normpath(teacher["handle"] or "") == _OWN_TEACHER
    return {
        "format": FORMAT,
        # Of the weights that were scored.
        "sha256": card["sha256"],
        "preset": config["preset"],
        "data": data,
        "teacher": {"kind": teacher["kind"], "name": _name(teacher["target"] or teacher["handle"])},
        "license": data.get("license") if is_own else None,
        "scores": {name: dict(scores[name]) for name in SCORED},
    }


def _data(real: Mapping[str, Any]) -> dict[str, str]:
    """Describe the real images of the config's section `real`."""
    source = real["source"]
    about = {"source": source, "title": source} | _KNOWN.get(source, {})
    dataset = open_dataset(source)
    if dataset.packaged:
        # Without an address, which may be a path.
        package = real["requirement"].partition("@")[0].strip()
        about |= {"title": dataset.title, "package": package}
    return about


def _name(teacher: str) -> str:
    """Return an address without its query, or the last part of a path."""
    return teacher.partition("?")[0] if "://" in teacher else Path(teacher).name
