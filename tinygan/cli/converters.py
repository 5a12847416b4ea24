"""Subcommands that import published weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinygan.classes.imagenet import ANIMALS, IMAGENET_CLASSES, wnid_of_name
from tinygan.cli.options import OUT, Arguments, Config, Subcommand

_FILE = {"type": Path, "metavar": "FILE"}
_OPTIONS = {
    "--classes": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "names of the model's classes in the order of its labels, or a file with one per "
        "line (default: ImageNet's, for a model with as many classes as a published one)",
    },
    "--out": OUT | {"help": "folder of the model to write"},
}


def _import_tinygan(config: Config, arguments: Arguments) -> None:
    """Convert the TinyGAN authors' checkpoint (model_30.tar) to a model to sample and score."""
    from tinygan.models.converters import tinygan_authors

    generator, recipe = tinygan_authors.read_student(arguments.file)
    classes = _classes(arguments, recipe, (ANIMALS, IMAGENET_CLASSES))
    _save(arguments, generator, recipe, classes, "tinygan_authors", tinygan_authors.TRUNCATION)


def _import_sngan(config: Config, arguments: Arguments) -> None:
    """Convert a Chainer snapshot of SNGAN-projection's generator to a model to sample and score."""
    from tinygan.models.converters.sngan_chainer import read_generator

    generator, recipe = read_generator(arguments.file)
    classes = _classes(arguments, recipe, (IMAGENET_CLASSES,))
    _save(arguments, generator, {"architecture": "sngan"} | recipe, classes, "sngan", None)


def _classes(
    arguments: Arguments, recipe: dict[str, Any], published: Sequence[int]
) -> list[str] | None:
    """Return the names of a model's classes in the order of its labels, or None if unknown.

    Without --classes, a model with as many classes as a published one has the first classes of
    ImageNet, by WNID.

    Raises:
        ValueError: --classes does not give one distinct name per class.
    """
    count, given = recipe["classes"], arguments.classes
    if not given:
        return list(wnid_of_name().values())[:count] if count in published else None
    if len(given) == 1 and Path(given[0]).is_file():
        given = [line for line in Path(given[0]).read_text("utf-8").splitlines() if line]
    if len(given) != count or len(set(given)) != count:
        raise ValueError(
            f"--classes gives {len(set(given))} different names, but {arguments.file} has {count} "
            "classes: give one name per class, in the order of the model's labels"
        )
    return given


def _save(
    arguments: Arguments,
    generator: Any,
    recipe: dict[str, Any],
    classes: list[str] | None,
    name: str,
    truncation: float | None,
) -> None:
    """Write the weights and the card of a model to --out."""
    from tinygan.files import sha256
    from tinygan.models.flops import count_parameters
    from tinygan.models.io import save_card, save_weights

    save_weights(generator, arguments.out / "generator.safetensors")
    card = {
        "variant": name,
        "generator": recipe,
        "parameters": count_parameters(generator),
        "truncation": truncation,
        "imported_from": {"file": arguments.file.name, "sha256": sha256(arguments.file)},
    }
    if classes is not None:
        card["classes"] = classes
    save_card(arguments.out, card)
    print(f"{arguments.out}: {recipe}, {card['parameters']:,} parameters")
    if classes is None:
        print(f"{arguments.out}: the classes have no names; give them with --classes")


SUBCOMMANDS: dict[str, Subcommand] = {
    "import-tinygan": (_import_tinygan, {"file": _FILE | {"help": "e.g. model_30.tar"}} | _OPTIONS),
    "import-sngan": (
        _import_sngan,
        {"file": _FILE | {"help": "e.g. ResNetGenerator_850000.npz"}} | _OPTIONS,
    ),
}
