"""How to fill the cores: one training of N threads, or N trainings of one thread each.

    python benchmarks/bench_threads.py [--cores 2] [--variants dw std] [--rounds 3] [--seconds 20]

Both ways run the iterations of `mini` for the same time, in turn, each training in a process of its
own. Shown is the median over the rounds of the images a second of all trainings together.
"""

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path

from tinygan.config.derived import resolve_variant
from tinygan.planning.run import load
from tinygan.planning.throughput import iteration
from tinygan.runtime import configure_torch

CONFIG = Path(__file__).parents[1] / "config.yaml"


def trained(variant: str, threads: int, seconds: float, together) -> int:
    """Return the images that one training takes in, from the moment when all are ready."""
    configure_torch(threads)
    config = resolve_variant(load(CONFIG), variant)
    iterate, images = iteration(config), 0
    iterate(False)
    together.wait()
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        iterate(False)
        images += config["train"]["batch"]
    return images


def rate(variant: str, jobs: int, threads: int, seconds: float) -> float:
    """Return the images a second of some trainings side by side."""
    context = multiprocessing.get_context("spawn")
    with multiprocessing.Manager() as manager, context.Pool(jobs) as pool:
        together = manager.Barrier(jobs)
        work = [(variant, threads, seconds, together)] * jobs
        return sum(pool.starmap(trained, work, chunksize=1)) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--variants", nargs="+", default=["dw", "std"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    cores = arguments.cores
    print(f"| variant | 1 job x {cores} threads, images/s | {cores} jobs x 1 thread | ratio |")
    print("| :-- | --: | --: | --: |")
    for variant in arguments.variants:
        one, many = [], []
        for _ in range(arguments.rounds):
            one.append(rate(variant, 1, cores, arguments.seconds))
            many.append(rate(variant, cores, 1, arguments.seconds))
        a, b = statistics.median(one), statistics.median(many)
        print(f"| {variant} | {a:.0f} | {b:.0f} | {b / a:.2f} |", flush=True)


if __name__ == "__main__":
    main()
