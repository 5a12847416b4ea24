"""A one-step student beside the teacher that it was distilled from, in images per second.

    python benchmarks/bench_student.py MODEL --config FILE [--batches 1 64] [--rounds 9]

    python benchmarks/bench_student.py results/mini_diffusion/models/dw \\
        --config config/mini_diffusion.yaml

Both run on one thread of one process, in turns, on the same z and classes, to uint8 images. The
medians are of the CPU time, which other programs disturb less. For teachers in PyTorch or Python.
"""

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tinygan.models.io import load_generator
from tinygan.models.pixels import to_uint8
from tinygan.planning.run import load_files
from tinygan.seeding import draw_z, stream
from tinygan.teacher.open import open_teacher

_CALLS = {"teacher": 2, "student": 20}  # timed together: the clock is coarse


def seconds(function: Callable[[], object], calls: int) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - start) / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="folder of the student")
    parser.add_argument("--config", required=True, help="the config of its run")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64], help="default: 1 64")
    parser.add_argument("--rounds", type=int, default=9, help="default: 9")
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = load_files([options.config])
    teacher, _ = open_teacher(config, threads=1)
    student, truncation = load_generator(options.model), config["teacher"]["truncation"]

    @torch.inference_mode()
    def draw(z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return to_uint8(student(torch.from_numpy(z), torch.from_numpy(y)))

    print(f"{platform.machine()}, PyTorch {torch.__version__} on one thread, medians\n")
    print("| batch | teacher, images/s | student, images/s | ratio |\n| --: | --: | --: | --: |")
    for batch in options.batches:
        z = draw_z(stream(0, "benchmark/z"), batch, config["z_dim"], truncation)
        y = np.arange(batch) % len(config["classes"])
        calls = {"teacher": lambda z=z, y=y: teacher(z, y, truncation)}
        calls["student"] = lambda z=z, y=y: draw(z, y)
        # The first round warms up.
        rounds = [
            [seconds(call, _CALLS[name]) for name, call in calls.items()]
            for _ in range(options.rounds + 1)
        ]
        slow, fast = np.median(rounds[1:], axis=0) / batch
        print(f"| {batch} | {1 / slow:,.1f} | {1 / fast:,.0f} | {slow / fast:,.0f} |")


if __name__ == "__main__":
    main()
