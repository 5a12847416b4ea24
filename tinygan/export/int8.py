"""A graph in 8 bits: static quantization, with ranges measured on images drawn in 32 bits.

Weights have one scale per output channel and use 7 of the 8 bits: the integer instructions of
processors without VNNI add two products in 16 bits, which full weights overflow. Activations have
one scale per tensor. Its range is the mean over small batches of their smallest and largest values,
which a single outlier does not stretch.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

# Convolutions and linear layers have nearly all weights. The mixture of the class embeddings is a
# MatMul: it stays in float32, so that the weights of the classes are exact.
_QUANTIZED = ["Conv", "Gemm"]
_BATCH = 10


class _Batches(CalibrationDataReader):
    """The inputs of the calibration in batches; `get_next` returns None after the last one."""

    def __init__(self, z: np.ndarray, weights: np.ndarray) -> None:
        self._batches: Iterator[dict[str, np.ndarray]] = (
            {"z": z[i : i + _BATCH], "y": weights[i : i + _BATCH]} for i in range(0, len(z), _BATCH)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)


def to_int8(model: onnx.ModelProto, z: np.ndarray, weights: np.ndarray) -> onnx.ModelProto:
    """Quantize a graph of `tinygan.export.graph.to_onnx`; inputs and outputs stay float32.

    Args:
        model: in float32.
        z: float32 [N, z_dim], the latent vectors of the calibration.
        weights: float32 [N, classes], their classes.

    Returns:
        a graph in the QDQ format: QuantizeLinear and DequantizeLinear around float operators, which
        runtimes replace by integer ones where they have them.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, prepared, quantized = (str(Path(folder, f"{i}.onnx")) for i in range(3))
        onnx.save(model, given)
        # Merges batch norm with the convolution before it, and infers shapes.
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantized,
            _Batches(z, weights),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            extra_options={"CalibMovingAverage": True},
        )
        return onnx.load(quantized)
