"""Training with glibc's default allocator settings against those of `configure_torch`.

    python benchmarks/bench_memory.py [--batches 8 32] [--sides 128] [--rounds 3]

By default glibc returns freed memory to the system; `configure_torch` lets the process reuse it.
The two alternate, each time in a new process, because the setting cannot be undone. The table has
medians over the rounds: time and page faults per iteration of dw on one thread, and the peak memory
of the process.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from types import SimpleNamespace

import torch
from bench_training import tinygan_iteration

from tinygan.runtime import configure_torch


def measure(reuse: bool, side: int, batch: int, iterations: int) -> tuple[float, float, float]:
    """Return milliseconds and page faults per iteration, and the peak memory in GiB."""
    if reuse:
        configure_torch(1)
    else:
        torch.set_num_threads(1)
    settings = {"device": "cpu", "precision": "float32", "compile": False}
    options = SimpleNamespace(batch=batch, iterations=iterations, **settings)
    iterate = tinygan_iteration("dw", side, options)
    for number in (1, iterations):
        iterate(number)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for number in range(1, iterations + 1):
        iterate(number)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    faults = after.ru_minflt - before.ru_minflt
    return 1000 * seconds / iterations, faults / iterations, after.ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sides",
        type=int,
        nargs="*",
        choices=[32, 128],
        default=[128],
        help="image sizes in px (default: 128)",
    )
    parser.add_argument(
        "--batches", type=int, nargs="*", default=[8, 32], help="batch sizes (default: 8 32)"
    )
    parser.add_argument("--iterations", type=int, default=10, help="per process (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print("| px | batch | freed memory | ms per iteration | page faults | peak, GiB |")
    print("| --: | --: | :-- | --: | --: | --: |")
    for side in arguments.sides:
        for batch in arguments.batches:
            results: dict[bool, list] = {False: [], True: []}
            for _ in range(arguments.rounds):
                for reuse, rows in results.items():
                    with context.Pool(1) as pool:
                        work = (reuse, side, batch, arguments.iterations)
                        rows.append(pool.apply(measure, work))
            for reuse, rows in results.items():
                ms, faults, peak = map(statistics.median, zip(*rows, strict=True))
                name = "reused" if reuse else "given back"
                print(f"| {side} | {batch} | {name} | {ms:.0f} | {faults:.0f} | {peak:.2f} |")


if __name__ == "__main__":
    main()
