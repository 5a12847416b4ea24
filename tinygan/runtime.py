"""How a process uses its machine: PyTorch's threads and memory, and prefetching in a thread."""

import ctypes
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

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


def prefetch(function: Callable[[S], T], items: Iterable[S], depth: int = 3) -> Iterator[T]:
    """Yield function(item) for each item, in order, all computed by one thread in the background.

    The items are taken in the caller's thread, up to `depth` + 1 of them ahead of the result that
    is waited for. So a cheap iterable, such as a range, has its results prepared; and an iterable
    that does the work itself goes on while the function, such as a write, deals with what came
    before. An error of the function or of the items is raised in the loop.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="background") as pool:
        waiting: deque[Future[T]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
