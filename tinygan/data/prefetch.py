"""Prefetching: compute the next results in a background thread."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def prefetch(function: Callable[[S], T], items: Iterable[S], depth: int = 3) -> Iterator[T]:
    """Yield function(item) for each item, in order, computed by one background thread.

    The items are taken in the caller's thread, up to `depth` + 1 ahead of the result that is
    yielded. Two uses: cheap items, such as a range, whose results are prefetched; or items that are
    expensive to compute, while the function, such as a write, handles the earlier ones. An error of
    the function or of the items is raised in the caller's loop.

    Args:
        function: called in the background thread, one item at a time.
        items: iterated in the caller's thread.
        depth: results that may be pending beyond the one that is yielded next.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="background") as pool:
        waiting: deque[Future[T]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
