"""How long a generator takes per image, on one core of the processor."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from tinygan.errors import extra
from tinygan.models.io import load_generator, read_card
from tinygan.models.pixels import to_uint8
from tinygan.seeding import latents

# One image at a time, as an application draws them, and many, as a data set is made.
BATCHES = (1, 64)
# A first call also allocates memory and chooses kernels.
_WARM_UP = 5  # calls
MIN_CALLS, MIN_SECONDS = 50, 5.0


def generator_call(model: Path, batch: int) -> Callable[[], np.ndarray]:
    """Return a function that draws one batch of a trained generator, to be timed.

    It draws the same images at each call: z and labels, spread over the classes, are made here. The
    conversion to uint8 is part of the call, reading the model is not.

    Args:
        model: its folder, for PyTorch, or an ONNX file of `tinygan export`, for ONNX Runtime.
        batch: number of images.

    Returns:
        A function without arguments; it returns uint8 [batch, H, W, 3].

    Raises:
        FileNotFoundError, ValueError: see `tinygan.models.io.load_generator` and `OnnxGenerator`.
        RuntimeError: ONNX Runtime is not installed.
    """
    if model.suffix == ".onnx":
        with extra("export"):
            from tinygan.export.session import OnnxGenerator
        generator = OnnxGenerator(model)
        classes, z_dim, truncation = len(generator.classes), generator.z_dim, generator.truncation
    else:
        card, generator = read_card(model), load_generator(model)
        classes, z_dim = (card["generator"][key] for key in ("classes", "z_dim"))
        truncation = card["truncation"]
    z = torch.from_numpy(latents(0, "generate", 0, batch, z_dim, truncation))
    y = torch.arange(batch) % classes
    half_range = getattr(generator, "half_range", 128)

    @torch.no_grad()
    def draw() -> np.ndarray:
        return to_uint8(generator(z, y), half_range)

    return draw


def time_calls(
    calls: Mapping[str, Callable[[], object]],
    *,
    min_calls: int = MIN_CALLS,
    min_seconds: float = MIN_SECONDS,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, np.ndarray]:
    """Time several functions in turn, so that a busy machine slows down all of them alike.

    After a warm-up, each round calls every function once, every second round in reverse order. The
    rounds end when there were enough of them and they took long enough. Python's garbage collector
    does not run meanwhile.

    The default clock is the processor time of this process. Of one thread on an idle machine it is
    the time that passes; on a busy one it leaves out the wait for a core.

    Args:
        calls: functions by name, such as those of `generator_call`; at least one. Threads
            are theirs to limit.
        min_calls: calls of each function.
        min_seconds: duration of all rounds together, per function.
        clock: returns seconds, and never goes back.

    Returns:
        For each function the durations of its calls in seconds, in the order of the rounds.
    """
    durations: dict[str, list[float]] = {key: [] for key in calls}
    for _ in range(_WARM_UP):
        for call in calls.values():
            call()
    keys, total = list(calls), 0.0
    with _no_garbage_collection():
        while len(durations[keys[0]]) < min_calls or total < min_seconds * len(keys):
            for key in keys:
                started = clock()
                calls[key]()
                durations[key].append(clock() - started)
                total += durations[key][-1]
            keys.reverse()
    return {key: np.asarray(values) for key, values in durations.items()}


def per_image(durations: Sequence[float] | np.ndarray, batch: int) -> dict[str, float]:
    """Return the median and the quartiles of milliseconds per image, and images per second.

    Args:
        durations: of calls that draw `batch` images each, in seconds.
        batch: number of images per call.

    Returns:
        ``calls``, ``ms_per_image``, ``ms_per_image_q1``, ``ms_per_image_q3`` and, of the median,
        ``images_per_second``.
    """
    low, median, high = (float(q) for q in np.quantile(durations, (0.25, 0.5, 0.75)) / batch)
    return {
        "calls": len(durations),
        "ms_per_image": 1e3 * median,
        "ms_per_image_q1": 1e3 * low,
        "ms_per_image_q3": 1e3 * high,
        "images_per_second": 1 / median,
    }


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
