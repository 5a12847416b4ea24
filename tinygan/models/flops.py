"""Cost of a model: parameters, and multiply-accumulates (MACs) per image (Table 1)."""

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from tinygan.models.student import in_figure_order

_ATEN = torch.ops.aten


class Macs(NamedTuple):
    """Multiply-accumulates per image.

    Attributes:
        layers: those of the layers, which Table 1 calls FLOPs.
        attention: those of the two matrix products of self-attention, which Table 1 omits.
    """

    layers: int
    attention: int


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_accumulates(generator: nn.Module, z_dim: int) -> Macs:
    """Count the multiply-accumulates of a generator per image, by the convention of Table 1.

    Convolutions and linear layers: one per product. Bias of a convolution: one per output value.
    Batch norm: two per value, one to normalise and one for gain and bias. Nothing for activations,
    interpolation, sums, spectral norm and the bias of a linear layer. A student's shortcuts run in
    the order of Figure 6. PyTorch's `FlopCounterMode` does the counting, with formulas for the two
    operations that it lacks; it counts a multiply-accumulate as two operations.

    Args:
        generator: takes z [1, z_dim] and y [1]; on the device "meta" nothing is computed.
        z_dim: length of z.
    """
    device = next(generator.parameters()).device
    z, y = torch.zeros(1, z_dim, device=device), torch.zeros(1, dtype=torch.long, device=device)
    counter, training = FlopCounterMode(display=False, custom_mapping=_FORMULAS), generator.training
    with counter, torch.no_grad(), in_figure_order(generator):
        generator.eval()(z, y)
    generator.train(training)
    attention = counter.get_flop_counts()["Global"].get(_ATEN.bmm, 0)
    return Macs((counter.get_total_flops() - attention) // 2, attention // 2)


def _convolution(
    x: torch.Size,
    weight: torch.Size,
    bias: torch.Size | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    *rest: Any,
    out_shape: torch.Size,
    **options: Any,
) -> int:
    products = conv_flop_count(x, weight, out_shape, transposed=transposed)
    return products + (2 * out_shape.numel() if bias is not None else 0)


def _batch_norm(x: torch.Size, *rest: Any, **options: Any) -> int:
    return 2 * 2 * x.numel()


# Batch norm with running statistics is decomposed into this before it is counted.
_FORMULAS = {
    _ATEN.convolution: _convolution,
    _ATEN._native_batch_norm_legit_no_training: _batch_norm,
}
