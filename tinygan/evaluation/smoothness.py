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
        chosen = [i for i, path in enumerate(found.paths) if path["kind"] in _KINDS]
        images = found.images[chosen]
        # Of all paths together, in full batches.
        features, _ = extract(images.reshape(-1, *images.shape[2:]), extractor, batch=batch)
        features = features.reshape(*images.shape[:2], -1)
        for i, steps in zip(chosen, step_sizes(features), strict=True):
            yield {
                "source": found.source,
                "seed": found.seed,
                "kind": found.paths[i]["kind"],
                "path": found.paths[i]["path"],
                "largest": steps.max(),
                "mean": steps.mean(),
            }
