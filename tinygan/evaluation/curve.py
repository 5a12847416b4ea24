"""The learning curve (Fig. 8): scores of the snapshots saved during training."""

from pathlib import Path
from typing import Any

from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features
from tinygan.features.stream import open_run_extractor, stream_features
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
    with open_run_extractor(config, threads=threads) as extractor:
        features = stream_features(drawn, extractor, metrics["batch"])
    example.check_comparable(features)
    score, _ = inception_score(features.logits, metrics["is_splits"])
    fid = frechet_distance(features.features, real, offset=Settings.of(config).offset)
    return fid, score
