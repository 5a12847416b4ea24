"""Cost of a model: parameters, and multiply-accumulates for one image (Table 1)."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    """Count the trainable numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_accumulates(generator: nn.Module, z_dim: int) -> int:
    """Count the multiply-accumulates of convolutions and linear maps for one image.

    The count is PyTorch's own (`FlopCounterMode`), halved: it counts a multiply-accumulate as two
    operations, the paper's "FLOPs" as one. Normalisation, activations and interpolation are left
    out, as is usual.
    """
    training = generator.training
    generator.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        generator(torch.zeros(1, z_dim), torch.zeros(1, dtype=torch.long))
    generator.train(training)
    return counter.get_total_flops() // 2
