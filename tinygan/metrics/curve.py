"""The learning curve (Fig. 8): scores of the generators kept during training."""

from pathlib import Path
from typing import Any

from tinygan.checkpoint import load_generator
from tinygan.metrics.extractors import INCEPTION_URL
from tinygan.metrics.features import Features, features_of
from tinygan.metrics.frechet import Gaussian, frechet_distance
from tinygan.metrics.inception_score import inception_score
from tinygan.metrics.scores import Settings
from tinygan.sampling import sample


def curve_point(
    model: Path,
    step: int,
    real: Gaussian,
    example: Features,
    config: dict[str, Any],
    *,
    threads: int,
) -> tuple[float, float]:
    """Score one snapshot on `metrics.curve_samples_per_class` samples of every class.

    Args:
        model: the model's folder.
        step: the snapshot's step.
        real: the Gaussian of the features of all real images.
        example: any of the real images' features.
        config: the run's config.
        threads: CPU threads.

    Returns:
        FID against all real images, and the Inception score.

    Raises:
        FileNotFoundError, ValueError: see `tinygan.checkpoint.load_generator`.
        ValueError: the real images' features are of another extractor or size.
    """
    metrics = config["metrics"]
    images, labels, _ = sample(
        load_generator(model, step),
        range(len(config["classes"])),
        metrics["curve_samples_per_class"],
        seed=config["seed"],
        z_dim=config["z_dim"],
        truncation=config["teacher"]["truncation"],
        batch=metrics["batch"],
    )
    features = features_of(
        images,
        labels,
        extractor=metrics["extractor"],
        graph=metrics.get("inception_graph", INCEPTION_URL),
        side=metrics["side"],
        batch=metrics["batch"],
        threads=threads,
        progress=f"features at step {step}",
    )
    example.check_comparable(features)
    score, _ = inception_score(features.logits, metrics["is_splits"])
    fid = frechet_distance(features.features, real, offset=Settings.of(config).offset)
    return fid, score
