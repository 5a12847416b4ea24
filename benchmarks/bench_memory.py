"""Training with freed memory given back to the system, and with it kept (`configure_torch`).

    python benchmarks/bench_memory.py [--batches 8 32] [--sides 128] [--rounds 3]

Both ways take turns, each time in a process of its own, because memory once kept stays so. Shown
are medians over the rounds: time and page faults of an iteration of dw on one thread, and the
largest memory of the process.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from types import SimpleNamespace

import torch
from bench_training import ours

from tinygan.runtime import configure_torch


def measure(kept: bool, side: int, batch: int, iterations: int) -> tuple[float, float, float]:
    """Return milliseconds and page faults of an iteration, and the peak in GiB."""
    if kept:
        configure_torch(1)
    else:
        torch.set_num_threads(1)
    settings = {"device": "cpu", "precision": "float32", "compile": False}
    iterate = ours("dw", side, SimpleNamespace(batch=batch, iterations=iterations, **settings))
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
    parser.add_argument("--sides", type=int, nargs="*", choices=[32, 128], default=[128])
    parser.add_argument("--batches", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--iterations", type=int, default=10, help="in a process (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print("| px | batch | memory | ms an iteration | page faults | peak, GiB |")
    print("| --: | --: | :-- | --: | --: | --: |")
    for side in arguments.sides:
        for batch in arguments.batches:
            found: dict[bool, list] = {False: [], True: []}
            for _ in range(arguments.rounds):
                for kept, rows in found.items():
                    with context.Pool(1) as pool:
                        work = (kept, side, batch, arguments.iterations)
                        rows.append(pool.apply(measure, work))
            for kept, rows in found.items():
                time_, faults, peak = map(statistics.median, zip(*rows, strict=True))
                way = "kept" if kept else "given back"
                print(f"| {side} | {batch} | {way} | {time_:.0f} | {faults:.0f} | {peak:.2f} |")


if __name__ == "__main__":
    main()
