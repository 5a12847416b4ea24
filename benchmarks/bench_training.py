"""The time of a training iteration, for each variant at 32 and 128 px.

    python benchmarks/bench_training.py [--batch 8] [--threads 2] [--sides 32 128]
    python benchmarks/bench_training.py --reference DIR     # against the authors' code, at 128 px

Batches come from memory, so only the networks are timed. One of every `--iterations` (10)
iterations has the generator's adversarial terms, as in training.

DIR is a checkout of the authors' code with solver.py, model.py, utils.py, numpy_fid.py,
inception_tf.py and cls_weight_reduce.npy. Its own training loop runs. Its imports besides PyTorch
(TensorFlow 1, torchvision) are for evaluation only and are replaced by mocks. Iterations of both
implementations alternate, so that other load slows both alike.
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

# The paper's scale, where it differs from that of config.yaml.
PAPER = {"embedding": 128, "discriminator_channels": 32, "image_channels": 3}
PAPER_CHANNELS = {"std_half": 16}
PAPER_FEATURE = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1]
PAPER_ITERATIONS = 398 * 3000 * 30 // 32

Iteration = Callable[[int], None]


def random_batch(side: int, classes: int, arguments: argparse.Namespace) -> Batch:
    """Draw a random batch, on the device."""
    batch, device = arguments.batch, arguments.device

    def images() -> torch.Tensor:
        drawn = torch.rand(batch, 3, side, side) * 2 - 1
        return drawn.to(device, memory_format=torch.channels_last)

    def labels() -> torch.Tensor:
        return torch.randint(classes, (batch,)).to(device)

    def z() -> torch.Tensor:
        return torch.randn(batch, 128).clamp(-2, 2).mul(0.5).to(device)

    return Batch(z(), labels(), images(), images(), labels(), z())


def tinygan_iteration(variant: str, side: int, arguments: argparse.Namespace) -> Iteration:
    """Return a function that runs the i-th iteration (from 1) of a variant of this project.

    Args:
        variant: the name of the variant.
        side: 32 for the networks of `mini`, 128 for those of the paper.
        arguments: batch, device, precision, compile and iterations, see `parse_arguments`.
    """
    config = resolve_variant(load(Path(__file__).parents[1] / "config.yaml"), variant)
    config["train"] |= {
        "batch": arguments.batch,
        "precision": arguments.precision,
        "compile": arguments.compile,
    }
    config["device"] = arguments.device
    if side == 128:
        config["student"] |= PAPER | {"channels": PAPER_CHANNELS.get(variant, 32)}
        config["loss"]["feature"] = PAPER_FEATURE if config["loss"]["feature"] else []
        config |= {"image_size": side, "classes": [str(label) for label in range(398)]}
    iterate = iteration(config)
    return lambda number: iterate(number % arguments.iterations == 0)


def timed(iterate: Iteration, number: int, device: str) -> float:
    """Return the seconds of one iteration, including the device's work."""
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    iterate(number)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


class AlternatingLoader:
    """A data loader for the authors' loop that runs an iteration of this project before each batch.

    Attributes:
        authors: seconds of each iteration of the authors' code so far.
        project: the same of this project.
    """

    def __init__(self, iterate: Iteration, arguments: argparse.Namespace) -> None:
        self.arguments, self.iterate = arguments, iterate
        self.dataset = range(arguments.batch * 1000)
        self.authors: list[float] = []
        self.project: list[float] = []

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        data, device = random_batch(128, 398, self.arguments), self.arguments.device
        for number in range(1, self.arguments.iterations + 1):
            self.project.append(timed(self.iterate, number, device))
            started = time.perf_counter()
            yield data.teacher.contiguous(), data.z, data.y
            if device == "cuda":
                torch.cuda.synchronize()
            self.authors.append(time.perf_counter() - started)


def run_authors_code(folder: Path, arguments: argparse.Namespace) -> AlternatingLoader:
    """Run the authors' training loop from `folder`, alternating with this project's dw.

    Raises:
        FileNotFoundError: a file of the authors' code is missing.
    """
    needed = ["solver.py", "model.py", "utils.py", "cls_weight_reduce.npy"]
    if missing := [name for name in needed if not (folder / name).is_file()]:
        raise FileNotFoundError(f"{folder} is not the authors' code: no {', '.join(missing)}")
    # Before the mocks: PyTorch inspects importable modules when it creates the first optimiser.
    loader = AlternatingLoader(tinygan_iteration("dw", 128, arguments), arguments)
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

        solver = Solver(loader, test, [(real.real.contiguous(), real.real_y)] * 2, config)
        solver.train()  # a round to warm up
        loader.authors.clear()
        loader.project.clear()
        for _ in range(arguments.rounds):
            solver.train()
    return loader


def describe(arguments: argparse.Namespace) -> str:
    """Return the machine and the settings in one line."""
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.machine()
    settings = f"{arguments.precision}, compile {arguments.compile}, batch {arguments.batch}"
    return f"{name}, {arguments.threads} threads, torch {torch.__version__}, {settings}"


def peak_memory(device: str) -> str:
    """Return the peak memory of a GPU in GiB."""
    return f"{torch.cuda.max_memory_allocated() / 2**30:.2f}" if device == "cuda" else "–"


def compare(arguments: argparse.Namespace) -> None:
    """Print a table of this project's dw and the authors' code."""
    loader = run_authors_code(arguments.reference, arguments)
    print("| dw at 128 px | ms per iteration (mean) | images/s | paper's full run, days |")
    print("| :-- | --: | --: | --: |")
    for name, seconds in (("the authors' code", loader.authors), ("this project", loader.project)):
        mean = statistics.mean(seconds)
        # The paper's iterations have a batch of 32, whatever is measured here.
        days = PAPER_ITERATIONS * 32 / arguments.batch * mean / 86400
        print(f"| {name} | {1000 * mean:.0f} | {arguments.batch / mean:.1f} | {days:.2f} |")
    ratio = sum(loader.authors) / sum(loader.project)
    print(f"\nspeed-up {ratio:.2f}, over {len(loader.project)} iterations each")


def measure(arguments: argparse.Namespace) -> None:
    """Print a table of the variants."""
    config = load(Path(__file__).parents[1] / "config.yaml")
    print("| variant | px | ms per iteration (mean) | images/s | peak device memory, GiB |")
    print("| :-- | --: | --: | --: | --: |")
    for side in arguments.sides:
        for variant in arguments.variants or config["variants"]:
            iterate = tinygan_iteration(variant, side, arguments)
            # Warm up, and compile both kinds of iterations.
            for number in [1, arguments.iterations] * 2:
                iterate(number)
            numbers = [*range(1, arguments.iterations + 1)] * arguments.rounds
            mean = statistics.mean(timed(iterate, n, arguments.device) for n in numbers)
            rate, memory = arguments.batch / mean, peak_memory(arguments.device)
            print(f"| {variant} | {side} | {1000 * mean:.1f} | {rate:.1f} | {memory} |", flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, metavar="DIR", help="the authors' code")
    parser.add_argument("--batch", type=int, default=8, help="default: 8")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--iterations", type=int, default=10, help="per round (default: 10)")
    parser.add_argument("--rounds", type=int, default=1, help="default: 1")
    parser.add_argument(
        "--sides",
        type=int,
        nargs="*",
        choices=[32, 128],
        default=[32, 128],
        help="image sizes in px (default: 32 128)",
    )
    parser.add_argument("--variants", nargs="*", metavar="NAME", help="default: all of the config")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: cpu")
    parser.add_argument(
        "--precision", choices=["float32", "bfloat16"], default="float32", help="default: float32"
    )
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument(
        "--give-back",
        action="store_true",
        help="return freed memory to the system (glibc's default) instead of reusing it",
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.give_back:
        torch.set_num_threads(arguments.threads)
    else:
        configure_torch(arguments.threads)
    torch.manual_seed(0)
    print(describe(arguments) + "\n")
    if arguments.reference:
        compare(arguments)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
