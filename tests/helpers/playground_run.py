"""A made-up run for the playground: two small students, their ONNX files, a teacher's images."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from helpers.paths import ROOT
from tinygan.data.shards import write_shard
from tinygan.export.files import PRECISIONS
from tinygan.export.graph import to_float16, to_onnx
from tinygan.export.int8 import to_int8
from tinygan.files import write_json
from tinygan.models.students import build_student
from tinygan.playground.files import (
    PACKAGE,
    PAGE_FOLDER,
    RUNTIME_FOLDER,
    model_file,
)
from tinygan.seeding import latents

CLASSES = ["bear", "cat", "zebra"]
VARIANTS = ("dw", "std")
TRUNCATION = 0.8
_SHAPE = {"classes": len(CLASSES), "image_size": 16, "z_dim": 12, "embedding": 8}
# What npm prints where it reaches no registry.
_OFFLINE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ECONNRESET")


def write_playground_run(
    results: Path, images_per_class: int = 9, *, exported: bool = True
) -> dict[str, nn.Module]:
    """Write what the playground is built from; return the network of each variant, a random one.

    If they are not `exported`, a word takes the place of each ONNX file.
    """
    torch.manual_seed(0)
    networks, rows = {}, ["source,parameters_generator,macs", "teacher,1500000,150000000"]
    for name in VARIANTS:
        networks[name] = build_student(architecture=name, channels=8, **_SHAPE).eval()
        _spread(networks[name])
        contents = _onnx(networks[name]) if exported else {k: k.encode() for k in PRECISIONS}
        for precision, content in contents.items():
            path = results / "exports" / model_file(name, precision)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        model = {"z_dim": _SHAPE["z_dim"], "truncation": TRUNCATION}
        write_json(results / "exports" / name / "export.json", {"model": model})
        rows.append(f"{name},123456,2345678")
    (results / "cost.csv").write_text("\n".join(rows) + "\n")
    rng = np.random.default_rng(0)
    for label, class_name in enumerate(CLASSES):
        images = rng.integers(0, 256, (images_per_class, 16, 16, 3), dtype=np.uint8)
        z = latents(0, "evaluation", label, images_per_class, _SHAPE["z_dim"], TRUNCATION)
        labels = np.full(images_per_class, label)
        folder = results / "previews" / "teacher" / f"{label:03d}-{label:03d}"
        names = {label: class_name}
        write_shard(folder, images, labels, z, source="teacher", provenance={}, names=names)
    return networks


def _onnx(network: nn.Module) -> dict[str, bytes]:
    """Return the ONNX files of a network by precision."""
    model = to_onnx(network, z_dim=_SHAPE["z_dim"], classes=len(CLASSES))
    z = latents(0, "pairs", 0, 100, _SHAPE["z_dim"], TRUNCATION)
    weights = np.eye(len(CLASSES), dtype=np.float32)[np.arange(100) % len(CLASSES)]
    return {
        "fp32": model.SerializeToString(),
        "fp16": to_float16(model).SerializeToString(),
        "int8": to_int8(model, z, weights).SerializeToString(),
    }


def _spread(network: nn.Module) -> None:
    """Make the images of an untrained student differ: by class, by z, in all of their range."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "embedding" in name or "norm" in name:
                parameter.normal_()
        network.to_rgb.weight.normal_(std=0.1)


def npm_runtime(folder: Path) -> Path:
    """Return the folder of onnxruntime-web: the checkout's, or that of an `npm ci` in `folder`.

    Without npm, or without the network, the test is skipped.
    """
    if (ROOT / RUNTIME_FOLDER).is_dir():
        return ROOT / RUNTIME_FOLDER
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    for name in PACKAGE:
        shutil.copy(ROOT / PAGE_FOLDER / name, folder)
    options = {"cwd": folder, "capture_output": True, "text": True, "env": os.environ}
    done = subprocess.run(["npm", "ci", "--ignore-scripts"], **options)
    if any(word in done.stderr for word in _OFFLINE):
        pytest.skip("npm has no network")
    assert done.returncode == 0, done.stderr
    return folder / Path(RUNTIME_FOLDER).relative_to(PAGE_FOLDER)
