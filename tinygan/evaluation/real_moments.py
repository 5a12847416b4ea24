"""The moments of the features of all real images: computed once, used by every score and curve."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tinygan.evaluation.parts import read_moments
from tinygan.external import check_content
from tinygan.features.files import Features, arrays_of, from_arrays
from tinygan.files import atomic_file
from tinygan.metrics.moments import Moments

_MOMENTS = tuple(field.name for field in fields(Moments))


def write_real_moments(path: Path, real: Iterable[Path], classes: Sequence[str]) -> None:
    """Compute the moments of some feature files, and write them with one row of the features.

    Args:
        path: the npz file.
        real, classes: see `read_moments`.
    """
    moments, example = read_moments(real, classes)
    arrays = {name: getattr(moments, name) for name in _MOMENTS} | arrays_of(example)
    with atomic_file(path) as partial:
        np.savez(partial, allow_pickle=False, **arrays)


def read_real_moments(path: Path) -> tuple[Moments, Features]:
    """Return the moments, and one row of the features, to check what they are comparable with.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged.
    """
    try:
        check_content(path, "zip")
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        moments = Moments(int(arrays["count"]), arrays["mean"], arrays["scatter"])
        return moments, from_arrays(arrays)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ValueError(f"{path} is not a valid file of moments ({error}); recreate it") from error
