"""The initial class embedding E(y) of a student, from a file.

The authors start from a file of 128 numbers per class, `cls_weight_reduce.npy`.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def read_embedding(path: Path, shape: tuple[int, int]) -> Tensor:
    """Read E(y) from an NPY file.

    Args:
        path: the file; its rows are in the order of the class index.
        shape: (classes, embedding), the shape that the student needs.

    Returns:
        float32 of that shape.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not an NPY file of finite numbers of that shape.
    """
    if not path.is_file():
        raise FileNotFoundError(f"student.embedding_file: there is no file {path}")
    try:
        array = np.load(path, allow_pickle=False)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            raise ValueError("save an array of floats with np.save")
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"student.embedding_file: {path} is not an NPY file of numbers ({error})"
        ) from error
    values = array.astype(np.float32)
    if values.shape != shape:
        raise ValueError(
            f"student.embedding_file: {path} has the shape {list(values.shape)}, but this run "
            f"needs {list(shape)}: one row per class of the config, in its order, of "
            "student.embedding numbers"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"student.embedding_file: {path} has values that are not finite")
    return torch.from_numpy(values)
