"""A TF-Hub module with the signature of deepmind/biggan-deep-128/1, as a function of arrays.

TensorFlow starts when a teacher is loaded, not when this file is imported.
"""

import hashlib
import os
import tarfile
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.external import check_content, reason
from tinygan.files import find_files, sha256
from tinygan.teacher import Teacher


def load_teacher(
    handle: str,
    *,
    classes: int,
    z_dim: int,
    image_size: int,
    threads: int | None = None,
    trial: int = 1,
) -> Teacher:
    """Load a class-conditional generator and check that it is the one the config describes.

    Args:
        handle: folder of the module, or its URL: what TF-Hub downloads from there it keeps in the
            folder that the environment variable TFHUB_CACHE_DIR names, and takes from there.
        classes: length of the module's one-hot input y.
        z_dim: length of its input z.
        image_size: side of its images in pixels.
        threads: CPU threads of TensorFlow; None leaves the choice to it.
        trial: rows of a first call, which checks type and size of the images; 0: no such call.

    Returns:
        A function of z float [N, z_dim], class indices [N] and the truncation, which returns
        uint8 [N, image_size, image_size, 3]: floor(clip((x + 1) / 2 * 256, 0, 255)), with x the
        module's output. z is passed on as it is: the caller scales it by the truncation. The
        function raises ValueError for a class that is none, FloatingPointError for NaN images.

    Raises:
        FileNotFoundError: the folder does not exist or holds no module.
        ValueError: signature, inputs or output are not as expected.
        RuntimeError: TensorFlow runs already, with another number of threads.
    """
    if not _is_url(handle) and not Path(handle, "saved_model.pb").is_file():
        raise FileNotFoundError(
            f"no TF-Hub module in {handle!r} (no saved_model.pb there): give teacher.handle as a "
            "URL or as the folder of an unpacked module"
        )
    if not _is_url(handle):
        check_content(Path(handle, "saved_model.pb"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    with warnings.catch_warnings():
        # tensorflow-hub still imports pkg_resources, which announces its own retirement.
        warnings.simplefilter("ignore")
        import tensorflow_hub as hub

    tf.get_logger().setLevel("ERROR")
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        # Else TensorFlow takes all memory of the GPU, and jobs could not share it.
        tf.config.experimental.set_memory_growth(gpu, True)
    try:
        module = hub.load(handle)
    except Exception as error:  # of a dozen kinds, from four libraries
        raise ValueError(_load_problem(handle, error)) from error
    signatures = getattr(module, "signatures", {})
    if "default" not in signatures:
        raise ValueError(
            f"teacher {handle}: expected the signature 'default', found {sorted(signatures)}"
        )
    function = signatures["default"]
    _check_inputs(handle, function.structured_input_signature[1], classes, z_dim)
    if sorted(function.structured_outputs) != ["default"]:
        raise ValueError(
            f"teacher {handle}: expected the output 'default', "
            f"found {sorted(function.structured_outputs)}"
        )
    if (dtype := function.structured_outputs["default"].dtype) != tf.float32:
        raise ValueError(f"teacher {handle}: expected images float32, found {dtype.name}")

    inputs = [((None, z_dim), tf.float32), ((None,), tf.int64), ((), tf.float32)]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec(*spec) for spec in inputs])
    def pixels(z: tf.Tensor, labels: tf.Tensor, truncation: tf.Tensor) -> tuple[tf.Tensor, ...]:
        y = tf.one_hot(labels, classes, dtype=tf.float32)
        images = function(z=z, y=y, truncation=truncation)["default"]
        # Converted here, a GPU hands over a quarter of the bytes.
        scaled = tf.clip_by_value((images + 1) / 2 * 256, 0, 255)
        return tf.cast(scaled, tf.uint8), tf.reduce_all(tf.math.is_finite(images))

    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        if np.min(labels) < 0 or np.max(labels) >= classes:  # one_hot would give a row of zeros
            raise ValueError(f"teacher {handle}: labels must be in 0..{classes - 1}")
        images, finite = pixels(
            tf.constant(z, tf.float32), tf.constant(labels, tf.int64), float(truncation)
        )
        expected = (len(z), image_size, image_size, 3)
        if images.shape != expected:
            raise ValueError(
                f"teacher {handle}: expected images {expected}, "
                f"found {tuple(images.shape)}; image_size in the config must fit"
            )
        if not finite:
            raise FloatingPointError(f"teacher {handle}: an image has NaN or infinite values")
        return images.numpy()

    # The output's size is often unknown before the module has run.
    if trial:
        teacher(np.zeros((trial, z_dim), np.float32), np.zeros(trial, np.int64), 1.0)
    return teacher


def handle_fingerprint(handle: str) -> str:
    """Return what identifies a module: SHA-256 over its files' names and bytes, or its URL.

    Links are followed, hidden files passed over.

    Raises:
        FileNotFoundError: the handle is no URL, and no folder either.
    """
    if _is_url(handle):
        return handle
    folder = Path(handle)
    names = [name for name, _ in find_files(folder)] if folder.is_dir() else []
    if not names:
        raise FileNotFoundError(f"no TF-Hub module in {handle!r}: the folder is missing or empty")
    names.sort(key=lambda name: name.split("/"))
    lines = [f"{sha256(folder / name)}  {name}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _load_problem(handle: str, error: Exception) -> str:
    """Say why a module cannot be loaded, and the way out."""
    by_hand = (
        "download the module with a browser, unpack it, and give its folder (the one with "
        "saved_model.pb) as teacher.handle"
    )
    what = (str(error).splitlines() or [type(error).__name__])[0]
    if not _is_url(handle):
        return f"teacher {handle}: the module there is damaged or cut off ({what}): get it again"
    cached = _cache_folder() / hashlib.sha1(handle.encode()).hexdigest()
    if cached.is_dir():
        return (
            f"teacher {handle}: the copy of it in {cached} is damaged or cut off ({what}): delete "
            f"this folder to download it again, or {by_hand}"
        )
    if isinstance(error, (tarfile.TarError, EOFError, zlib.error)):
        return f"teacher {handle}: what comes from there is no module's archive: {by_hand}"
    return f"teacher {handle} cannot be downloaded ({reason(error)}): {by_hand}"


def _cache_folder() -> Path:
    """Return where TF-Hub keeps what it has downloaded."""
    folder = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules")
    return Path(folder)


def _is_url(handle: str) -> bool:
    return "://" in handle


def _check_inputs(handle: str, found: dict[str, Any], classes: int, z_dim: int) -> None:
    """Compare the signature's inputs (name -> TensorSpec) with BigGAN's."""
    expected = {"z": [None, z_dim], "y": [None, classes], "truncation": []}
    if set(found) != set(expected):
        raise ValueError(
            f"teacher {handle}: expected the inputs {sorted(expected)}, found {sorted(found)}"
        )
    for name, shape in expected.items():
        spec = found[name]
        if spec.dtype.name != "float32" or not spec.shape.is_compatible_with(shape):
            raise ValueError(
                f"teacher {handle}: expected the input {name} as float32 {shape}, found "
                f"{spec.dtype.name} {spec.shape}; classes and z_dim in the config must fit"
            )
