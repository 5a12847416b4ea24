"""The largest and the mean step in feature space of interpolations along y and along z."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tinygan.features.extract import extract
from tinygan.features.extractor import Extractor
from tinygan.generation.interpolation_files import read_interpolation
from tinygan.metrics.smoothness import step_sizes

COLUMNS = ("source", "seed", "kind", "path", "largest", "mean")
# With z and y both interpolated, a step would mix the two.
_KINDS = ("y", "z")


def smoothness(
    manifests: Iterable[Path], extractor: Extractor, *, batch: int
) -> Iterator[dict[str, Any]]:
    """Measure every path of some folders of interpolations.

    Args:
        manifests: manifest.json of each folder.
        extractor: see `tinygan.features.extract.open_extractor`.
        batch: images per forward pass.

    Yields:
        one row per path of kind ``y`` or ``z``, with the keys `COLUMNS`.

    Raises:
        FileNotFoundError, ValueError: see `read_interpolation`.
    """
    for manifest in manifests:
        found = read_interpolation(manifest)
        for path, images in zip(found.paths, found.images, strict=True):
            if path["kind"] in _KINDS:
                features, _ = extract(images, extractor, batch=batch)
                steps = step_sizes(features)
                yield {
                    "source": found.source,
                    "seed": found.seed,
                    "kind": path["kind"],
                    "path": path["path"],
                    "largest": steps.max(),
                    "mean": steps.mean(),
                }
