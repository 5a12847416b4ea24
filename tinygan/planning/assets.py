"""The assets that a run reads and that are not in the cache yet."""

from collections.abc import Collection, Mapping
from typing import Any

from tinygan.assets.cache import PREFIX, asset_name, is_asset, is_present
from tinygan.features.extractor import INCEPTION, asset_of

_STEPS = ("harvest", "features", "source")
# The rules that read the teacher, and those that read the weights of the extractor.
TEACHER_RULES = {"harvest", "harvest_evaluation", "interpolate_teacher"}
EXTRACTOR_RULES = {"features", "sample", "source", "sample_export", "curve", "smoothness"}


def missing_assets(config: Mapping[str, Any], steps: Collection[str] = _STEPS) -> list[str]:
    """Return the names of assets that some steps read and that have not been fetched.

    Args:
        config: validated.
        steps: names of rules. Others than those above, and `source`, which also reads the external
            sources, are ignored.
    """
    teacher, metrics = config["teacher"], config["metrics"]
    values: list[tuple[str | None, str | None]] = []
    if TEACHER_RULES & set(steps):
        values.append((teacher["handle"], teacher["kind"]))
    if EXTRACTOR_RULES & set(steps):
        if asset := asset_of(metrics["extractor"]):
            values.append((f"{PREFIX}{asset}", None))
        elif metrics["extractor"] in INCEPTION:
            values.append((metrics["inception_graph"], None))
    if "source" in steps:
        values += [(folder, None) for folder in config["sources"].values()]
    names = [asset_name(value, kind) for value, kind in values if is_asset(value)]
    return [name for name in dict.fromkeys(names) if not is_present(name)]
