"""What contradicts itself in a config, or cannot be: the checks that a schema cannot make."""

from collections.abc import Iterator, Mapping
from typing import Any

from tinygan.classes.animal_mnist import CLASSES as ANIMAL_MNIST
from tinygan.classes.by_name import match
from tinygan.config.derived import DISCRIMINATOR_TERMS, GENERATOR_TERMS, discriminator_layers
from tinygan.data.classes import teacher_classes
from tinygan.metrics.counts import setting_problems

# Names of other rules and of folders of results: a variant of that name would hide one of them.
RESERVED = frozenset(
    "all real teacher teacher_pairs mini_teacher models images features scores curve cost tables"
    " figures claims metrics download harvest_pairs harvest_evaluation train_teacher"
    " export_teacher sample"
    " teacher_card features_sampled floor score_teacher score_variant table1 table2"
    " fig1 fig3 fig8 fig9 fig11 source cost_paper"
    " real_train real_shard real_train_shard".split()
)


def contradictions(
    config: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Yield what a schema cannot say is wrong, each problem with the path of its key.

    Args:
        config: with values of the schema's types, and the names of its classes.
        variants: the config as each variant overlays it.
    """
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
    for name, resolved in variants.items():
        for problem in _variant_contradictions(resolved):
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
