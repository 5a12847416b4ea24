"""Values derived from a config: a variant's settings, the shards' class ranges, the snapshots."""

import copy
import math
from collections.abc import Mapping
from typing import Any

from tinygan.assets.cache import require
from tinygan.config.read import ConfigError
from tinygan.config.schema import suggest

# The sections that a variant may override.
VARIANT_SECTIONS = ("student", "train", "loss")


def discriminator_layers(image_size: int) -> int:
    """Return the number of stride-2 layers from `image_size` px down to 4 px."""
    return int(math.log2(image_size)) - 2


def teacher_handle(config: Mapping[str, Any]) -> str:
    """Return what the teacher is loaded from: of kind python `teacher.target`, else `.handle`.

    Raises:
        FileNotFoundError: the handle is an asset that is not in the cache.
    """
    teacher = config["teacher"]
    if teacher["kind"] == "python":
        return teacher["target"]
    return require(teacher["handle"], teacher["kind"])


def students(config: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Return the students of a run by name: every variant, trained once per seed.

    A student of seed 0 has the name of its variant, such as ``dw``, any other ``dw/seed1``: so a
    longer list of seeds renames no file.

    Returns:
        name -> (variant, seed), all variants of the first seed first.
    """
    return {
        variant if seed == 0 else f"{variant}/seed{seed}": (variant, seed)
        for seed in config["train"]["seeds"]
        for variant in config["variants"]
    }


def sweep_points(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the points of the section `sweep` by name, each as a variant.

    A point that an existing variant trains has the name of that variant. Any other is named by its
    architecture and width, such as ``dw_ch32``, and differs from the sections `student`, `train`
    and `loss` in these two alone.
    """
    base = {key: config["student"][key] for key in ("architecture", "channels")}
    names = {
        tuple((base | variant.get("student", {})).items()): name
        for name, variant in reversed(config["variants"].items())
        if not variant.keys() - {"student"}
    }
    points = {}
    for architecture, widths in config["sweep"].items():
        for channels in widths:
            point = {"architecture": architecture, "channels": channels}
            name = names.get(tuple(point.items()), f"{architecture}_ch{channels}")
            points[name] = {"student": point}
    return points


def resolve_variant(
    config: Mapping[str, Any], name: str, seed: int | None = None
) -> dict[str, Any]:
    """Return the config of one training: a variant's `student`, `train` and `loss`, and its seed.

    Args:
        config: checked; see `tinygan.planning.run`.
        name: a key of `variants`, or a point of the sweep, see `sweep_points`.
        seed: the training's seed; None for the first of `train.seeds`.

    Returns:
        A copy of the config with the variant's overrides, and with `train.seed` for `train.seeds`.

    Raises:
        ConfigError: there is no such variant.
    """
    variants = sweep_points(config) | config["variants"]
    if name not in variants:
        raise ConfigError(
            f"config: unknown variant {name}{suggest(name, variants)} "
            f"(variants: {', '.join(variants)})"
        )
    resolved = copy.deepcopy(dict(config))
    for section in VARIANT_SECTIONS:
        resolved[section].update(copy.deepcopy(variants[name].get(section, {})))
    seeds = resolved["train"].pop("seeds")
    resolved["train"]["seed"] = seeds[0] if seed is None else seed
    return resolved


def shard_ranges(config: Mapping[str, Any]) -> list[str]:
    """Return the class ranges of the shards, e.g. ``["000-004", "005-009"]``."""
    count, size = len(config["classes"]), config["classes_per_shard"]
    return [f"{first:03d}-{min(first + size, count) - 1:03d}" for first in range(0, count, size)]


def parse_range(text: str) -> range:
    """Return the class indices of a range such as ``"000-004"``, both ends included.

    Raises:
        ConfigError: the text is not two class indices, the first no larger than the last.
    """
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise ConfigError(f"{text!r} is not a range of classes; write FIRST-LAST, e.g. 000-004")
    return range(int(first), int(last) + 1)


def snapshot_steps(config: Mapping[str, Any]) -> list[int]:
    """Return the steps after which snapshots are saved: evenly spaced, the last at the end."""
    steps, count = config["train"]["steps"], config["train"]["snapshots"]
    return [steps * (i + 1) // count for i in range(count)]
