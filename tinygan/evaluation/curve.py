"""The learning curve (Fig. 8): scores of the snapshots saved during training."""

from pathlib import Path
from typing import Any

import numpy as np

from tinygan.evaluation.scores import Settings
from tinygan.features.extract import extract, open_extractor
from tinygan.features.extractor import environment_of
from tinygan.features.files import Features
from tinygan.generation.sampling import draw, labels_in_model
from tinygan.metrics.fid import Gaussian, frechet_distance
from tinygan.metrics.inception_score import inception_score
from tinygan.models.io import load_generator, read_card


def curve_point(
    model: Path,
    step: int,
    real: Gaussian,
    example: Features,
    config: dict[str, Any],
    *,
    threads: int,
) -> tuple[float, float]:
    """Score one snapshot on `metrics.curve_samples_per_class` samples per class.

    Args:
        model: the model's folder.
        step: the snapshot's step.
        real: the Gaussian of the features of all real images.
        example: any features of real images, to check that they are comparable.
        config: the run's config.
        threads: CPU threads.

    Returns:
        FID against all real images, and Inception score.

    Raises:
        FileNotFoundError, ValueError: see `tinygan.models.io.load_generator`.
        ValueError: the features of the real images are of another extractor or input size, or the
            model lacks classes of the run.
    """
    metrics, classes = config["metrics"], range(len(config["classes"]))
    card, model_labels = read_card(model), None
    if "classes" in card:
        model_labels = labels_in_model(model, card, config["classes"], classes)
    count = metrics["curve_samples_per_class"]
    drawn = draw(
        load_generator(model, step, device=config["device"]),
        classes,
        count,
        seed=config["seed"],
        z_dim=config["z_dim"],
        truncation=config["teacher"]["truncation"],
        batch=metrics["batch"],
        model_labels=model_labels,
    )
    with open_extractor(
        metrics["extractor"],
        input_size=metrics["input_size"],
        threads=threads,
        graph=metrics["inception_graph"],
        device=_extractor_device(config),
    ) as extractor:
        # Extract batch by batch: 50,000 images of 128 px would take 2.5 GB.
        parts = [extract(images, extractor, batch=metrics["batch"]) for images, *_ in drawn]
    features = Features(
        *(np.concatenate(part) for part in zip(*parts, strict=True)),
        np.repeat(classes, count),
        extractor.name,
        extractor.sha256,
        extractor.input_size,
    )
    example.check_comparable(features)
    score, _ = inception_score(features.logits, metrics["is_splits"])
    fid = frechet_distance(features.features, real, offset=Settings.of(config).offset)
    return fid, score


def _extractor_device(config: dict[str, Any]) -> str:
    """Return the extractor's device: with PyTorch on the GPU, TensorFlow may have none.

    The CUDA libraries of the two cannot be installed into one environment.
    """
    is_torch = environment_of(config["metrics"]["extractor"]) == "torch"
    return config["device"] if is_torch or config["device"] == "cpu" else "auto"
