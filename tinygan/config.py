"""The configuration: reading, checking, and what follows from it.

A config is the nested dictionary of config.yaml. The schema fixes names, types and ranges (see
`tinygan.schema`); `validate` adds what a schema cannot say and reports everything
that is wrong at once, each problem with the full path of its key.
"""

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygan.classes import match
from tinygan.config_file import ConfigError, key_paths, overlay, read_file
from tinygan.metrics.counts import setting_problems
from tinygan.real.animal_names import CLASSES as ANIMAL_MNIST
from tinygan.real.wnids import imagenet_names, wnid_of_name
from tinygan.schema import coerce, schema_problems, suggest

# What a config that lists only what differs is laid over, unless the working directory has one.
DEFAULT = Path(__file__).with_name("default.yaml")
PRESETS = Path(__file__).with_name("presets")

# The sections that a variant may override.
VARIANT_SECTIONS = ("student", "train", "loss")

# Names of other rules and of folders of results: a variant of that name would hide one of them.
RESERVED = frozenset(
    "all real teacher teacher_pairs mini_teacher models images features scores curve cost tables"
    " figures claims metrics download harvest_pairs harvest_evaluation train_teacher"
    " export_teacher sample"
    " teacher_card features_sampled floor score_teacher score_variant table1 table2"
    " fig1 fig3 fig8 fig9 fig11 source cost_paper"
    " real_train real_shard real_train_shard".split()
)

_MOST_PROBLEMS = 20

# Weights of the terms that train the generator, and of those that train the discriminator.
GENERATOR_TERMS = ("pixel", "feature", "kd_student", "gan_student")
DISCRIMINATOR_TERMS = ("kd_discriminator", "gan_discriminator")


def load(path: Path | str, preset: str | None = None) -> dict[str, Any]:
    """Read and check a config file; its classes become a list of names.

    Args:
        path: the file; one that lists only what differs is laid over the default, see `load_files`.
        preset: a preset to lay over it: a name in workflow/presets, or a file; None: none.

    Raises:
        ConfigError: a file or the preset is missing, is not YAML, or `validate` refuses it.
    """
    files = [Path(path)]
    if preset is not None:
        known = sorted(file.stem for file in PRESETS.glob("*.yaml"))
        if preset in known:
            files.append(PRESETS / f"{preset}.yaml")
        elif Path(preset).suffix in (".yaml", ".yml"):
            files.append(Path(preset))
        else:
            raise ConfigError(
                f"config: there is no preset {preset}{suggest(preset, known)} "
                f"(presets: {', '.join(known)}; or the path of a file, such as mine.yaml)"
            )
    return load_files(files)


def load_files(
    files: Sequence[Path | str], overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Read files and check what comes out when each is laid over the ones before.

    Together they may list only what differs from the default: config.yaml in the working directory,
    or, where there is none, that of this project. What lacks nothing is taken as it is.

    Args:
        files: YAML files, later ones over earlier ones; none: the default.
        overrides: keys and values of a command line, over all files.

    Returns:
        The config with every value of the type in the schema, and a list of names as its classes.

    Raises:
        ConfigError: see `load`; each problem names the file that has the key.
    """
    layers = [(str(file), coerce(read_file(file))) for file in files]
    if overrides:
        layers.append(("the command line", coerce(overrides)))
    config = _merged(layers)
    if any(problem.startswith("missing key") for problem in schema_problems(config)):
        default = default_file()
        layers.insert(0, (str(default), coerce(read_file(default))))
        config = _merged(layers)
    if problems := _problems(config):
        raise ConfigError(_listed(problems, layers))
    # Twice the images' size, as far as EfficientNet-Lite0's own goes.
    side = {"side": min(224, 2 * config["image_size"])}
    metrics = side | config["metrics"]
    return config | {"classes": class_names(config), "metrics": metrics}


def default_file() -> Path:
    """Return config.yaml in the working directory or, where there is none, this package's own."""
    return Path("config.yaml") if Path("config.yaml").is_file() else DEFAULT


def validate(config: Any) -> None:
    """Check a config.

    Raises:
        ConfigError: lists every unknown or missing key, wrong type, value out of range and
            contradiction, one a line.
    """
    if problems := _problems(config):
        raise ConfigError(_listed(problems, []))


def _merged(layers: Sequence[tuple[str, Any]]) -> Any:
    config: Any = {}
    for _, layer in layers:
        config = overlay(config, layer)
    return config


def _problems(config: Any) -> list[str]:
    if problems := schema_problems(config):
        return problems
    # What follows counts on the types that the schema has verified.
    try:
        names = class_names(config)
    except ConfigError as error:
        return [str(error).removeprefix("config: ")]
    return list(_contradictions(config | {"classes": names}))


def _listed(problems: Sequence[str], layers: Sequence[tuple[str, Any]]) -> str:
    """Return one line for each problem, with the file that has its key, and no more than 20."""
    owners = {key: name for name, layer in layers for key in key_paths(layer)}
    lines = []
    for problem in problems[:_MOST_PROBLEMS]:
        key = re.search(
            r"[a-z_][\w-]*(\.[\w-]+)*(?=[:;\s\[]|$)", problem.removeprefix("unknown key ")
        )
        owner = owners.get(key[0]) if key else None
        lines.append(f"config: {problem}" + (f" (in {owner})" if owner else ""))
    if more := len(problems) - len(lines):
        lines.append(f"config: and {more} more")
    return "\n".join(lines)


def class_names(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes, in the order of the class index.

    Those of ImageNet may be chosen by WNID, index, name, or as ``animals`` or ``all``.

    Raises:
        ConfigError: the config's source of real images has no such class.
    """
    classes = config["classes"]
    if config["real"]["source"] == "imagenet":
        try:
            return imagenet_names(classes)
        except ValueError as error:
            raise ConfigError(f"config: classes: {error}") from error
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise ConfigError(
            f"config: classes: {classes if isinstance(classes, str) else 'numbers'} can stand for "
            "ImageNet's classes only; list the names"
        )
    return list(classes)


def class_ids(config: Mapping[str, Any]) -> list[str]:
    """Return what identifies each class in files, in the order of the class index.

    That is the WNID of a class of ImageNet, however the config names it, and else the name.

    Args:
        config: checked, with the names of its classes.
    """
    names = config["classes"]
    if config["real"]["source"] == "imagenet":
        return [wnid_of_name()[name] for name in names]
    return list(names)


def teacher_classes(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the teacher's classes, in the order of its own labels.

    They are `teacher.classes`, where the config has it. Otherwise a teacher of ImageNet or of
    Animal-MNIST knows all classes of that data set in its order, and one of a folder the run's.

    Args:
        config: checked, with the names of its classes.

    Raises:
        ConfigError: `teacher.classes` is a word that stands for no classes.
    """
    given, source = config["teacher"].get("classes"), config["real"]["source"]
    if isinstance(given, str):
        try:
            return imagenet_names(given)
        except ValueError as error:
            raise ConfigError(f"config: teacher.classes: {error}") from error
    if given or source == "image_folder":
        return list(given or config["classes"])
    return list(ANIMAL_MNIST) if source == "animal_mnist" else imagenet_names("all")


def teacher_handle(config: Mapping[str, Any]) -> str:
    """Return what names the teacher: `teacher.target` of kind python, else `teacher.handle`."""
    teacher = config["teacher"]
    return teacher["target" if teacher["kind"] == "python" else "handle"]


def resolve_variant(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the config with the sections student, train and loss overlaid by a variant's.

    Where `student.colours` is not given, it follows from the real images.

    Raises:
        ConfigError: there is no such variant.
    """
    variants = config["variants"]
    if name not in variants:
        raise ConfigError(
            f"config: unknown variant {name}{suggest(name, variants)} "
            f"(variants: {', '.join(variants)})"
        )
    resolved = copy.deepcopy(dict(config))
    for section in VARIANT_SECTIONS:
        resolved[section].update(copy.deepcopy(variants[name].get(section, {})))
    grey = config["real"]["source"] == "animal_mnist"
    resolved["student"].setdefault("colours", 1 if grey else 3)
    return resolved


def shard_ranges(config: Mapping[str, Any]) -> list[str]:
    """Return the class ranges of the shards, e.g. ``["000-004", "005-009"]``."""
    count, size = len(config["classes"]), config["classes_per_shard"]
    return [f"{first:03d}-{min(first + size, count) - 1:03d}" for first in range(0, count, size)]


def parse_range(text: str) -> range:
    """Return the class indices of a range such as ``"000-004"``, both ends included.

    Raises:
        ConfigError: the text is not two class indices in ascending order.
    """
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise ConfigError(f"{text!r} is not a range of classes; write FIRST-LAST, e.g. 000-004")
    return range(int(first), int(last) + 1)


def snapshot_steps(config: Mapping[str, Any]) -> list[int]:
    """Return the steps of the learning curve's snapshots: evenly spaced, the last at the end."""
    steps, count = config["train"]["steps"], config["train"]["snapshots"]
    return [steps * (i + 1) // count for i in range(count)]


def discriminator_layers(image_size: int) -> int:
    """Return the number of stride-2 layers from `image_size` px down to 4 px."""
    return int(math.log2(image_size)) - 2


def _contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({c for c in config["classes"] if config["classes"].count(c) > 1}):
        yield f"classes: {name} is listed more than once"
    yield from _class_contradictions(config)
    size = config["image_size"]
    if not _is_allowed_size(size):
        allowed = [2**k for k in range(3, 11)]
        nearest = min(allowed, key=lambda s: abs(s - size))
        yield f"image_size: {size} px is not 4 * 2^k with k >= 1; the nearest allowed is {nearest}"
    elif config["real"]["source"] == "animal_mnist" and size < 32:
        yield f"image_size: animal_mnist has images of 28 px, {size} is too small; use 32"
    elif config["real"]["source"] != "animal_mnist" and not 32 <= size <= 256:
        yield f"image_size: {size} px; {config['real']['source']} is prepared at 32 to 256 px"
    if config["real"]["source"] != "animal_mnist" and "path" not in config["real"]:
        yield f"real.path is missing: say where the images of {config['real']['source']} are"
    if config["real"]["source"] != "imagenet" and config["real"].get("check_counts"):
        yield "real.check_counts: only imagenet has known numbers of images; leave it out"
    yield from _teacher_contradictions(config["teacher"])
    yield from setting_problems(config["metrics"], len(config["classes"]))
    for section in ("variants", "sources"):
        for name in config.get(section, {}):
            if name in RESERVED or name.startswith("train_"):
                yield f"{section}.{name}: {name} is the name of another target; choose another name"
    for name in config.get("sources", {}):
        if name in config["variants"]:
            yield f"sources.{name}: {name} is the name of a variant; choose another name"
    found: dict[str, str] = {}
    for name in config["variants"]:
        for problem in _variant_contradictions(resolve_variant(config, name)):
            # What is wrong for several variants comes from the shared section; say it once.
            found[problem] = f"variants.{name}.{problem}" if problem not in found else problem
    yield from found.values()


def _class_contradictions(config: Mapping[str, Any]) -> Iterator[str]:
    """Compare the classes with those of the real images, then with the teacher's."""
    classes = config["classes"]
    try:
        if config["real"]["source"] == "animal_mnist":
            match(ANIMAL_MNIST, classes, what="Animal-MNIST", by="the config")
    except ValueError as error:
        yield f"classes: {error}"
        return
    try:
        match(teacher_classes(config), classes, what="the teacher", by="the config")
    except ValueError as error:
        text = str(error).removeprefix("config: teacher.classes: ")
        yield f"teacher.classes: {text}; list the teacher's classes in the order of its labels"


def _teacher_contradictions(teacher: Mapping[str, Any]) -> Iterator[str]:
    kind, handle, target = teacher["kind"], teacher.get("handle"), teacher.get("target")
    needed, other = ("target", "handle") if kind == "python" else ("handle", "target")
    if not teacher.get(needed):
        yield f"missing key teacher.{needed}, which kind {kind} needs"
    if teacher.get(other):
        yield (
            f"teacher.{other}: kind {kind} has a {needed} and no {other}; remove it, or write "
            f"`{other}: null` where another file, such as config.yaml, gives it"
        )
    if kind == "python" and target:
        module, _, function = target.partition(":")
        if not all(name.isidentifier() for name in [*module.split("."), function]):
            yield (
                f"teacher.target: {target!r} is not package.module:function; write e.g. "
                "mygan:images for the function images in mygan.py"
            )
    if kind != "python" and "://" in (handle or "") and (kind == "torch" or "sha256" in teacher):
        yield (
            f"teacher.handle: {handle} is a URL, which kind torch cannot read and which "
            "has no sha256; give the path of a local file or folder"
        )


def _variant_contradictions(resolved: Mapping[str, Any]) -> Iterator[str]:
    train, loss = resolved["train"], resolved["loss"]
    if train["snapshots"] > train["steps"]:
        yield f"train.snapshots: {train['snapshots']} snapshots in {train['steps']} steps"
    if train["batch"] % train.get("processes", 1):
        yield (
            f"train.processes: a batch of {train['batch']} cannot be shared equally by "
            f"{train['processes']} processes; choose a divisor of train.batch"
        )
    if _is_allowed_size(resolved["image_size"]):
        layers = discriminator_layers(resolved["image_size"])
        if len(loss["feature"]) not in (0, layers):
            yield (
                f"loss.feature: {len(loss['feature'])} weights, but at {resolved['image_size']} px "
                f"the discriminator has {layers} layers; give {layers}, or [] to drop the term"
            )
    if not any(any(loss[term]) if term == "feature" else loss[term] for term in GENERATOR_TERMS):
        terms = ", ".join(GENERATOR_TERMS)
        yield f"loss: {terms} are all 0, nothing would train the generator"
    adversarial = loss["kd_student"] or loss["gan_student"]
    if adversarial and not any(loss[term] for term in DISCRIMINATOR_TERMS):
        terms = " and ".join(DISCRIMINATOR_TERMS)
        yield f"loss: {terms} are 0, but the adversarial terms need a trained discriminator"


def _is_allowed_size(size: int) -> bool:
    return size >= 8 and size & (size - 1) == 0
