"""A TF-Hub module with the signature of deepmind/biggan-deep-128/1, as a teacher.

TensorFlow is imported when a teacher is loaded, not with this module.
"""

import hashlib
import os
import tarfile
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.external import check_content, reason
from tinygan.folders import find_files, folder_sha256
from tinygan.runtime import quiet_tensorflow, use_tensorflow_device
from tinygan.teacher import Teacher


def load_teacher(
    handle: str,
    *,
    classes: int,
    z_dim: int,
    image_size: int,
    threads: int | None = None,
    device: str = "cpu",
    trial: int = 1,
) -> Teacher:
    """Load a module; arguments and result as in `tinygan.teacher`.

    Args:
        handle: folder of the module, or its URL. Downloads are cached by TF-Hub in the folder of
            the environment variable TFHUB_CACHE_DIR.
        classes: length of the module's one-hot input y.
        z_dim: length of its input z.
        image_size: side of its images in pixels.
        threads: CPU threads of TensorFlow.
        device: see `tinygan.runtime.use_tensorflow_device`.
        trial: batch size of a first call that checks the images; 0: no such call.

    Returns:
        the teacher: floor(clip((x + 1) / 2 * 256, 0, 255)) of the module's output x. It raises
        FloatingPointError for images with NaN or infinity.

    Raises:
        FileNotFoundError: the folder does not exist or contains no module.
        ValueError: signature, inputs or output are not as expected, or there is no such device.
        RuntimeError: TensorFlow is already running with another number of threads.
    """
    function = _load_signature(handle, threads, device)
    _check_inputs(handle, function.structured_input_signature[1], classes, z_dim)
    _check_output(handle, function.structured_outputs)
    pixels = _pixels(function, classes, z_dim)

    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        if np.min(labels) < 0 or np.max(labels) >= classes:  # one_hot would give a row of zeros
            raise ValueError(f"teacher {handle}: labels must be in 0..{classes - 1}")
        images, finite = pixels(z, labels, truncation)
        expected = (len(z), image_size, image_size, 3)
        if images.shape != expected:
            raise ValueError(
                f"teacher {handle}: expected images {expected}, "
                f"found {tuple(images.shape)}; check image_size in the config"
            )
        if not finite:
            raise FloatingPointError(f"teacher {handle}: an image has NaN or infinite values")
        return images.numpy()

    # The size of the output is often unknown until the module has run.
    if trial:
        teacher(np.zeros((trial, z_dim), np.float32), np.zeros(trial, np.int64), 1.0)
    return teacher


def _load_signature(handle: str, threads: int | None, device: str) -> Any:
    """Load a module and return its signature ``default``, a TensorFlow function."""
    if not _is_url(handle) and not Path(handle, "saved_model.pb").is_file():
        raise FileNotFoundError(
            f"no TF-Hub module in {handle!r} (no saved_model.pb there): give teacher.handle as a "
            "URL or as the folder of an unpacked module"
        )
    if not _is_url(handle):
        check_content(Path(handle, "saved_model.pb"))
    quiet_tensorflow()
    import tensorflow as tf

    hub = _import_hub()
    tf.get_logger().setLevel("ERROR")
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    use_tensorflow_device(device)
    try:
        module = hub.load(handle)
    except Exception as error:  # a dozen types, from four libraries
        raise ValueError(_load_problem(handle, error)) from error
    signatures = getattr(module, "signatures", {})
    if "default" not in signatures:
        raise ValueError(
            f"teacher {handle}: expected the signature 'default', found {sorted(signatures)}"
        )
    return signatures["default"]


def _pixels(function: Any, classes: int, z_dim: int) -> Callable[..., tuple[Any, Any]]:
    """Wrap the signature: (z, labels, truncation) -> uint8 images and whether all are finite."""
    import tensorflow as tf

    inputs = [((None, z_dim), tf.float32), ((None,), tf.int64), ((), tf.float32)]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec(*spec) for spec in inputs])
    def pixels(z: tf.Tensor, labels: tf.Tensor, truncation: tf.Tensor) -> tuple[tf.Tensor, ...]:
        y = tf.one_hot(labels, classes, dtype=tf.float32)
        images = function(z=z, y=y, truncation=truncation)["default"]
        # Cast on the device: a GPU then copies a quarter of the bytes.
        scaled = tf.clip_by_value((images + 1) / 2 * 256, 0, 255)
        return tf.cast(scaled, tf.uint8), tf.reduce_all(tf.math.is_finite(images))

    def run(z: np.ndarray, labels: np.ndarray, truncation: float) -> tuple[tf.Tensor, tf.Tensor]:
        return pixels(tf.constant(z, tf.float32), tf.constant(labels, tf.int64), float(truncation))

    return run


def downloaded(url: str) -> str:
    """Return the folder of a module at a URL, which TF-Hub downloads into its cache if needed.

    Raises:
        ValueError: it cannot be downloaded.
    """
    quiet_tensorflow()
    try:
        return _import_hub().resolve(url)
    except Exception as error:  # see `_load_signature`
        raise ValueError(_load_problem(url, error)) from error


def _import_hub() -> Any:
    with warnings.catch_warnings():
        # tensorflow-hub still imports pkg_resources, which warns that it is deprecated.
        warnings.simplefilter("ignore")
        import tensorflow_hub as hub
    return hub


def handle_fingerprint(handle: str) -> str:
    """Return the fingerprint of a module: its URL or, of a folder, `tinygan.folders.folder_sha256`.

    Raises:
        FileNotFoundError: the handle is not a URL, and the folder is missing or empty.
    """
    if _is_url(handle):
        return handle
    if not Path(handle).is_dir() or not any(find_files(handle)):
        raise FileNotFoundError(f"no TF-Hub module in {handle!r}: the folder is missing or empty")
    return folder_sha256(Path(handle))


def _load_problem(handle: str, error: Exception) -> str:
    """Explain why a module cannot be loaded, and what to do."""
    manual = (
        "download the module with a browser, unpack it, and give its folder (the one with "
        "saved_model.pb) as teacher.handle"
    )
    what = (str(error).splitlines() or [type(error).__name__])[0]
    if not _is_url(handle):
        return f"teacher {handle}: the module is damaged or truncated ({what}): get it again"
    cached = _cache_folder() / hashlib.sha1(handle.encode()).hexdigest()
    if cached.is_dir():
        return (
            f"teacher {handle}: its cached copy {cached} is damaged or truncated ({what}): delete "
            f"this folder to download it again, or {manual}"
        )
    if isinstance(error, (tarfile.TarError, EOFError, zlib.error)):
        return f"teacher {handle}: the download is not a module's archive: {manual}"
    return f"teacher {handle} cannot be downloaded ({reason(error)}): {manual}"


def _cache_folder() -> Path:
    """Return the folder in which TF-Hub caches downloads."""
    folder = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules")
    return Path(folder)


def _is_url(handle: str) -> bool:
    return "://" in handle


def _check_output(handle: str, outputs: dict[str, Any]) -> None:
    """Refuse, with ValueError, a signature whose outputs (name -> TensorSpec) are not BigGAN's."""
    if sorted(outputs) != ["default"]:
        raise ValueError(
            f"teacher {handle}: expected the output 'default', found {sorted(outputs)}"
        )
    if (dtype := outputs["default"].dtype).name != "float32":
        raise ValueError(f"teacher {handle}: expected images float32, found {dtype.name}")


def _check_inputs(handle: str, inputs: dict[str, Any], classes: int, z_dim: int) -> None:
    """Refuse, with ValueError, a signature whose inputs (name -> TensorSpec) are not BigGAN's."""
    expected = {"z": [None, z_dim], "y": [None, classes], "truncation": []}
    if set(inputs) != set(expected):
        raise ValueError(
            f"teacher {handle}: expected the inputs {sorted(expected)}, found {sorted(inputs)}"
        )
    for name, shape in expected.items():
        spec = inputs[name]
        if spec.dtype.name != "float32" or not spec.shape.is_compatible_with(shape):
            raise ValueError(
                f"teacher {handle}: expected the input {name} as float32 {shape}, found "
                f"{spec.dtype.name} {spec.shape}; check classes and z_dim in the config"
            )
