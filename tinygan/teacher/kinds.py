"""The teacher that a config describes, whatever its kind."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygan.config import teacher_handle
from tinygan.origins import with_files
from tinygan.real.wnids import IMAGENET_CLASSES, imagenet_indices
from tinygan.teacher.hub import Teacher


def open_teacher(config: Mapping[str, Any], *, threads: int | None = None) -> tuple[Teacher, str]:
    """Load the teacher.

    A teacher of ImageNet knows all its classes, by their index there; another one knows the run's.

    Args:
        config: checked, with the names of its classes.
        threads: CPU threads; None leaves the choice to the library that runs it.

    Returns:
        The teacher as a function of z, the run's class indices and the truncation, see
        `tinygan.teacher.hub.load_teacher`; and its fingerprint, which a shard records.

    Raises:
        ValueError: it is not the one that the config records or describes.
        FileNotFoundError: there is none.
    """
    settings, names = config["teacher"], config["classes"]
    if settings["kind"] == "torch":
        from tinygan.teacher.torch import handle_fingerprint, load_teacher
    elif settings["kind"] == "python":
        from tinygan.teacher.python import handle_fingerprint, load_teacher
    else:
        from tinygan.teacher.hub import handle_fingerprint, load_teacher

    handle = teacher_handle(config)
    fingerprint = handle_fingerprint(handle)
    if settings.get("sha256", fingerprint) != fingerprint:
        raise ValueError(
            f"teacher: {handle} has the SHA-256 {fingerprint}, but the config "
            f"records {settings['sha256']}: it is damaged, or another file"
        )
    fingerprint = with_files(fingerprint, settings.get("files", []))
    imagenet = config["real"]["source"] == "imagenet"
    known = np.array(imagenet_indices(names) if imagenet else range(len(names)))
    teacher = load_teacher(
        handle,
        classes=IMAGENET_CLASSES if imagenet else len(names),
        z_dim=config["z_dim"],
        image_size=config["image_size"],
        threads=threads,
    )
    return lambda z, labels, truncation: teacher(z, known[labels], truncation), fingerprint
