"""The classes that a config names: the run's, by name and as files have them, and the teacher's."""

from collections.abc import Mapping
from typing import Any

from tinygan.classes.animal_mnist import CLASSES as ANIMAL_MNIST
from tinygan.classes.imagenet import imagenet_names, wnid_of_name
from tinygan.config.read import ConfigError


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
