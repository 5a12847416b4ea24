"""A Python function of the user as a teacher: any generator, in any framework."""

import difflib
import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.errors import UserCodeError
from tinygan.files import sha256
from tinygan.teacher import Teacher


def load_teacher(
    target: str,
    *,
    classes: int,
    z_dim: int,
    image_size: int,
    threads: int | None = None,
    device: str = "cpu",
    trial: int = 1,
) -> Teacher:
    """Import a function; arguments and result as in `tinygan.teacher`.

    Args:
        target: ``package.module:function``, see `source_file`. The function is called with
            z float32 [N, z_dim], or [N, *teacher.z_shape], class indices int64 [N] and the
            truncation, a float, and returns uint8 [N, image_size, image_size, 3]. z is already
            scaled by the truncation, which is 1 for a standard normal z.
        classes: number of classes; the function is called with indices 0 .. classes - 1.
        z_dim: length of z.
        image_size: side of the images in pixels.
        threads: value of the environment variable OMP_NUM_THREADS, unless it is set already.
        device: unused: the function chooses its device.
        trial: batch size of a first call that checks the images; 0: no such call.

    Returns:
        the teacher. It also raises ValueError for images of another type or shape, and returns a
        copy of the function's images.

    Raises:
        ValueError: there is no such module or function, it takes other arguments, or its images
            are not as expected.
        UserCodeError: the module or the function raised an exception.
    """
    if threads is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    function = _import(target)

    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        if np.min(labels) < 0 or np.max(labels) >= classes:
            raise ValueError(f"teacher {target}: labels must be in 0..{classes - 1}")
        # Copies, because the function may modify its arguments or reuse the array it returns.
        copies = np.array(z, np.float32), np.array(labels, np.int64)
        images = _call(f"teacher {target}", function, *copies, float(truncation))
        _check_images(target, images, (len(z), image_size, image_size, 3))
        return images.copy()

    if trial:
        teacher(np.zeros((trial, z_dim), np.float32), np.zeros(trial, np.int64), 1.0)
    return teacher


def handle_fingerprint(target: str) -> str:
    """Return the SHA-256 of the module's source file.

    Raises:
        ValueError: see `source_file`.
    """
    return sha256(source_file(target))


def source_file(target: str) -> Path:
    """Find the source file of a target's module, without importing anything.

    Searched are the working directory, then the folders of the Python environment.

    Args:
        target: ``package.module:function``, with any number of packages.

    Raises:
        ValueError: there is no such file.
    """
    module = target.partition(":")[0]
    *packages, name = module.split(".")
    for root in [os.getcwd(), *sys.path]:
        folder = Path(root, *packages)
        for file in (folder / name / "__init__.py", folder / f"{name}.py"):
            if file.is_file():
                return file
    hint = _nearest(name, [file.stem for file in Path(*packages).glob("*.py")])
    raise ValueError(
        f"teacher.target: {target}: there is no file {'/'.join([*packages, name])}.py in "
        f"{os.getcwd()}, nor such a module in the Python environment{hint}"
    )


def _import(target: str) -> Callable[..., Any]:
    name, _, attribute = target.partition(":")
    file = source_file(target)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"teacher.target: {file} cannot be imported: {error}; install its dependencies in "
            "the environment of the harvest"
        ) from error
    except (Exception, SystemExit) as error:
        raise UserCodeError(f"teacher.target: {file} cannot be imported", error) from error
    if (origin := getattr(module, "__file__", None)) is None or not file.samefile(origin):
        raise ValueError(
            f"teacher.target: the module {name} is {origin or 'built in'} here and not {file}: "
            "give your file another name"
        )
    if not hasattr(module, attribute):
        hint = _nearest(attribute, [key for key, value in vars(module).items() if callable(value)])
        raise ValueError(f"teacher.target: {file} has no function {attribute}{hint}")
    function = getattr(module, attribute)
    if not callable(function):
        raise ValueError(
            f"teacher.target: {attribute} in {file} is {type(function).__name__}, not a function"
        )
    try:
        inspect.signature(function).bind("z", "y", "truncation")
    except TypeError as error:
        raise ValueError(
            f"teacher.target: {attribute} in {file} cannot be called as "
            f"{attribute}(z, y, truncation): {error}"
        ) from error
    return function


def _call(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        with warnings.catch_warnings():
            # NumPy only warns if NaN is cast to bytes.
            warnings.filterwarnings("error", "invalid value encountered in cast")
            return function(*arguments)
    except (Exception, SystemExit) as error:
        raise UserCodeError(what, error) from error


def _check_images(target: str, images: Any, expected: tuple[int, ...]) -> None:
    wanted = f"a NumPy array uint8 {expected}"
    if not isinstance(images, np.ndarray):
        raise ValueError(
            f"teacher {target}: expected {wanted}, found {type(images).__name__}; convert a "
            "PyTorch tensor with .cpu().numpy()"
        )
    if images.dtype != np.uint8:
        how = "in [-1, 1] with np.clip((x + 1) * 128, 0, 255).astype(np.uint8)"
        if images.size and images.max() > 1.5:
            how = "in [0, 255] with np.clip(x, 0, 255).astype(np.uint8)"
        raise ValueError(
            f"teacher {target}: expected {wanted}, found {images.dtype} {images.shape}; convert "
            f"images x {how}"
        )
    if images.shape != expected:
        raise ValueError(
            f"teacher {target}: expected {wanted}, found {images.shape}; check image_size in the "
            "config, and that channels come last"
        )


def _nearest(name: str, candidates: list[str]) -> str:
    match = difflib.get_close_matches(name, candidates, n=1)
    return f"; did you mean {match[0]}?" if match else ""
