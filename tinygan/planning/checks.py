"""Checks of a config beyond its schema: contradictions between keys, and impossible values."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tinygan.assets.cache import asset_name, is_asset
from tinygan.classes.by_name import match
from tinygan.code import names_in
from tinygan.config.derived import (
    VARIANT_SECTIONS,
    discriminator_layers,
    resolve_variant,
    students,
    sweep_points,
)
from tinygan.config.schema import suggest, unknown_key
from tinygan.data.classes import teacher_classes
from tinygan.data.dataset import open_dataset
from tinygan.metrics.counts import setting_problems
from tinygan.training.losses import TERMS


def contradictions(
    config: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Yield the problems of a config that its schema cannot find, each with the path of its key.

    Args:
        config: valid by the schema, `classes` as names.
        variants: the config resolved for each variant, by name.
    """
    for name in sorted({c for c in config["classes"] if config["classes"].count(c) > 1}):
        yield f"classes: {name} is listed more than once"
    yield from _class_contradictions(config)
    yield from _image_contradictions(config)
    yield from _teacher_contradictions(config["teacher"])
    yield from _z_contradictions(config)
    yield from _sweep_contradictions(config)
    yield from _unknown_assets(config)
    yield from setting_problems(config["metrics"], len(config["classes"]))
    yield from _name_contradictions(config)
    for name, variant in config["variants"].items():
        if "seeds" in variant.get("train", {}):
            yield f"variants.{name}.train.seeds: all variants have the same seeds; set train.seeds"
    losses = {"loss": config["loss"]}
    losses |= {f"variants.{name}.loss": v.get("loss", {}) for name, v in config["variants"].items()}
    for path, loss in losses.items():
        for key in sorted(loss.keys() - TERMS.keys() - {"pixel_zero_at"}):
            yield unknown_key(path, key, [*TERMS, "pixel_zero_at"])
    problems: dict[str, str] = {}
    for name, resolved in variants.items():
        for problem in _variant_contradictions(resolved):
            # A problem of several variants comes from the shared section: report it once, there.
            problems[problem] = f"variants.{name}.{problem}" if problem not in problems else problem
    yield from problems.values()


def _name_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield names of variants and sources that another one has, or a training with another seed."""
    variants, sources = config["variants"], config["sources"]
    for name in sources:
        if name in variants:
            yield f"sources.{name}: {name} is the name of a variant; choose another name"
    for section, names in (("variants", variants), ("sources", sources)):
        for name in names:
            if re.fullmatch(r"seed\d+", name):
                yield f"{section}.{name}: files of seeds have such names; choose another name"
    for owner, seed in students(config | {"variants": [*variants, *sweep_points(config)]}).values():
        name = f"{owner}_seed{seed}"
        if seed != 0 and name in variants:
            target = f"train_{name}"
            yield f"variants.{name}: {target} trains {owner} with seed {seed}; choose another name"


def _sweep_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield unknown architectures, and variants and sources that have the name of another point."""
    for name in config["sweep"]:
        if name not in (known := names_in("tinygan.models.students")):
            yield f"sweep.{name}: there is no such architecture{suggest(name, known)}"
    for name, point in sweep_points(config).items():
        taken = f"{name} is the name of a point of the sweep; choose another name"
        if name in config["sources"]:
            yield f"sources.{name}: {taken}"
        if name in config["variants"]:
            its = resolve_variant(config, name)
            swept = resolve_variant(config | {"variants": {name: point}}, name)
            if any(its[section] != swept[section] for section in VARIANT_SECTIONS):
                yield f"variants.{name}: {taken}"


def _class_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield classes that the real dataset lacks or, if there are none, that the teacher lacks."""
    classes = config["classes"]
    try:
        dataset = open_dataset(config["real"]["source"])
        if dataset.packaged:
            match(dataset.classes, classes, what=dataset.title, by="the config")
    except ValueError as error:
        yield f"classes: {error}"
        return
    try:
        match(teacher_classes(config), classes, what="the teacher", by="the config")
    except ValueError as error:
        text = str(error).removeprefix("config: teacher.classes: ")
        yield f"teacher.classes: {text}; list the teacher's classes in the order of its labels"


def _image_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield contradictions of `image_size` and of section `real` with the real dataset."""
    size, real = config["image_size"], config["real"]
    dataset = open_dataset(real["source"])
    smallest, largest = dataset.sizes
    if not _is_allowed_size(size):
        allowed = [2**k for k in range(3, 11)]
        nearest = min(allowed, key=lambda s: abs(s - size))
        yield f"image_size: {size} px is not 4 * 2^k with k >= 1; the nearest allowed is {nearest}"
    elif not smallest <= size <= largest:
        yield (
            f"image_size: {size} px; {real['source']} can be prepared at {smallest} to {largest} px"
        )
    for key in dataset.needs:
        if real[key] is None:
            hint = ": give the path of its images" if key == "path" else ""
            yield f"missing key real.{key}, which {real['source']} needs{hint}"
    if real["check_counts"] and not dataset.counts_known:
        yield f"real.check_counts: {real['source']} has no official numbers of images; remove it"


def _teacher_contradictions(teacher: Mapping[str, Any]) -> Iterator[str]:
    """Yield contradictions between the keys of section `teacher`."""
    kind, handle, target = teacher["kind"], teacher["handle"], teacher["target"]
    needed, other = ("target", "handle") if kind == "python" else ("handle", "target")
    if not teacher[needed]:
        yield f"missing key teacher.{needed}, which kind {kind} needs"
    if teacher[other]:
        yield f"teacher.{other}: kind {kind} has a {needed} and no {other}; remove it"
    if kind == "python" and target:
        module, _, function = target.partition(":")
        if not all(name.isidentifier() for name in [*module.split("."), function]):
            yield (
                f"teacher.target: {target!r} is not package.module:function; write e.g. "
                "mygan:images for the function images in mygan.py"
            )
    if kind == "torch" and "://" in (handle or ""):
        yield (
            f"teacher.handle: {handle} is a URL, which kind torch cannot read; give the path of a "
            "local file, or asset:biggan-deep-128"
        )


def _z_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield contradictions of `teacher.z_shape` with the kind of teacher and with `z_dim`."""
    kind, shape, z_dim = config["teacher"]["kind"], config["teacher"]["z_shape"], config["z_dim"]
    if shape and kind != "python":
        yield f"teacher.z_shape: kind {kind} takes z as vectors; remove it, or use kind python"
    elif shape and math.prod(shape) != z_dim:
        product = " x ".join(map(str, shape))
        yield f"teacher.z_shape: {product} = {math.prod(shape)} values, but z_dim is {z_dim}"


def _unknown_assets(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys with an `asset:NAME` that does not exist."""
    teacher = config["teacher"]
    values = {"teacher.handle": (teacher["handle"], teacher["kind"])}
    values["metrics.inception_graph"] = (config["metrics"]["inception_graph"], None)
    values |= {f"sources.{name}": (value, None) for name, value in config["sources"].items()}
    for key, (value, kind) in values.items():
        try:
            if is_asset(value):
                asset_name(value, kind)
        except ValueError as error:
            yield f"{key}: {error}"


def _variant_contradictions(resolved: Mapping[str, Any]) -> Iterator[str]:
    """Yield contradictions in the sections that a variant may override."""
    train, loss = resolved["train"], resolved["loss"]
    if train["snapshots"] > train["steps"]:
        yield f"train.snapshots: {train['snapshots']} snapshots in {train['steps']} steps"
    if train["batch"] % train["processes"]:
        yield (
            f"train.processes: a batch of {train['batch']} cannot be divided equally among "
            f"{train['processes']} processes; choose a divisor of train.batch"
        )
    if train["processes"] % train["nodes"]:
        yield (
            f"train.nodes: {train['processes']} processes cannot be divided equally among "
            f"{train['nodes']} nodes; choose a divisor of train.processes"
        )
    yield from _loss_contradictions(loss, resolved["image_size"])


def _loss_contradictions(loss: Mapping[str, Any], image_size: int) -> Iterator[str]:
    """Yield weights that do not fit the discriminator, and losses that train no network."""
    layers = discriminator_layers(image_size) if _is_allowed_size(image_size) else None
    for name, weight in loss.items():
        if isinstance(weight, list) and layers and len(weight) not in (0, layers):
            yield (
                f"loss.{name}: {len(weight)} weights, but at {image_size} px the discriminator has "
                f"{layers} layers; give {layers}, or [] to drop the term"
            )
    in_use = {name: TERMS[name] for name in TERMS if _any(loss.get(name, 0))}
    student = [name for name in TERMS if TERMS[name].trains == "student"]
    if not in_use.keys() & set(student):
        yield f"loss: {', '.join(student)} are all 0, so nothing would train the generator"
    trained = [name for name in TERMS if TERMS[name].trains == "discriminator"]
    if any(term.adversarial for term in in_use.values()) and not in_use.keys() & set(trained):
        terms = " and ".join(trained)
        yield f"loss: {terms} are 0, but the adversarial terms need a trained discriminator"


def _any(weight: float | list[float]) -> bool:
    return any(weight) if isinstance(weight, list) else bool(weight)


def _is_allowed_size(size: int) -> bool:
    """Return whether a size is 4 * 2^k with k >= 1."""
    return size >= 8 and size & (size - 1) == 0
