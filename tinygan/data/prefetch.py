"""Prefetching: work that a thread does while the loop does something else."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


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
