"""The classes of a config: the run's names and their ids in files, and the teacher's classes."""

from collections.abc import Mapping
from typing import Any

from tinygan.classes.animal_mnist import CLASSES as ANIMAL_MNIST
from tinygan.classes.imagenet import imagenet_names, wnid_of_name
from tinygan.config.read import ConfigError


def class_names(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes, in the order of the class index.

    ImageNet's classes may be given by WNID, index or name, or as ``animals`` or ``all``.

    Raises:
        ConfigError: the real dataset has no such class.
    """
    classes = config["classes"]
    if config["real"]["source"] == "imagenet":
        try:
            return imagenet_names(classes)
        except ValueError as error:
            raise ConfigError(f"config: classes: {error}") from error
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise ConfigError(
            f"config: classes: {classes if isinstance(classes, str) else 'numbers'} can be used "
            "for ImageNet only; list the names"
        )
    return list(classes)


def class_ids(config: Mapping[str, Any]) -> list[str]:
    """Return the id of each class in files, in the order of the class index.

    For ImageNet, the id is the WNID, however the config names the class; otherwise the name.

    Args:
        config: validated, `classes` as names.
    """
    names = config["classes"]
    if config["real"]["source"] == "imagenet":
        return [wnid_of_name()[name] for name in names]
    return list(names)


def teacher_classes(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the teacher's classes, in the order of its own labels.

    That is `teacher.classes`, if the config has it. The default depends on the real dataset: all
    classes of ImageNet or Animal-MNIST in their order, or for an image folder the run's classes.

    Args:
        config: validated, `classes` as names.

    Raises:
        ConfigError: `teacher.classes` is an unknown keyword.
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
