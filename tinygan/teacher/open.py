"""Open the teacher that a config describes, whatever its kind."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from tinygan.assets.cache import asset_name, is_asset, sha256_problem
from tinygan.classes.by_name import match
from tinygan.config.derived import teacher_handle
from tinygan.data.classes import teacher_classes
from tinygan.teacher import MODULES, Teacher
from tinygan.teacher.fingerprint import with_files
from tinygan.teacher.trial import check_teacher


def open_teacher(config: Mapping[str, Any], *, threads: int | None = None) -> tuple[Teacher, str]:
    """Load the teacher, and map the run's class indices to its own labels, by name.

    Args:
        config: validated, `classes` as names.
        threads: CPU threads; None: the default of the library that runs the teacher.

    Returns:
        the teacher, see `tinygan.teacher`, with the run's class indices as labels; and its
        fingerprint, which shards record. It is called with z in `teacher.z_shape`, and with a
        truncation of 1 if z is not truncated.

    Raises:
        ValueError: it is not the teacher that the config records or describes.
        FileNotFoundError: there is no such teacher.
    """
    settings, classes = config["teacher"], teacher_classes(config)
    module, handle = import_module(MODULES[settings["kind"]]), teacher_handle(config)
    if settings["sha256"] and "://" in handle:
        handle = module.downloaded(handle)
    fingerprint = module.handle_fingerprint(handle)
    _check_sha256(settings, handle, fingerprint)
    fingerprint = with_files(fingerprint, settings["files"])
    labels_of = np.array(match(classes, config["classes"], what="teacher.classes", by="the config"))
    teacher = module.load_teacher(
        handle,
        classes=len(classes),
        z_dim=config["z_dim"],
        image_size=config["image_size"],
        threads=threads,
        device=config["device"],
        trial=0,
    )

    shape = settings["z_shape"] or [config["z_dim"]]

    def by_class(z: np.ndarray, labels: np.ndarray, truncation: float | None) -> np.ndarray:
        scale = 1.0 if truncation is None else truncation
        return teacher(z.reshape(-1, *shape), labels_of[labels], scale)

    check_teacher(
        by_class,
        handle,
        classes=len(config["classes"]),
        z_dim=config["z_dim"],
        truncation=settings["truncation"],
        batch=settings["batch"],
    )
    return by_class, fingerprint


def _check_sha256(settings: Mapping[str, Any], handle: str, fingerprint: str) -> None:
    """Refuse, with ValueError, another teacher than `teacher.sha256`, or the asset's hash, says."""
    if settings["sha256"] not in (None, fingerprint):
        raise ValueError(
            f"teacher: {handle} has the SHA-256 {fingerprint}, but the config "
            f"records {settings['sha256']}: it is damaged, or a different file"
        )
    if is_asset(settings["handle"]):
        name = asset_name(settings["handle"], settings["kind"])
        if problem := sha256_problem(name, fingerprint):
            raise ValueError(
                f"teacher: {handle} is damaged or another version: {problem}; "
                f"delete it and run `tinygan fetch {name}`"
            )
