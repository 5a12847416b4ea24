"""Stand-ins for the Inception graph of 2015-12-05, with random weights, and what TensorFlow says.

    python tests/helpers/inception_graphs.py FOLDER WIDTH

writes for each graph NAME.pb, and NAME.npz with images and the features and logits that the
extractor `inception_tf` computes for them. Nodes are written one by one, with the version of 2015,
because TensorFlow no longer creates some of them; it still runs them.

`inception` has the topology and names of the published graph, and WIDTH times its channels. With
WIDTH 1 it has as many parameters, and nodes of each operation that decides a value, as TensorFlow's
documentation counts in the published one (tensorflow/docs_src/mobile/optimizing.md).
`operations` has every operation that `inception_torch` knows, with paddings of all kinds.
`resize` returns its input as features.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from tinygan.features.inception_tf import _load

# Layers before the first block, then the towers of each block, one per line. A layer is a kernel
# with its output channels, / for stride 2 and ! for padding VALID; or a pool. `mixed` splits a
# tower into the two layers after it, as in mixed_9. The towers of a block are concatenated.
STEM = "3x3/!32 3x3!32 3x3:64 max/! 1x1!80 3x3!192 max/!"
BLOCK_35 = ["1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "avg 1x1:{}"]
BLOCK_17 = [
    "1x1:192",
    "1x1:{0} 1x7:{0} 7x1:192",
    "1x1:{0} 7x1:{0} 1x7:{0} 7x1:{0} 1x7:192",
    "avg 1x1:192",
]
BLOCK_8 = [
    "1x1:320",
    "1x1:384 mixed 1x3:384 3x1:384",
    "1x1:448 3x3:384 mixed 1x3:384 3x1:384",
    "{} 1x1:192",
]
BLOCKS = [
    *([tower.format(channels) for tower in BLOCK_35] for channels in (32, 64, 64)),
    ["3x3/!384", "1x1:64 3x3:96 3x3/!96", "max/!"],
    *([tower.format(channels) for tower in BLOCK_17] for channels in (128, 160, 160, 192)),
    ["1x1:192 3x3/!320", "1x1:192 1x7:192 7x1:192 3x3/!192", "max/!"],
    *([tower.format(pool) for tower in BLOCK_8] for pool in ("avg", "max")),
]


class Graph:
    """A GraphDef that grows node by node, and the number of channels of its images."""

    def __init__(self) -> None:
        self.graph = GraphDef()
        self.graph.versions.producer = 8  # BatchNormWithGlobalNormalization is removed in 9
        self.rng = np.random.default_rng(0)
        self.channels: dict[str, int] = {}

    def add(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        """Add a node, return its name; attributes as Python values, element types float."""
        node = self.graph.node.add(op=op, name=name, input=inputs)
        for key, value in {"T": tf.float32, **attributes}.items():
            attribute = node.attr[key]
            if isinstance(value, bool):
                attribute.b = value
            elif isinstance(value, int):
                attribute.i = value
            elif isinstance(value, float):
                attribute.f = value
            elif isinstance(value, str):
                attribute.s = value.encode()
            elif isinstance(value, list):
                attribute.list.i.extend(value)
            else:
                attribute.type = value.as_datatype_enum
        self.channels[name] = self.channels.get(inputs[0], 0) if inputs else 0
        return name

    def constant(self, name: str, value: object) -> str:
        value = np.asarray(value)
        dtype = tf.as_dtype(value.dtype)
        node = self.graph.node.add(op="Const", name=name)
        node.attr["dtype"].type = dtype.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        return name

    def normal(self, name: str, *shape: int, scale: float = 1, mean: float = 0) -> str:
        value = self.rng.standard_normal(shape, np.float32) * np.float32(scale) + np.float32(mean)
        return self.constant(name, np.abs(value) if mean > 0 else value)

    def conv(self, name: str, x: str, kernel: tuple[int, int], channels: int, **window) -> str:
        """Add convolution, batch norm, check and ReLU, named as in the published graph."""
        inputs = self.channels[x]
        scale = (2 / (kernel[0] * kernel[1] * inputs)) ** 0.5
        filters = self.normal(f"{name}/conv2d_params", *kernel, inputs, channels, scale=scale)
        y = self.add("Conv2D", f"{name}/Conv2D", x, filters, **window)
        y = self.batch_norm(f"{name}/batchnorm", y, channels, scale_after_normalization=True)
        check = self.add("CheckNumerics", f"{name}/CheckNumerics", y, message="")
        y = self.add("Identity", f"{name}/control_dependency", y, f"^{check}")
        y = self.add("Relu", name, y)
        self.channels[y] = channels
        return y

    def batch_norm(self, name: str, x: str, channels: int, **attributes: object) -> str:
        moments = [
            self.normal(f"{name}/moving_mean", channels, scale=0.1),
            self.normal(f"{name}/moving_variance", channels, scale=0.1, mean=1),
            self.normal(f"{name}/beta", channels, scale=0.1),
            self.normal(f"{name}/gamma", channels, scale=0.1, mean=1),
        ]
        attributes |= {"variance_epsilon": 0.001}
        return self.add("BatchNormWithGlobalNormalization", name, x, *moments, **attributes)

    def layer(self, prefix: str, x: str, layer: str, width: float) -> str:
        """Add a layer of the table above; its name is numbered like TensorFlow's."""
        strides = [1, 2, 2, 1] if "/" in layer else [1, 1, 1, 1]
        window = {"strides": strides, "padding": "VALID" if "!" in layer else "SAME"}
        if layer[:3] in ("max", "avg"):
            op = {"max": "MaxPool", "avg": "AvgPool"}[layer[:3]]
            return self.add(op, self.free(f"{prefix}pool"), x, ksize=[1, 3, 3, 1], **window)
        channels = round(int(layer[3:].lstrip("/!:")) * width)
        kernel = int(layer[0]), int(layer[2])
        return self.conv(self.free(f"{prefix}conv"), x, kernel, channels, **window)

    def free(self, name: str) -> str:
        """Return the name with the number that TensorFlow appends to the next of its kind."""
        names = [name, *(f"{name}_{i}" for i in range(1, 20))]
        return next(name for name in names if name not in self.channels)

    def tower(self, prefix: str, x: str, layers: list[str], width: float) -> list[str]:
        """Add the layers of a tower; return its ends."""
        for i, layer in enumerate(layers):
            if layer == "mixed":
                return [self.layer(f"{prefix}mixed/", x, end, width) for end in layers[i + 1 :]]
            x = self.layer(prefix, x, layer, width)
        return [x]

    def join(self, name: str, ends: list[str]) -> str:
        axis = self.constant(f"{name}/concat_dim", np.int32(3))
        joined = self.add("Concat", name, axis, *ends, N=len(ends))
        self.channels[joined] = sum(self.channels[end] for end in ends)
        return joined

    def head(self, x: str, side: int) -> None:
        """Add the last pool of images of a size, and the logits."""
        window = {"ksize": [1, side, side, 1], "strides": [1, 1, 1, 1], "padding": "VALID"}
        x = self.add("AvgPool", "pool_3", x, **window)
        shape = self.constant("pool_3/_reshape/shape", np.int32([-1, self.channels[x]]))
        flat = self.add("Reshape", "pool_3/_reshape", x, shape, Tshape=tf.int32)
        weights = self.normal("softmax/weights", self.channels[x], 1008, scale=0.1)
        product = self.add("MatMul", "softmax/logits/MatMul", flat, weights)
        self.add("BiasAdd", "logits", product, self.normal("softmax/biases", 1008))

    def placeholder(self) -> str:
        node = self.graph.node.add(op="Placeholder", name="Mul")
        node.attr["dtype"].type = tf.float32.as_datatype_enum
        self.channels["Mul"] = 3
        return "Mul"


def inception(width: float) -> GraphDef:
    """Return a graph with the published topology and `width` times its channels."""
    graph = Graph()
    (x,) = graph.tower("", graph.placeholder(), STEM.split(), width)
    for number, towers in enumerate(BLOCKS):
        block, ends, count = f"mixed_{number}" if number else "mixed", [], 0
        for layers in map(str.split, towers):
            tower = f"tower_{count}/" if count else "tower/"
            # A single layer is beside the towers.
            prefix = f"{block}/{tower}" if len(layers) > 1 else f"{block}/"
            count += len(layers) > 1
            ends += graph.tower(prefix, x, layers, width)
        x = graph.join(f"{block}/join", ends)
    graph.head(x, 8)
    return graph.graph


def operations() -> GraphDef:
    """Return a graph of every operation; images shrink from 299 to odd and even sizes."""
    graph = Graph()
    x = graph.placeholder()
    x = graph.add("Mul", "scaled", x, graph.constant("factor", np.float32(2)))
    x = graph.add("Sub", "shifted", x, graph.constant("shift", np.float32([0.1, 0.2, 0.3])))
    same, valid = {"padding": "SAME"}, {"padding": "VALID"}
    by_2, by_3 = {"strides": [1, 2, 2, 1]}, {"strides": [1, 3, 2, 1]}
    x = graph.conv("a", x, (3, 3), 6, **by_2, **same)  # 299 -> 150, symmetric
    x = graph.conv("b", x, (3, 5), 8, **by_2, **same)  # 150 -> 75, asymmetric in height
    x = graph.conv("c", x, (2, 3), 7, **by_3, **valid)  # 75 -> 25 x 37
    x = graph.batch_norm("unscaled", x, 7, scale_after_normalization=False)
    sizes = {"ksize": [1, 3, 3, 1]}
    x = graph.add("MaxPool", "m", x, **sizes, **by_2, **same)  # negative values; 13 x 19
    pools = [
        graph.add("AvgPool", "p", x, **sizes, strides=[1, 1, 1, 1], **same),
        graph.add("MaxPool", "q", x, **sizes, strides=[1, 1, 1, 1], **same),
    ]
    x = graph.add("ConcatV2", "r", *pools, graph.constant("axis", np.int32(-1)), N=2)
    x = graph.add("AvgPool", "s", x, ksize=[1, 2, 4, 1], **by_2, **same)  # 7 x 10, asymmetric
    fused = [graph.normal(f"fused/{i}", 14, scale=0.1, mean=m) for i, m in enumerate((1, 0, 0, 1))]
    x = graph.add("FusedBatchNorm", "fused", f"{x}:0", *fused, epsilon=0.01, is_training=False)
    x = graph.add("BiasAdd", "biased", x, graph.normal("bias", 14))
    x = graph.add("Add", "sum", x, graph.constant("one", np.ones((1, 1, 1, 14), np.float32)))
    window = {"ksize": [1, 7, 10, 1], "strides": [1, 1, 1, 1], **valid}
    x = graph.add("AvgPool", "pool_3", x, **window)
    x = graph.add("Squeeze", "flat", x, squeeze_dims=[1, 2])
    x = graph.add("MatMul", "product", x, graph.normal("weights", 14, 1008))
    x = graph.add("AddV2", "all", x, graph.normal("biases", 1008))
    graph.add("Softmax", "logits", x)
    return graph.graph


def resize() -> GraphDef:
    """Return a graph whose pool_3 is its input, and whose logits are of the largest pixels."""
    graph = Graph()
    x = graph.placeholder()
    shape = graph.constant("pixels", np.int32([-1, 1, 1, 299 * 299 * 3]))
    graph.add("Reshape", "pool_3", x, shape, Tshape=tf.int32)
    window = {"ksize": [1, 299, 299, 1], "strides": [1, 1, 1, 1], "padding": "VALID"}
    x = graph.add("MaxPool", "largest", x, **window)
    x = graph.add("Reshape", "flat", x, graph.constant("rows", np.int32([-1, 3])), Tshape=tf.int32)
    graph.add("MatMul", "logits", x, graph.normal("weights", 3, 1008))
    return graph.graph


def write(folder: Path, name: str, graph: GraphDef, shapes: list[tuple[int, ...]]) -> None:
    """Write a graph, and random images [N, H, W, 3] of each shape with TensorFlow's results."""
    content, rng, arrays = graph.SerializeToString(), np.random.default_rng(1), {}
    (folder / f"{name}.pb").write_bytes(content)
    run = _load(content, 1, "cpu")
    for i, shape in enumerate(shapes):
        images = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        features, logits = run(images)
        arrays |= {f"images{i}": images, f"features{i}": features, f"logits{i}": logits}
    np.savez(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    to, width = Path(sys.argv[1]), float(sys.argv[2])
    write(to, "inception", inception(width), [(3, 64, 64)])
    write(to, "operations", operations(), [(3, 64, 64)])
    # Enlarged, shrunk, already right, and not square.
    write(to, "resize", resize(), [(3, 32, 32), (2, 128, 128), (1, 299, 299), (2, 400, 310)])
