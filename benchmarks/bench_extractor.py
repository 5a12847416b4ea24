"""Compare implementations of EfficientNet-Lite0: images per second and exactness.

    python benchmarks/bench_extractor.py [--side 64] [--images 100] [--rounds 3] [--threads 1]

The implementations alternate within a round, so that other load slows all of them alike. The
difference is the largest of all features, which are in [0, 6], to the same network in float64. ONNX
Runtime is skipped if it or the exporter's packages (onnx, onnxscript) are not installed.
"""

import argparse
import copy
import io
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from tinygan.features import efficientnet_lite
from tinygan.features.efficientnet_lite import CHUNK as CHUNKS
from tinygan.features.efficientnet_lite import fold_norms

Network = Callable[[Tensor], Tensor]

CHUNK = CHUNKS["cpu"]


def onnx_runtime(model: nn.Module, example: Tensor, threads: int) -> Network:
    """Return the network in ONNX Runtime.

    Raises:
        ImportError: a package is missing.
    """
    import onnxruntime

    file = io.BytesIO()
    torch.onnx.export(model, (example,), dynamo=True, verbose=False).save(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file.getvalue(), options)
    name = session.get_inputs()[0].name
    return lambda x: torch.from_numpy(session.run(None, {name: x.numpy()})[0])


def implementations(threads: int) -> dict[str, tuple[Callable[[Tensor], Network], int]]:
    """Return for each implementation its builder, which takes example images, and its batch."""
    model, _ = efficientnet_lite.load()
    folded = fold_norms(copy.deepcopy(model))

    def builder(network: nn.Module, layout: torch.memory_format) -> Callable[[Tensor], Network]:
        network = copy.deepcopy(network).to(memory_format=layout)
        return lambda _: lambda x: network(x.contiguous(memory_format=layout))[0]

    # These two choose memory layouts themselves.
    compiled = torch.compile(copy.deepcopy(folded))
    plain = copy.deepcopy(folded).to(memory_format=torch.contiguous_format)
    last = torch.channels_last
    return {
        "PyTorch, contiguous": (builder(model, torch.contiguous_format), 100),
        "PyTorch, channels_last": (builder(model, last), 100),
        f"the same, batch {CHUNK}": (builder(model, last), CHUNK),
        "the same, norms folded (used)": (builder(folded, last), CHUNK),
        "the same, torch.compile": (lambda _: lambda x: compiled(x)[0], CHUNK),
        "ONNX Runtime": (lambda x: onnx_runtime(plain, x, threads), CHUNK),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default, meaning in (
        ("side", 64, "input size in pixels"),
        ("images", 100, "images per round"),
        ("rounds", 3, "measurements of each implementation"),
        ("threads", 1, "CPU threads"),
    ):
        text = f"{meaning} (default: {default})"
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=text)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shape = (options.images, options.side, options.side, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()

    def run(network: Network, chunk: int) -> Tensor:
        return torch.cat([network(part) for part in x.split(chunk)])

    networks: dict[str, tuple[Network, int]] = {}
    start_up: dict[str, float] = {}
    differences: dict[str, float] = {}
    seconds: dict[str, list[float]] = {}
    with torch.inference_mode():
        few = slice(0, 2 * CHUNK)
        exact = efficientnet_lite.load()[0].double()(x[few].double())[0]
        for name, (build, chunk) in implementations(options.threads).items():
            start = time.perf_counter()
            try:
                networks[name] = build(x[:CHUNK].contiguous()), chunk
            except ImportError as error:
                print(f"{name} is skipped: {error}")
                continue
            first = run(*networks[name])
            start_up[name] = time.perf_counter() - start
            differences[name] = float((first[few] - exact).abs().max())
            seconds[name] = []
        for _ in range(options.rounds):
            for name, network in networks.items():
                start = time.perf_counter()
                run(*network)
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    baseline = next(iter(medians.values()))
    print(f"{options.images} images at {options.side} px, {options.threads} threads\n")
    print("| implementation | images/s | speed-up | start-up, s | largest difference |")
    print("| :-- | --: | --: | --: | --: |")
    for name, median in medians.items():
        print(
            f"| {name} | {options.images / median:.0f} | {baseline / median:.1f} "
            f"| {max(start_up[name] - median, 0):.1f} | {differences[name]:.1e} |"
        )


if __name__ == "__main__":
    main()
