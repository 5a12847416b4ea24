"""One training iteration: milliseconds and images a second of each variant at 32 and 128 px.

    python benchmarks/bench_training.py [--batch 8] [--threads 2] [--sides 32 128]
    python benchmarks/bench_training.py --reference DIR     # beside the authors' code, at 128 px

Both draw their batches from memory, so it is the networks that are compared. Of every
`--iterations` (10) iterations one has the generator's adversarial terms, as in training.

DIR is a checkout of the authors' code with solver.py, model.py, utils.py, numpy_fid.py,
inception_tf.py and cls_weight_reduce.npy. Its own training loop runs; what it imports besides
PyTorch (TensorFlow 1, torchvision) serves its evaluation and is replaced by stand-ins. Its
iterations and ours take turns, so that a busy machine slows both alike.
"""

import argparse
import contextlib
import io
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import torch

from tinygan.config.derived import resolve_variant
from tinygan.planning.run import load
from tinygan.planning.throughput import iteration
from tinygan.runtime import configure_torch
from tinygan.training.data import Batch

# The paper's scale, where it differs from config.yaml.
PAPER = {"embedding": 128, "discriminator_channels": 32, "image_channels": 3}
PAPER_CHANNELS = {"std_half": 16}
PAPER_FEATURE = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1]
PAPER_ITERATIONS = 398 * 3000 * 30 // 32

Iteration = Callable[[int], None]


def random_batch(side: int, classes: int, arguments: argparse.Namespace) -> Batch:
    """Draw one step's data, on the device."""
    batch, device = arguments.batch, arguments.device

    def images() -> torch.Tensor:
        drawn = torch.rand(batch, 3, side, side) * 2 - 1
        return drawn.to(device, memory_format=torch.channels_last)

    def labels() -> torch.Tensor:
        return torch.randint(classes, (batch,)).to(device)

    def z() -> torch.Tensor:
        return torch.randn(batch, 128).clamp(-2, 2).mul(0.5).to(device)

    return Batch(z(), labels(), images(), images(), labels(), z())


def ours(variant: str, side: int, arguments: argparse.Namespace) -> Iteration:
    """Return our iteration number i, from 1, of a variant: mini's at 32 px, the paper's at 128."""
    config = resolve_variant(load(Path(__file__).parents[1] / "config.yaml"), variant)
    config["train"] |= {
        "batch": arguments.batch,
        "device": arguments.device,
        "precision": arguments.precision,
        "compile": arguments.compile,
    }
    if side == 128:
        config["student"] |= PAPER | {"channels": PAPER_CHANNELS.get(variant, 32)}
        config["loss"]["feature"] = PAPER_FEATURE if config["loss"]["feature"] else []
        config |= {"image_size": side, "classes": [str(label) for label in range(398)]}
    iterate = iteration(config)
    return lambda number: iterate(number % arguments.iterations == 0)


def timed(iterate: Iteration, number: int, device: str) -> float:
    """Return the seconds of one iteration, the device's work included."""
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    iterate(number)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


class Turns:
    """A loader for the authors' loop: between two of its iterations, one of ours is timed."""

    def __init__(self, iterate: Iteration, arguments: argparse.Namespace) -> None:
        self.arguments, self.iterate = arguments, iterate
        self.dataset = range(arguments.batch * 1000)
        self.theirs: list[float] = []
        self.ours: list[float] = []

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        data, device = random_batch(128, 398, self.arguments), self.arguments.device
        for number in range(1, self.arguments.iterations + 1):
            self.ours.append(timed(self.iterate, number, device))
            started = time.perf_counter()
            yield data.teacher.contiguous(), data.z, data.y
            if device == "cuda":
                torch.cuda.synchronize()
            self.theirs.append(time.perf_counter() - started)


def against(folder: Path, arguments: argparse.Namespace) -> Turns:
    """Run the authors' own loop from `folder` for one round, in turn with our dw student."""
    needed = ["solver.py", "model.py", "utils.py", "cls_weight_reduce.npy"]
    if missing := [name for name in needed if not (folder / name).is_file()]:
        raise FileNotFoundError(f"{folder} is not the authors' code: no {', '.join(missing)}")
    # Ours first: PyTorch looks at what is importable when it makes its first optimiser.
    turns = Turns(ours("dw", 128, arguments), arguments)
    for name in ("tensorflow", "tensorflow.python", "tensorflow.python.ops"):
        sys.modules[name] = MagicMock()
    for name in ("torchvision", "torchvision.utils"):
        sys.modules[name] = MagicMock()
    config = SimpleNamespace(
        mode="train", z_dim=128, c_dim=128, image_size=128, g_conv_dim=32, d_conv_dim=32,
        g_repeat_num=5, d_repeat_num=5, lambda_gan=1e-2, batch_size=arguments.batch, num_epoch=1,
        lr_decay_start=10**9, g_lr=2e-4, d_lr=2e-4, beta1=0.0, beta2=0.9,
        n_critic=arguments.iterations, resume_epoch=0, use_tensorboard=False, use_numpy_fid=True,
        log_dir="", sample_dir="", model_save_dir="", result_dir="", real_incep_stat_dir="",
        real_fid_stat_dir="", log_step=10**9, sample_step=10**9, model_save_step=10**9,
    )  # fmt: skip
    real = random_batch(128, 398, arguments)
    test = [(real.teacher.contiguous(), real.z, real.y)]
    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with contextlib.chdir(folder), silent[0], silent[1]:
        sys.path.insert(0, str(folder.resolve()))
        from solver import Solver

        solver = Solver(turns, test, [(real.real.contiguous(), real.real_y)] * 2, config)
        solver.train()  # a round to warm up
        turns.theirs.clear()
        turns.ours.clear()
        for _ in range(arguments.rounds):
            solver.train()
    return turns


def describe(arguments: argparse.Namespace) -> str:
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.machine()
    settings = f"{arguments.precision}, compile {arguments.compile}, batch {arguments.batch}"
    return f"{name}, {arguments.threads} threads, torch {torch.__version__}, {settings}"


def memory(device: str) -> str:
    return f"{torch.cuda.max_memory_allocated() / 2**30:.2f}" if device == "cuda" else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, metavar="DIR", help="the authors' code")
    parser.add_argument("--batch", type=int, default=8, help="default: 8")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--iterations", type=int, default=10, help="in a round (default: 10)")
    parser.add_argument("--rounds", type=int, default=1, help="default: 1")
    parser.add_argument("--sides", type=int, nargs="*", choices=[32, 128], default=[32, 128])
    parser.add_argument("--variants", nargs="*", metavar="NAME", help="default: all of the config")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument(
        "--give-back", action="store_true", help="give freed memory back to the system, both alike"
    )
    arguments = parser.parse_args()
    if arguments.give_back:
        torch.set_num_threads(arguments.threads)
    else:
        configure_torch(arguments.threads)
    torch.manual_seed(0)
    print(describe(arguments) + "\n")
    if arguments.reference:
        turns = against(arguments.reference, arguments)
        print("| dw at 128 px | ms an iteration (mean) | images/s | paper's full run, days |")
        print("| :-- | --: | --: | --: |")
        for name, seconds in (("the authors'", turns.theirs), ("ours", turns.ours)):
            mean = statistics.mean(seconds)
            # The run's iterations have a batch of 32, whatever is measured here.
            days = PAPER_ITERATIONS * 32 / arguments.batch * mean / 86400
            print(f"| {name} | {1000 * mean:.0f} | {arguments.batch / mean:.1f} | {days:.2f} |")
        ratio = sum(turns.theirs) / sum(turns.ours)
        print(f"\nours is {ratio:.2f} times as fast, over {len(turns.ours)} iterations each")
        return
    config = load(Path(__file__).parents[1] / "config.yaml")
    print("| variant | px | ms an iteration (mean) | images/s | peak device memory, GiB |")
    print("| :-- | --: | --: | --: | --: |")
    for side in arguments.sides:
        for variant in arguments.variants or config["variants"]:
            iterate = ours(variant, side, arguments)
            for number in [1, arguments.iterations] * 2:  # to warm up, and to compile both kinds
                iterate(number)
            numbers = [*range(1, arguments.iterations + 1)] * arguments.rounds
            mean = statistics.mean(timed(iterate, n, arguments.device) for n in numbers)
            rate = arguments.batch / mean
            shown = memory(arguments.device)
            print(f"| {variant} | {side} | {1000 * mean:.1f} | {rate:.1f} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
