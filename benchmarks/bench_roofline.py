"""How near a training iteration comes to what the device can do at most.

    python benchmarks/bench_roofline.py [--sides 128] [--batch 8] [--variants dw std]
    python benchmarks/bench_roofline.py --device cuda --batch 32 --precision bfloat16

First the device's two limits are measured: operations a second, of a large product of matrices or a
large convolution in the precision asked for, whichever is faster; and bytes a second of a large
copy. Then one plain iteration is taken apart into the operations that PyTorch hands to the device.
Each has to do its floating-point operations and to read its inputs and write its outputs once, so
it takes at least the longer of the two times: the sum is the bound. Bound over measured time is the
share of the roofline reached. Small tensors may stay in a cache, which the bound does not know; a
fused kernel can beat it, since it writes nothing in between.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from bench_training import describe, ours, timed
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import conv_flop_count, flop_registry

from tinygan.runtime import configure_torch

_ATEN = torch.ops.aten


def times(work: Callable[[], object], device: str, repeats: int) -> list[float]:
    """Return the seconds of each call, the device's work included, after one to warm up."""
    return [timed(lambda _: work(), call, device) for call in range(repeats + 1)][1:]


@torch.no_grad()
def limits(device: str, precision: str) -> tuple[float, float]:
    """Measure the device at its best: floating-point operations a second, bytes a second."""
    made = {"device": device, "dtype": getattr(torch, precision)}
    size, batch = (8192, 64) if device == "cuda" else (2048, 8)
    matrix = torch.randn(size, size, **made)
    images, weight = torch.randn(batch, 256, 32, 32, **made), torch.randn(256, 256, 3, 3, **made)
    images, weight = (x.to(memory_format=torch.channels_last) for x in (images, weight))
    product = 2 * size**3 / min(times(lambda: matrix @ matrix, device, 5))
    flops = 2 * images.numel() * 256 * 9
    convolution = flops / min(times(lambda: F.conv2d(images, weight, padding=1), device, 5))
    source = torch.zeros(2**28, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    moved = 2 * source.numel() / min(times(lambda: target.copy_(source), device, 9))
    return max(product, convolution), moved


class Roofline(TorchDispatchMode):
    """Adds up, over all operations inside it, the least time that each one needs."""

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
            moved = bytes_touched((args, kwargs, result))
            self.flops, self.bytes = self.flops + flops, self.bytes + moved
            self.seconds += max(flops / self.limits[0], moved / self.limits[1])
        return result


def floating_point_operations(packet: Any, args: tuple, kwargs: dict, result: Any) -> int:
    """Count those of products and convolutions; all others are bound by memory anyway."""
    if packet is _ATEN.convolution_backward:
        gradient, x, weight, *_, wanted = args
        return sum(wanted[:2]) * conv_flop_count(x.shape, weight.shape, gradient.shape)
    if packet in flop_registry:
        return flop_registry[packet](*args, **kwargs, out_val=result)
    return 0


def bytes_touched(values: Any) -> int:
    """Count the bytes of all tensors; a broadcast one has no more than its memory."""
    tensors = [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]
    return sum(min(t.numel() * t.element_size(), t.untyped_storage().nbytes()) for t in tensors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8, help="default: 8")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--repeats", type=int, default=7, help="default: 7")
    parser.add_argument("--sides", type=int, nargs="*", choices=[32, 128], default=[128])
    parser.add_argument("--variants", nargs="*", metavar="NAME", default=["dw", "std"])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    arguments.iterations, arguments.compile = 10, False
    configure_torch(arguments.threads)
    torch.manual_seed(0)
    products, moved = limits(arguments.device, arguments.precision)
    print(describe(arguments))
    print(f"measured limits: {products / 1e9:.0f} GFLOP/s, {moved / 1e9:.1f} GB/s\n")
    print("| variant | px | GFLOP | GB | bound, ms | measured, ms | share of the roofline |")
    print("| :-- | --: | --: | --: | --: | --: | --: |")
    for side in arguments.sides:
        for variant in arguments.variants:
            iterate = ours(variant, side, arguments)
            iterate(1)
            with Roofline(products, moved) as bound:
                iterate(1)
            taken = times(lambda work=iterate: work(1), arguments.device, arguments.repeats)
            measured = statistics.median(taken)
            least = f"{bound.flops / 1e9:.1f} | {bound.bytes / 1e9:.2f} | {bound.seconds * 1e3:.0f}"
            share = f"{measured * 1e3:.0f} | {bound.seconds / measured:.0%}"
            print(f"| {variant} | {side} | {least} | {share} |", flush=True)


if __name__ == "__main__":
    main()
