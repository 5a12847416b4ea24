"""Export a trained model: one ONNX file per precision, each compared with PyTorch."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tinygan.export.calibration import Calibration, harvested, seeded
from tinygan.export.check import comparison_inputs, difference, draw_pixels
from tinygan.export.files import file_name
from tinygan.export.graph import OPSET, to_float16, to_onnx
from tinygan.export.int8 import to_int8
from tinygan.export.session import OnnxGenerator
from tinygan.files import atomic_file, sha256, write_json
from tinygan.models.io import load_generator, read_card

CARD = "export.json"


def export_model(
    folder: Path, out: Path, precisions: Sequence[str], pairs: Sequence[Path] = ()
) -> dict[str, Any]:
    """Export a model. Nothing is written unless every file passes its checks.

    Args:
        folder: the model, with card.json.
        out: folder to write to.
        precisions: of `tinygan.export.files.PRECISIONS`.
        pairs: manifests of the teacher's training pairs, whose z calibrate int8; without them, z
            are drawn.

    Returns:
        what is written to export.json, see docs/reference/formats.md.

    Raises:
        FileNotFoundError, ValueError: there is no such model, or it cannot be exported; or see
            `tinygan.export.calibration.harvested`.
        RuntimeError: images in float32 differ from PyTorch's by more than one level.
    """
    card, generator = read_card(folder), load_generator(folder)
    half_range = getattr(generator, "half_range", 128)
    described = _describe(card) | ({} if half_range == 128 else {"half_range": half_range})
    shape = {"z_dim": described["z_dim"], "classes": len(described["classes"])}
    calibration = None
    if "int8" in precisions:
        calibration = (
            harvested(pairs, described["classes"], shape["z_dim"])
            if pairs
            else seeded(**shape, truncation=card["truncation"])
        )
    with _quiet():
        graph = to_onnx(generator, **shape)
        contents = {
            precision: _finish(
                _convert(graph, precision, calibration), described | {"precision": precision}
            )
            for precision in precisions
        }
    inputs = comparison_inputs(**shape, truncation=card["truncation"])
    images = draw_pixels(generator, *inputs)
    found = {
        precision: difference(draw_pixels(OnnxGenerator(content), *inputs), images)
        for precision, content in contents.items()
    }
    if "fp32" in found and found["fp32"].largest > 1:
        raise RuntimeError(
            f"{folder}: images of the ONNX file differ from PyTorch's by {found['fp32'].largest} "
            "levels, more than 1; nothing was written"
        )
    files = {}
    for precision, content in contents.items():
        path = out / file_name(precision)
        with atomic_file(path) as partial:
            partial.write_bytes(content)
        files[precision] = {
            "file": path.name,
            "bytes": len(content),
            "sha256": sha256(path),
            "largest_difference": found[precision].largest,
            "mean_difference": found[precision].mean,
        }
    origin = calibration.origin if calibration else None
    report = {"format": 1, "model": described, "opset": OPSET, "calibration": origin}
    report |= {"weights_bytes": (folder / "generator.safetensors").stat().st_size, "files": files}
    write_json(out / CARD, report)
    return report


def _describe(card: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says of its model, except for its precision."""
    recipe = card["generator"]
    return {
        "architecture": recipe["architecture"],
        "classes": list(card.get("classes") or map(str, range(recipe["classes"]))),
        "truncation": card["truncation"],
        "image_size": recipe["image_size"],
        "z_dim": recipe["z_dim"],
        "sha256": card["sha256"],
    }


def _convert(
    graph: onnx.ModelProto, precision: str, calibration: Calibration | None
) -> onnx.ModelProto:
    if precision == "fp16":
        return to_float16(graph)
    if calibration and precision == "int8":
        weights = np.eye(graph.graph.input[1].type.tensor_type.shape.dim[1].dim_value)
        return to_int8(graph, calibration.z, weights[calibration.labels].astype(np.float32))
    return graph


def _finish(model: onnx.ModelProto, described: dict[str, Any]) -> bytes:
    """Return the bytes of a file, with its metadata, after ONNX's own checks."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in described.items()}
    onnx.helper.set_model_props(model, texts)
    # The types within the graph follow from its operators; a converter left old ones.
    del model.graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter and the quantizer log and warn of; errors are raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
