"""Images of a teacher between classes: y is a vector of weights instead of one class.

BigGAN's E(y) = W y is linear in y. So a mixture of two one-hot vectors is the same mixture of the
two class embeddings.

Each kind of teacher that can do this has a module with `load_mixtures(handle, *, device)`, which
loads the teacher and returns a function of z float32 [N, z_dim], y float32 [N, classes] over the
teacher's own labels, and the truncation, to images uint8 [N, H, W, 3].
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from tinygan.classes.by_name import match
from tinygan.config.derived import teacher_handle
from tinygan.data.classes import teacher_classes
from tinygan.teacher import MIXTURE_MODULES, Mixtures
from tinygan.teacher.open import open_teacher


def open_mixtures(config: Mapping[str, Any], *, threads: int | None = None) -> tuple[Mixtures, str]:
    """Load the teacher, and map the run's class indices to its own labels, by name.

    Args:
        config: validated, `classes` as names.
        threads: CPU threads; None: the default of the library that runs the teacher.

    Returns:
        a function of z float32 [N, z_dim] and weights float32 [N, classes] of the run's classes,
        which returns the images uint8 [N, H, W, 3] at the run's truncation; and the teacher's
        fingerprint. A weight of 1 gives the images of that class alone.

    Raises:
        ValueError: a teacher of this kind takes no mixture of classes; or see `open_teacher`.
        FileNotFoundError: there is no such teacher.
    """
    settings = config["teacher"]
    if settings["kind"] not in MIXTURE_MODULES:
        raise ValueError(
            f"a teacher of kind {settings['kind']} takes one class per image, no mixture, so it "
            f"cannot be interpolated; teachers of kind {' and '.join(MIXTURE_MODULES)} can"
        )
    _, fingerprint = open_teacher(config, threads=threads)  # all checks of the harvest
    classes = teacher_classes(config)
    labels = match(classes, config["classes"], what="teacher.classes", by="the config")
    module = import_module(MIXTURE_MODULES[settings["kind"]])
    teacher = module.load_mixtures(teacher_handle(config), device=config["device"])

    def mixtures(z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        y = np.zeros((len(weights), len(classes)), np.float32)
        y[:, labels] = weights
        return teacher(z, y, 1.0 if settings["truncation"] is None else settings["truncation"])

    return mixtures, fingerprint
