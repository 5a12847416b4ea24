"""A roofline analysis of a training iteration: its time against the limits of the device.

    python benchmarks/bench_roofline.py [--sides 128] [--batch 8] [--variants dw std]
    python benchmarks/bench_roofline.py --device cuda --batch 32 --precision bfloat16

First, the two limits of the device are measured: FLOP/s of a large matrix product or a large
convolution in the given precision, whichever is faster, and bytes per second of a large copy. Then
one iteration without adversarial terms is traced. Each operation that PyTorch dispatches has to do
its floating-point operations, and to read its inputs and write its outputs once, so it takes at
least the longer of the two times; the sum over all operations is the bound. The share of the
roofline is the bound divided by the measured time. Small tensors may stay in a cache, which the
bound ignores, and a fused kernel can beat the bound, since it writes no intermediate results.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from bench_training import describe, timed, tinygan_iteration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import conv_flop_count, flop_registry

from tinygan.runtime import configure_torch

_ATEN = torch.ops.aten


def times(work: Callable[[], object], device: str, repeats: int) -> list[float]:
    """Return the seconds of each call, including the device's work, after one call to warm up."""
    return [timed(lambda _: work(), call, device) for call in range(repeats + 1)][1:]


@torch.no_grad()
def limits(device: str, precision: str) -> tuple[float, float]:
    """Measure the limits of the device: FLOP/s and bytes per second."""
    kind = {"device": device, "dtype": getattr(torch, precision)}
    size, batch = (8192, 64) if device == "cuda" else (2048, 8)
    matrix = torch.randn(size, size, **kind)
    images, weight = torch.randn(batch, 256, 32, 32, **kind), torch.randn(256, 256, 3, 3, **kind)
    images, weight = (x.to(memory_format=torch.channels_last) for x in (images, weight))
    product = 2 * size**3 / min(times(lambda: matrix @ matrix, device, 5))
    flops = 2 * images.numel() * 256 * 9
    convolution = flops / min(times(lambda: F.conv2d(images, weight, padding=1), device, 5))
    source = torch.zeros(2**28, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    bandwidth = 2 * source.numel() / min(times(lambda: target.copy_(source), device, 9))
    return max(product, convolution), bandwidth


class Roofline(TorchDispatchMode):
    """Sums the lower bounds on the time of all operations that are dispatched inside it.

    Args:
        flops_per_second, bytes_per_second: the limits of the device.
    """

    def __init__(self, flops_per_second: float, bytes_per_second: float) -> None:
        super().__init__()
        self.limits = flops_per_second, bytes_per_second
        self.flops, self.bytes, self.seconds = 0, 0, 0.0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        if not operation.is_view:
            flops = floating_point_operations(operation._overloadpacket, args, kwargs, result)
            touched = bytes_touched((args, kwargs, result))
            self.flops, self.bytes = self.flops + flops, self.bytes + touched
            self.seconds += max(flops / self.limits[0], touched / self.limits[1])
        return result


def floating_point_operations(packet: Any, args: tuple, kwargs: dict, result: Any) -> int:
    """Count the FLOPs of a matrix product or convolution; 0 for others, which are memory-bound."""
    if packet is _ATEN.convolution_backward:
        gradient, x, weight, *_, output_mask = args
        return sum(output_mask[:2]) * conv_flop_count(x.shape, weight.shape, gradient.shape)
    if packet in flop_registry:
        return flop_registry[packet](*args, **kwargs, out_val=result)
    return 0


def bytes_touched(values: Any) -> int:
    """Count the bytes of all tensors; a broadcast tensor counts its storage only."""
    tensors = [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]
    return sum(min(t.numel() * t.element_size(), t.untyped_storage().nbytes()) for t in tensors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8, help="default: 8")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--repeats", type=int, default=7, help="timed iterations (default: 7)")
    parser.add_argument(
        "--sides",
        type=int,
        nargs="*",
        choices=[32, 128],
        default=[128],
        help="image sizes in px (default: 128)",
    )
    parser.add_argument(
        "--variants", nargs="*", metavar="NAME", default=["dw", "std"], help="default: dw std"
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: cpu")
    parser.add_argument(
        "--precision", choices=["float32", "bfloat16"], default="float32", help="default: float32"
    )
    arguments = parser.parse_args()
    arguments.iterations, arguments.compile = 10, False
    configure_torch(arguments.threads)
    torch.manual_seed(0)
    flops, bandwidth = limits(arguments.device, arguments.precision)
    print(describe(arguments))
    print(f"measured limits: {flops / 1e9:.0f} GFLOP/s, {bandwidth / 1e9:.1f} GB/s\n")
    print("| variant | px | GFLOP | GB | bound, ms | measured, ms | share of the roofline |")
    print("| :-- | --: | --: | --: | --: | --: | --: |")
    for side in arguments.sides:
        for variant in arguments.variants:
            iterate = tinygan_iteration(variant, side, arguments)
            iterate(1)
            with Roofline(flops, bandwidth) as bound:
                iterate(1)
            seconds = times(lambda work=iterate: work(1), arguments.device, arguments.repeats)
            measured = statistics.median(seconds)
            limit = f"{bound.flops / 1e9:.1f} | {bound.bytes / 1e9:.2f} | {bound.seconds * 1e3:.0f}"
            share = f"{measured * 1e3:.0f} | {bound.seconds / measured:.0%}"
            print(f"| {variant} | {side} | {limit} | {share} |", flush=True)


if __name__ == "__main__":
    main()
