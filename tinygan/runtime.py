"""CPU threads, memory and device of PyTorch; device and log of TensorFlow."""

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# Constants of glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def configure_torch(threads: int) -> None:
    """Set the number of CPU threads of PyTorch, and make the allocator reuse freed memory.

    Every training step frees and allocates tensors of tens of MB. By default glibc returns such
    blocks to the system, which zeroes every page of the next one. Here the process keeps them: it
    is faster, but its peak memory is higher. With another C library only the threads are set.

    Args:
        threads: CPU threads within an operation.
    """
    import torch

    torch.set_num_threads(threads)
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)


def device_type(name: str) -> str:
    """Return the type of device that PyTorch uses, ``cpu`` or ``cuda``.

    Args:
        name: ``cpu``, ``cuda``, or ``auto`` for a GPU if there is one.

    Raises:
        ValueError: ``cuda`` without a GPU.
    """
    import torch

    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ValueError(
            "device is cuda, but PyTorch sees no GPU: use auto or cpu, or install the CUDA build "
            "of PyTorch"
        )
    return "cuda" if has_gpu and name != "cpu" else "cpu"


def device_of(name: str, index: int = 0) -> "torch.device":
    """Return a device of PyTorch; on a GPU, float32 is computed as float32, not as TF32.

    Args:
        name: see `device_type`.
        index: number of the GPU among those that this process sees.

    Raises:
        ValueError: see `device_type`; or there is no GPU of this number.
    """
    import torch

    if device_type(name) == "cpu":
        return torch.device("cpu")
    if index >= torch.cuda.device_count():
        raise ValueError(
            f"PyTorch sees {torch.cuda.device_count()} GPUs, fewer than train.processes"
        )
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.cuda.set_device(index)
    torch.backends.cudnn.benchmark = True  # all batches but the last have one size
    return torch.device("cuda", index)


def use_tensorflow_device(name: str) -> None:
    """Let TensorFlow use the GPU or not; call this before its first operation.

    On a GPU it allocates memory as it needs it, and computes float32 as float32, not as TF32.

    Args:
        name: ``cpu``, ``cuda``, or ``auto`` for a GPU if there is one.

    Raises:
        ValueError: ``cuda`` without a GPU.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if name == "cuda" and not gpus:
        raise ValueError(
            "device is cuda, but TensorFlow sees no GPU: use auto or cpu, or install "
            "tensorflow[and-cuda]"
        )
    if gpus and name == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif gpus:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.experimental.enable_tensor_float_32_execution(False)


def quiet_tensorflow() -> None:
    """Choose what TensorFlow logs; call it before TensorFlow is imported.

    Errors only. Without a driver of CUDA not even those: TensorFlow's only one is then that it
    found no GPU, and the errors of Python are not in this log. A level that the user has set stays.
    Some lines are written before TensorFlow reads the level; nothing turns them off.
    """
    try:
        ctypes.CDLL("libcuda.so.1")
        level = "2"
    except OSError:
        level = "3"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", level)
