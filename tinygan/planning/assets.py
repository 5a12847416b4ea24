"""The assets that a run reads and that are not in the cache yet."""

from collections.abc import Collection, Mapping
from typing import Any

from tinygan.assets.cache import PREFIX, asset_name, is_asset, is_present
from tinygan.features.extractor import INCEPTION, asset_of

_STEPS = ("harvest", "features", "source")


def missing_assets(config: Mapping[str, Any], steps: Collection[str] = _STEPS) -> list[str]:
    """Return the names of assets that some steps read and that have not been fetched.

    Args:
        config: validated.
        steps: some of harvest or interpolate_teacher, which read the teacher; features, curve or
            smoothness, which read the weights of the extractor; and source, which reads the
            external sources.
    """
    teacher, metrics = config["teacher"], config["metrics"]
    values: list[tuple[str | None, str | None]] = []
    if {"harvest", "interpolate_teacher"} & set(steps):
        values.append((teacher["handle"], teacher["kind"]))
    if {"features", "curve", "smoothness"} & set(steps):
        if asset := asset_of(metrics["extractor"]):
            values.append((f"{PREFIX}{asset}", None))
        elif metrics["extractor"] in INCEPTION:
            values.append((metrics["inception_graph"], None))
    if "source" in steps:
        values += [(folder, None) for folder in config["sources"].values()]
    names = [asset_name(value, kind) for value, kind in values if is_asset(value)]
    return [name for name in dict.fromkeys(names) if not is_present(name)]
