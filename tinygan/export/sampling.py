"""Sample the images of an exported generator that are scored."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tinygan.classes.by_name import match
from tinygan.export.session import OnnxGenerator
from tinygan.generation.sampling import Batch, draw


def draw_export(
    path: Path,
    classes: range,
    count: int,
    *,
    seed: int,
    batch: int,
    names: Sequence[str],
    threads: int = 1,
) -> tuple[Iterator[Batch], dict[str, Any]]:
    """Sample images with the z of the teacher's evaluation split, as `draw_model` does in PyTorch.

    Args:
        path: the ONNX file.
        classes: class indices.
        count: images per class.
        seed: the run's seed.
        batch: batch size of the generator.
        names: the names of the run's classes, in the order of the class index.
        threads: CPU threads.

    Returns:
        what `tinygan.generation.sampling.draw` yields, and its provenance.

    Raises:
        FileNotFoundError, ValueError: see `OnnxGenerator`; or the file lacks one of the classes.
    """
    generator = OnnxGenerator(path, threads=threads)
    labels = match(generator.classes, [names[label] for label in classes], what=str(path))
    settings = {"seed": seed, "truncation": generator.truncation, "batch": batch}
    batches = draw(
        generator,
        classes,
        count,
        z_dim=generator.z_dim,
        model_labels=dict(zip(classes, labels, strict=True)),
        **settings,
    )
    metadata = generator.metadata
    return batches, settings | {
        "generator": metadata["sha256"],
        "precision": metadata["precision"],
    }
