"""CPU threads and memory of PyTorch."""

import ctypes

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
