"""The operations of TensorFlow's Inception graph of 2015-12-05, in PyTorch.

That graph has, between its input and its logits, Const, Identity, CheckNumerics, Conv2D,
BatchNormWithGlobalNormalization, Relu, MaxPool, AvgPool, Concat, Reshape, MatMul and BiasAdd. The
others here are the names that later versions of TensorFlow gave to the same.

Values have TensorFlow's shapes, images [N, H, W, C]. Seen as [N, C, H, W] they are channels-last in
memory, which is how PyTorch's kernels get them: nothing is transposed.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from tinygan.features.graph_def import Node
from tinygan.features.same_padding import same_padding

Operation = Callable[..., Tensor]


def operation(node: Node) -> Operation:
    """Return the operation of a node as a function of the values of its inputs.

    Raises:
        ValueError: PyTorch cannot run it here, or its attributes are damaged.
    """
    if node.op not in _OPERATIONS:
        raise _unsupported(node, f"the operation {node.op}")
    return _OPERATIONS[node.op](node)


def _unsupported(node: Node, what: str) -> ValueError:
    return ValueError(
        f"inception_torch does not know {what} of node {node.name}: "
        "use metrics.extractor: inception_tf"
    )


def _plain(function: Operation) -> Callable[[Node], Operation]:
    """Return the builder of an operation without attributes."""
    return lambda node: function


def _conv2d(node: Node) -> Operation:
    stride = _height_width(node, "strides")
    if "dilations" in node.attributes and _height_width(node, "dilations") != (1, 1):
        raise _unsupported(node, "dilations")
    is_same = _is_same(node)

    def run(x: Tensor, filters: Tensor) -> Tensor:
        """Map [N, H, W, I], with filters [h, w, I, O], to [N, H', W', O]."""
        x = _pad(x, tuple(filters.shape[:2]), stride, 0.0) if is_same else x
        return _nhwc(F.conv2d(_nchw(x), filters.permute(3, 2, 0, 1), stride=stride))

    return run


def _max_pool(node: Node) -> Operation:
    kernel, stride = _height_width(node, "ksize"), _height_width(node, "strides")
    is_same = _is_same(node)

    def run(x: Tensor) -> Tensor:
        x = _pad(x, kernel, stride, -float("inf")) if is_same else x
        return _nhwc(F.max_pool2d(_nchw(x), kernel, stride))

    return run


def _avg_pool(node: Node) -> Operation:
    kernel, stride = _height_width(node, "ksize"), _height_width(node, "strides")
    is_same = _is_same(node)

    def run(x: Tensor) -> Tensor:
        """Return means over windows; those at the border are of the pixels inside the image."""
        if not is_same:
            return _nhwc(F.avg_pool2d(_nchw(x), kernel, stride))
        inside = x.new_ones(1, *x.shape[1:3], 1)
        sums, counts = (
            F.avg_pool2d(_nchw(_pad(a, kernel, stride, 0.0)), kernel, stride, divisor_override=1)
            for a in (x, inside)
        )
        return _nhwc(sums / counts)

    return run


def _global_batch_norm(node: Node) -> Operation:
    epsilon = node.number("variance_epsilon", 0.001)
    is_scaled = node.flag("scale_after_normalization", False)

    def run(x: Tensor, mean: Tensor, variance: Tensor, beta: Tensor, gamma: Tensor) -> Tensor:
        weight = gamma if is_scaled else None
        return _nhwc(F.batch_norm(_nchw(x), mean, variance, weight, beta, eps=epsilon))

    return run


def _fused_batch_norm(node: Node) -> Operation:
    if node.flag("is_training", True):
        raise _unsupported(node, "is_training")
    _check_layout(node)
    epsilon = node.number("epsilon", 0.0001)

    def run(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return _nhwc(F.batch_norm(_nchw(x), mean, variance, gamma, beta, eps=epsilon))

    return run


def _matmul(node: Node) -> Operation:
    if node.flag("transpose_a", False) or node.flag("transpose_b", False):
        raise _unsupported(node, "a transposed factor")
    return Tensor.matmul


def _squeeze(node: Node) -> Operation:
    dimensions = tuple(node.integers("squeeze_dims"))
    if not dimensions:
        raise _unsupported(node, "squeezing all dimensions")
    return lambda x: x.squeeze(dimensions)


def _bias_add(node: Node) -> Operation:
    _check_layout(node)
    return Tensor.add


# The shapes and axes are integers on the CPU.
_OPERATIONS: dict[str, Callable[[Node], Operation]] = {
    "Add": _plain(Tensor.add),
    "AddV2": _plain(Tensor.add),
    "AvgPool": _avg_pool,
    "BatchNormWithGlobalNormalization": _global_batch_norm,
    "BiasAdd": _bias_add,
    "CheckNumerics": _plain(lambda x: x),
    "Concat": _plain(lambda axis, *parts: torch.cat(parts, int(axis))),
    "ConcatV2": _plain(lambda *parts: torch.cat(parts[:-1], int(parts[-1]))),
    "Conv2D": _conv2d,
    "FusedBatchNorm": _fused_batch_norm,
    "FusedBatchNormV3": _fused_batch_norm,
    "Identity": _plain(lambda x: x),
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _plain(Tensor.mul),
    "Relu": _plain(F.relu),
    "Reshape": _plain(lambda x, shape: x.reshape(shape.tolist())),
    "Softmax": _plain(lambda x: x.softmax(-1)),
    "Squeeze": _squeeze,
    "Sub": _plain(Tensor.sub),
}


def _nchw(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def _nhwc(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _pad(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], value: float) -> Tensor:
    """Pad images [N, H, W, C] as TensorFlow's 'SAME'."""
    rows, columns = map(same_padding, x.shape[1:3], kernel, stride)
    return F.pad(x, (0, 0, *columns, *rows), value=value) if any(rows + columns) else x


def _is_same(node: Node) -> bool:
    _check_layout(node)
    padding = node.text("padding", "")
    if padding not in ("SAME", "VALID"):
        raise _unsupported(node, f"padding {padding}")
    return padding == "SAME"


def _height_width(node: Node, key: str) -> tuple[int, int]:
    """Return the two in the middle of an attribute [1, height, width, 1]."""
    sizes = node.integers(key)
    if len(sizes) != 4 or (sizes[0], sizes[3]) != (1, 1):
        raise _unsupported(node, f"{key} {sizes}")
    return sizes[1], sizes[2]


def _check_layout(node: Node) -> None:
    if (layout := node.text("data_format", "NHWC")) != "NHWC":
        raise _unsupported(node, f"data_format {layout}")
