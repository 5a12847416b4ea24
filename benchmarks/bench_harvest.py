"""The overhead of the harvest: bare calls of the teacher's module against writing shards.

    python benchmarks/bench_harvest.py [--images 2000] [--batch 100] [--rounds 5] [--handle FOLDER]

The bare calls run the module's signature on the same latent vectors and classes, and discard the
float images. The harvest draws z, converts, writes, hashes and fsyncs a shard. The two alternate,
after one round to warm up; loading TensorFlow is not included.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinygan.seeding import latents
from tinygan.teacher.harvest import harvest
from tinygan.teacher.tfhub import load_teacher

Z_DIM, CLASSES, SIDE, TRUNCATION = 128, 10, 32, 0.8


def seconds(function: Callable[[], None]) -> tuple[float, float]:
    """Return the wall time and the CPU time of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--handle", metavar="FOLDER", default="resources/mini_teacher", help="default: %(default)s"
    )
    parser.add_argument(
        "--images", type=int, default=2000, help="per class, for two classes (default: 2000)"
    )
    parser.add_argument("--batch", type=int, default=100, help="default: 100")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    options = parser.parse_args()
    sizes = {"classes": CLASSES, "z_dim": Z_DIM, "image_size": SIDE}
    teacher = load_teacher(options.handle, **sizes, threads=1)

    import tensorflow as tf
    import tensorflow_hub as hub

    signature = hub.load(options.handle).signatures["default"]
    inputs = []
    for label in range(2):
        z = latents(0, "pairs", label, options.images, Z_DIM, TRUNCATION)
        for part in np.split(z, range(options.batch, options.images, options.batch)):
            inputs.append((tf.constant(part), tf.one_hot(np.full(len(part), label), CLASSES)))

    def bare() -> None:
        for z, y in inputs:
            signature(z=z, y=y, truncation=tf.constant(TRUNCATION))["default"].numpy()

    def harvest_shard() -> None:
        with tempfile.TemporaryDirectory() as folder:
            harvest(
                teacher,
                split="pairs",
                classes=range(2),
                count=options.images,
                truncation=TRUNCATION,
                seed=0,
                z_dim=Z_DIM,
                batch=options.batch,
                folder=Path(folder) / "shard",
                provenance={},
            )

    rounds = [(seconds(bare), seconds(harvest_shard)) for _ in range(options.rounds + 1)]
    measured = rounds[1:]
    medians = np.median(measured, axis=0)  # [bare or harvest, wall or CPU time]
    overheads = np.array(measured)[:, 1] / np.array(measured)[:, 0] - 1
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, TensorFlow {tf.__version__} on one thread"
    )
    print(f"2 classes x {options.images} images of {SIDE} px, batch {options.batch}\n")
    print("| | wall time, s | CPU time, s | images/s |\n| :-- | --: | --: | --: |")
    for name, (wall, processor) in zip(("bare calls", "harvest"), medians, strict=True):
        print(f"| {name} | {wall:.2f} | {processor:.2f} | {2 * options.images / wall:.0f} |")
    wall, processor = np.median(overheads, axis=0)
    print(f"\noverhead: {wall:+.1%} wall, {processor:+.1%} CPU ({options.rounds} rounds)")


if __name__ == "__main__":
    main()
