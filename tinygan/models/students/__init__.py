"""The student architectures, one module each, named as in the config's architecture."""

from importlib import import_module
from typing import Any

from torch import nn

from tinygan.code import names_in


def build_student(*, architecture: str, **shape: Any) -> nn.Module:
    """Build a student with newly initialised weights.

    Args:
        architecture: a module of this package, e.g. ``"dw"``.
        shape: the arguments of its function `build`: channels, classes, image_size, z_dim,
            embedding and image_channels, see `tinygan.models.student.StudentGenerator`.

    Raises:
        ValueError: there is no such architecture, or the image size is invalid.
    """
    names = names_in(__name__)
    if architecture not in names:
        raise ValueError(f"architecture must be one of {', '.join(names)}, not {architecture!r}")
    return import_module(f"{__name__}.{architecture}").build(**shape)
