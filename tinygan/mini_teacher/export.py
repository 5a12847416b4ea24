"""Export the mini teacher as a TF-Hub module with the signature of deepmind/biggan-deep-128/1.

The forward pass of `tinygan.models.biggan_deep.Generator` is implemented again in TensorFlow, from
the arrays only; a test compares the two. PyTorch is not imported here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from tinygan.files import atomic_folder

_FILES = ("saved_model.pb", "tfhub_module.pb")
_EPSILON = 1e-5  # PyTorch's default in batch norm


def export(weights: Mapping[str, np.ndarray], truncations: Sequence[float], folder: Path) -> None:
    """Write a generator as a TF1-format TF-Hub module: empty tag set, one signature, ``default``.

    Its inputs are z float32 [N, z_dim], y float32 [N, classes] (one-hot) and truncation, a float32
    scalar; its output ``default`` is float32 [N, side, side, 3] in [-1, 1]. The truncation does not
    scale z. As in BigGAN, it selects the batch-norm statistics: linearly interpolated between the
    two nearest stored truncations, and constant beyond the first and the last one.

    Args:
        weights: state dict of the generator, from whose shapes classes, z_dim and widths follow.
            The ``running_mean`` and ``running_var`` of each batch norm are
            [len(truncations), channels].
        truncations: the truncations of these statistics, strictly ascending.
        folder: the module's folder; an existing module is replaced.

    Raises:
        FileExistsError: the folder contains files that do not belong to a module.
        ValueError: the truncations are not ascending, an array is missing or not finite, or
            statistics do not have one row per truncation.
    """
    weights = _Weights(weights)
    _check(weights, truncations)
    tf.get_logger().setLevel("ERROR")  # no warning that the TF1 builder is deprecated
    classes, embedding = weights["embedding.weight"].shape
    z_dim = weights["first.weight"].shape[1] - embedding
    v1 = tf.compat.v1
    with atomic_folder(folder, _FILES) as partial:
        graph = tf.Graph()
        with graph.as_default(), v1.Session(graph=graph) as session:
            z = v1.placeholder(tf.float32, [None, z_dim], name="z")
            y = v1.placeholder(tf.float32, [None, classes], name="y")
            truncation = v1.placeholder(tf.float32, [], name="truncation")
            images = _Forward(weights, _row_weights(truncation, truncations))(z, y)
            describe = v1.saved_model.build_tensor_info
            signature = v1.saved_model.build_signature_def(
                inputs={
                    "z": describe(z),
                    "y": describe(y),
                    "truncation": describe(truncation),
                },
                outputs={"default": describe(images)},
                method_name="",
            )
            # The builder must create its folder itself.
            built = partial / "module"
            builder = v1.saved_model.builder.SavedModelBuilder(str(built))
            builder.add_meta_graph_and_variables(
                session,
                tags=[],
                signature_def_map={"default": signature},
                strip_default_attrs=True,
            )
            builder.save()
        # The weights are constants of the graph: the module is this file and the marker of TF-Hub.
        (built / "saved_model.pb").rename(partial / "saved_model.pb")
        (built / "variables").rmdir()
        built.rmdir()
        (partial / "tfhub_module.pb").write_bytes(b"\x08\x03")


class _Weights(dict[str, np.ndarray]):
    def __missing__(self, name: str) -> np.ndarray:
        raise ValueError(f"the weights lack {name}: they are not those of biggan_deep.Generator")


def _check(weights: Mapping[str, np.ndarray], truncations: Sequence[float]) -> None:
    if len(truncations) == 0 or np.any(np.diff(truncations) <= 0):
        raise ValueError(f"truncations must be strictly ascending, not {list(truncations)}")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has NaN or infinite values")
        statistics = name.endswith((".running_mean", ".running_var"))
        if statistics and (array.ndim != 2 or len(array) != len(truncations)):
            raise ValueError(
                f"{name} must have one row for each of the {len(truncations)} truncations, "
                f"not shape {array.shape}"
            )


def _row_weights(truncation: tf.Tensor, truncations: Sequence[float]) -> tf.Tensor:
    """Return the interpolation weights [T] of the stored truncations; they sum to 1."""
    grid = np.asarray(truncations, dtype=np.float32)
    # The position of the truncation in each interval, from 0 to 1.
    passed = tf.clip_by_value((truncation - grid[:-1]) / np.diff(grid), 0.0, 1.0)
    return tf.concat([[1.0], passed], axis=0) - tf.concat([passed, [0.0]], axis=0)


class _Forward:
    """The generator's forward pass, NHWC; `rows` [T] weights the stored batch-norm statistics."""

    def __init__(self, weights: Mapping[str, np.ndarray], rows: tf.Tensor) -> None:
        self.weights = weights
        self.rows = rows
        self.blocks = sum(name.endswith(".convs.3.weight") for name in weights)

    def __call__(self, z: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        condition = tf.concat([z, tf.matmul(y, self.weights["embedding.weight"])], axis=1)
        # In PyTorch the 4x4 input is [C, 4, 4]; here it is [4, 4, C].
        kernel, bias = self.weights["first.weight"], self.weights["first.bias"]
        channels = len(bias) // 16
        kernel = kernel.reshape(channels, 4, 4, -1).transpose(3, 1, 2, 0)
        bias = bias.reshape(channels, 4, 4).transpose(1, 2, 0)
        h = tf.matmul(condition, kernel.reshape(len(kernel), -1)) + bias.reshape(-1)
        h = tf.reshape(h, [-1, 4, 4, channels])
        for index in range(self.blocks):
            h = self.block(f"blocks.{index}", h, condition, up=index % 2 == 1)
        h = self.batch_norm("norm", h, self.weights["norm.weight"], self.weights["norm.bias"])
        return tf.tanh(self.conv("to_rgb", tf.nn.relu(h)))

    def block(self, name: str, x: tf.Tensor, condition: tf.Tensor, *, up: bool) -> tf.Tensor:
        h = x
        for index in range(4):
            norm = f"{name}.norms.{index}"
            gain = 1 + tf.matmul(condition, self.weights[f"{norm}.gain.weight"].T)
            bias = tf.matmul(condition, self.weights[f"{norm}.bias.weight"].T)
            gain, bias = gain[:, None, None], bias[:, None, None]
            h = tf.nn.relu(self.batch_norm(f"{norm}.norm", h, gain, bias))
            if up and index == 1:
                h = _double(h)
            h = self.conv(f"{name}.convs.{index}", h)
        skip = x[..., : h.shape[-1]]
        return h + (_double(skip) if up else skip)

    def batch_norm(
        self, name: str, x: tf.Tensor, gain: tf.Tensor | np.ndarray, bias: tf.Tensor | np.ndarray
    ) -> tf.Tensor:
        mean = tf.linalg.matvec(self.weights[f"{name}.running_mean"], self.rows, transpose_a=True)
        var = tf.linalg.matvec(self.weights[f"{name}.running_var"], self.rows, transpose_a=True)
        scale = gain * tf.math.rsqrt(var + _EPSILON)
        return x * scale + (bias - mean * scale)

    def conv(self, name: str, x: tf.Tensor) -> tf.Tensor:
        kernel = self.weights[f"{name}.weight"].transpose(2, 3, 1, 0)  # OIHW -> HWIO
        return tf.nn.conv2d(x, kernel, 1, "SAME") + self.weights[f"{name}.bias"]


def _double(x: tf.Tensor) -> tf.Tensor:
    return tf.image.resize(x, [2 * x.shape[1], 2 * x.shape[2]], "nearest")
