"""How to use N cores: one training with N threads, or N trainings with one thread each?

    python benchmarks/bench_threads.py [--cores 2] [--variants dw std] [--rounds 3] [--seconds 20]

Both run training iterations of `mini` for the same time, alternating, with each training in a
process of its own. The table has the images per second of all trainings together, as the median
over the rounds.
"""

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path
from threading import Barrier

from tinygan.config.derived import resolve_variant
from tinygan.planning.run import load
from tinygan.planning.throughput import iteration
from tinygan.runtime import configure_torch

CONFIG = Path(__file__).parents[1] / "config.yaml"


def count_images(variant: str, threads: int, seconds: float, ready: Barrier) -> int:
    """Train for some seconds, from when all trainings are ready; return the number of images."""
    configure_torch(threads)
    config = resolve_variant(load(CONFIG), variant)
    iterate, images = iteration(config), 0
    iterate(False)
    ready.wait()
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        iterate(False)
        images += config["train"]["batch"]
    return images


def rate(variant: str, jobs: int, threads: int, seconds: float) -> float:
    """Return the images per second of several trainings that run at the same time."""
    context = multiprocessing.get_context("spawn")
    with multiprocessing.Manager() as manager, context.Pool(jobs) as pool:
        ready = manager.Barrier(jobs)
        work = [(variant, threads, seconds, ready)] * jobs
        return sum(pool.starmap(count_images, work, chunksize=1)) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2, help="default: 2")
    parser.add_argument(
        "--variants", nargs="+", metavar="NAME", default=["dw", "std"], help="default: dw std"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--seconds", type=float, default=20.0, help="per round (default: 20)")
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
