"""Images of a student between classes: a mixture of the rows of its class embedding E(y)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tinygan.generation.sampling import labels_in_model
from tinygan.models.io import load_generator, read_card
from tinygan.models.pixels import to_uint8
from tinygan.models.student import StudentGenerator
from tinygan.teacher import Mixtures


def open_student_mixtures(folder: Path, names: Sequence[str], *, device: str = "cpu") -> Mixtures:
    """Load a student; its classes are matched by name.

    Args:
        folder: the model.
        names: the names of the run's classes, in the order of the class index.
        device: see `tinygan.runtime.device_of`.

    Returns:
        a function of z float32 [N, z_dim] and weights float32 [N, classes] of the run's classes,
        which returns images uint8 [N, H, W, 3].

    Raises:
        FileNotFoundError, ValueError: see `load_generator` and `labels_in_model`; or the model is
            not a student, whose classes enter through E(y) alone.
    """
    generator = load_generator(folder, device=device)
    if not isinstance(generator, StudentGenerator):
        raise ValueError(f"{folder} is not a student, so it has no class embedding to interpolate")
    labels = labels_in_model(folder, read_card(folder), names, range(len(names)))
    embedding = generator.embedding.weight[list(labels.values())]

    @torch.no_grad()
    def mixtures(z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        condition = torch.from_numpy(weights).to(embedding.device) @ embedding
        return to_uint8(generator.synthesise(torch.from_numpy(z).to(embedding.device), condition))

    return mixtures
