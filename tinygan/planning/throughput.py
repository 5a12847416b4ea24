"""Measure the throughput of each step of a run with a few batches of synthetic data.

Every public function but `iteration` takes the config and returns images (or classes) per second.
PyTorch and TensorFlow are imported in the functions that need them.
"""

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinygan.config.derived import resolve_variant
from tinygan.features.extractor import outputs_of
from tinygan.planning.disk import real_counts
from tinygan.runtime import configure_torch, device_of

# Width and height of the synthetic photograph in pixels: the median of ImageNet.
_PHOTOGRAPH = (500, 375)


def _rate(work: Callable[[], object], amount: int, seconds: float = 1.0) -> float:
    """Call a function repeatedly for about `seconds`, after one call to warm up.

    Args:
        work: the function.
        amount: images or classes per call.
        seconds: duration of the measurement.

    Returns:
        Images or classes per second.
    """
    work()
    started, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - started < seconds:
        work()
        calls += 1
    return calls * amount / (time.perf_counter() - started)


def _images(config: Mapping[str, Any], count: int) -> np.ndarray:
    size = config["image_size"]
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def real(config: Mapping[str, Any], crop: str) -> float:
    """Crop and resize a synthetic photograph of ImageNet's median size; return images per second.

    Args:
        config: validated.
        crop: ``sngan`` or ``biggan``.
    """
    from PIL import Image

    from tinygan.data.crops import crop_of

    real, file = config["real"], io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (47, 63, 3), dtype=np.uint8)
    photograph = Image.fromarray(noise).resize(_PHOTOGRAPH, Image.Resampling.BICUBIC)
    photograph.save(file, "JPEG", quality=95)
    size, quality = config["image_size"], real["jpeg_quality"]
    prepare = crop_of(crop, size, quality, draft=real["draft"])
    return _rate(lambda: prepare(io.BytesIO(file.getvalue())), 1)


def harvest(config: Mapping[str, Any]) -> float:
    """Run a batch through the teacher; return images per second."""
    from tinygan.teacher.open import open_teacher

    teacher, _ = open_teacher(config, threads=1)
    batch, truncation = config["teacher"]["batch"], config["teacher"]["truncation"]
    z, labels = np.zeros((batch, config["z_dim"]), np.float32), np.zeros(batch, np.int64)
    return _rate(lambda: teacher(z, labels, truncation), batch)


def iteration(config: Mapping[str, Any]) -> Callable[[bool], None]:
    """Return a function that performs one training step on synthetic data, for timing.

    Args:
        config: resolved for the variant, see `tinygan.config.derived.resolve_variant`.

    Returns:
        A function of one argument, whether the student's adversarial terms enter. It waits for the
        device.
    """
    import torch

    from tinygan.models.pixels import normalize
    from tinygan.training.data import Batch
    from tinygan.training.settings import Settings
    from tinygan.training.step import TrainingStep

    settings = Settings.of(config)
    step, train = TrainingStep.of(settings), settings.train

    def images() -> torch.Tensor:
        return normalize(_images(config, train.batch)).to(step.device)

    def z() -> torch.Tensor:
        return torch.randn(train.batch, settings.z_dim, device=step.device)

    labels = torch.arange(train.batch, device=step.device) % settings.classes
    batch = Batch()
    if settings.loss.uses_teacher:
        batch.z, batch.y, batch.teacher = z(), labels, images()
    if settings.loss.uses_real:
        batch.fresh_z, batch.real_y, batch.real = z(), labels, images()
    # The weights of step 1, where the pixel term has its full weight, without and with the
    # adversarial terms.
    weights = {False: settings.loss.at(1, replace(train, adversarial_every=2))}
    weights[True] = settings.loss.at(1, replace(train, adversarial_every=1))

    def iterate(adversarial: bool) -> None:
        step(batch, weights[adversarial])
        if step.device.type == "cuda":
            torch.cuda.synchronize()

    return iterate


def train(config: Mapping[str, Any], name: str) -> float:
    """Run training steps of a variant; return pairs per second."""
    config = resolve_variant(config, name)
    configure_torch(config["train"]["threads"])
    iterate, every = iteration(config), config["train"]["adversarial_every"]
    plain, adversarial = (1 / _rate(lambda a=a: iterate(a), 1) for a in (False, True))
    return config["train"]["batch"] / (plain + (adversarial - plain) / every)


def sample(config: Mapping[str, Any], name: str) -> float:
    """Draw a batch of images of a variant's generator; return images per second."""
    import torch

    from tinygan.models.pixels import to_uint8
    from tinygan.training.settings import Settings
    from tinygan.training.step import build_networks

    config, batch = resolve_variant(config, name), config["metrics"]["batch"]
    configure_torch(1)
    generator, _ = build_networks(Settings.of(config))
    z_dim = config["z_dim"]
    device = device_of(config["device"])
    generator.to(device, memory_format=torch.channels_last).eval()
    z = torch.zeros(batch, z_dim, device=device)
    y = torch.zeros(batch, dtype=torch.long, device=device)
    with torch.no_grad():
        return _rate(lambda: to_uint8(generator(z, y)), batch)


def features(config: Mapping[str, Any]) -> float:
    """Run the extractor on a batch; return images per second."""
    from tinygan.features.extract import open_extractor

    metrics = config["metrics"]
    images = _images(config, metrics["batch"])
    with open_extractor(
        metrics["extractor"],
        input_size=metrics["input_size"],
        threads=1,
        device=config["device"],
    ) as extractor:
        return _rate(lambda: extractor.run(images), len(images))


def score(config: Mapping[str, Any]) -> float:
    """Score one class, without the scores over all classes; return classes per second."""
    from tinygan.evaluation.scores import score as score_class
    from tinygan.evaluation.settings import Settings
    from tinygan.features.files import Features

    metrics, classes = config["metrics"], len(config["classes"])
    real_per_class = max(1, sum(real_counts(config, config["classes"])) // classes)
    dimensions, num_logits = outputs_of(metrics["extractor"])
    rng = np.random.default_rng(0)

    def synthetic(count: int) -> Features:
        features = rng.random((count, dimensions), np.float32)
        logits = rng.random((count, num_logits), np.float32)
        return Features(features, logits, np.zeros(count, np.int64), metrics["extractor"], "")

    images, real = synthetic(metrics["samples_per_class"]), synthetic(real_per_class)
    settings = replace(
        Settings.of(config),
        overall_samples=metrics["overall_samples"] // classes,
        pairwise_samples=metrics["pairwise_samples"] // classes,
        is_splits=1,
    )
    return _rate(lambda: score_class("plan", [(images, real)], ["class"], settings, {}), 1)
