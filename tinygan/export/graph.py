"""A generator as an ONNX graph, (z, weights of the classes) -> images, in 32 and 16 bits.

A class enters as a vector of weights, not as an index: one-hot for one class, anything else for a
mixture of classes, as in Figure 10 and in the signature of BigGAN's TF-Hub module.
"""

import copy

import onnx
import onnx_ir
import onnxscript  # noqa: F401  torch.onnx.export imports it, and reports its lack less clearly
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, TopologicalSortPass
from onnxruntime.transformers.float16 import convert_float_to_float16
from torch import Tensor, nn

# The version of ONNX's operators. PyTorch's exporter writes it without converting between versions.
OPSET = 18


class _WeightedRows(nn.Module):
    """The weighted sum of an embedding's rows: weights [N, classes] -> [N, length]."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, weights: Tensor) -> Tensor:
        return weights @ self.embedding.weight


def with_class_weights(generator: nn.Module) -> nn.Module:
    """Return a copy of a generator that takes weights of the classes in place of class indices.

    Args:
        generator: (z [N, z_dim], class indices [N]) -> images; classes enter through `nn.Embedding`
            alone.

    Returns:
        (z [N, z_dim], weights float [N, classes]) -> images.
    """
    copied = copy.deepcopy(generator)
    for module in list(copied.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Embedding):
                setattr(module, name, _WeightedRows(child))
    return copied.requires_grad_(False).eval()


def to_onnx(generator: nn.Module, *, z_dim: int, classes: int) -> onnx.ModelProto:
    """Export a generator in float32, for any batch size.

    Args:
        generator: see `with_class_weights`, in evaluation mode on the CPU.
        z_dim: length of z.
        classes: number of classes.

    Returns:
        a graph with the inputs ``z`` [batch, z_dim] and ``y`` [batch, classes], and the output
        ``images`` [batch, 3, H, W] in [-1, 1].

    Raises:
        ValueError: PyTorch cannot export it.
    """
    example = {"z": torch.zeros(2, z_dim), "y": torch.zeros(2, classes)}
    batch = torch.export.Dim("batch")
    try:
        traced = torch.export.export(
            with_class_weights(generator),
            tuple(example.values()),
            dynamic_shapes=dict.fromkeys(example, {0: batch}),
            # Otherwise len(z) would make the batch size of the example a constant.
            strict=True,
        )
        program = torch.onnx.export(
            traced,
            input_names=list(example),
            output_names=["images"],
            opset_version=OPSET,
            verbose=False,
        )
    # PyTorch raises many kinds of errors here; TINYGAN_TRACEBACK=1 shows where.
    except Exception as error:
        raise ValueError(
            "PyTorch cannot export this architecture to ONNX: its classes must enter through "
            f"nn.Embedding, and nothing may depend on values of z ({str(error).splitlines()[0]})"
        ) from error
    model = program.model
    program.rename_axes({model.graph.inputs[0].shape[0]: "batch"})
    ClearMetadataAndDocStringPass()(model)  # line numbers and paths of the source code
    for value in [*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()]:
        value.metadata_props.clear()
    return onnx_ir.to_proto(model)


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a graph with weights and arithmetic in 16 bits, inputs and outputs in 32."""
    converted = convert_float_to_float16(copy.deepcopy(model), keep_io_types=True)
    graph = onnx_ir.from_proto(converted)
    TopologicalSortPass()(graph)  # the casts of the inputs come last, which the checker refuses
    return onnx_ir.to_proto(graph)
