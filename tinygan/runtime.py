"""How PyTorch uses the processor and its memory."""

import ctypes

# Of glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def configure_torch(threads: int) -> None:
    """Limit PyTorch to this many threads, and let it use memory that it has freed again.

    Every step frees tensors of tens of MB and asks for as many. glibc gives such blocks back to
    the system, which then clears each of their pages for the next one; here they are kept, at the
    price of a larger peak. Under another C library memory stays as it was.
    """
    import torch

    torch.set_num_threads(threads)
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)
