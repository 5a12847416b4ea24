"""The classes of a config: the run's names and their ids in files, and the teacher's classes."""

from collections.abc import Mapping
from typing import Any

from tinygan.classes.imagenet import imagenet_names
from tinygan.config.read import ConfigError
from tinygan.data.dataset import open_dataset


def class_names(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes, in the order of the class index.

    ImageNet's classes may be given by WNID, index or name, or as ``animals`` or ``all``.

    Raises:
        ConfigError: the real dataset has no such class.
    """
    try:
        return open_dataset(config["real"]["source"]).class_names(config["classes"])
    except ValueError as error:
        raise ConfigError(f"config: classes: {error}") from error


def class_ids(config: Mapping[str, Any]) -> list[str]:
    """Return the id of each class in files, in the order of the class index.

    For ImageNet, the id is the WNID, however the config names the class; otherwise the name.

    Args:
        config: validated, `classes` as names.
    """
    return open_dataset(config["real"]["source"]).class_ids(config["classes"])


def teacher_classes(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the teacher's classes, in the order of its own labels.

    That is `teacher.classes`, if the config has it. The default depends on the real dataset: all of
    its classes in their order, or for an image folder the run's classes.

    Args:
        config: validated, `classes` as names.

    Raises:
        ConfigError: `teacher.classes` is an unknown keyword.
    """
    given = config["teacher"]["classes"]
    if isinstance(given, str):
        try:
            return imagenet_names(given)
        except ValueError as error:
            raise ConfigError(f"config: teacher.classes: {error}") from error
    if given:
        return list(given)
    return open_dataset(config["real"]["source"]).teacher_classes(config["classes"])
