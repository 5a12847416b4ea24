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
from tinygan.export.graph import to_onnx
from tinygan.files import write_json
from tinygan.models.students import build_student
from tinygan.playground.files import PRECISIONS, RUNTIME_FOLDER, model_file
from tinygan.seeding import latents

CLASSES = ["bear", "sea snake", "zebra"]
STUDENTS = ("dw", "std/seed1")
TRUNCATION = 0.8
_SHAPE = {"classes": len(CLASSES), "image_size": 16, "z_dim": 12, "embedding": 8}
# What npm prints where it reaches no registry.
_OFFLINE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ECONNRESET")


def write_playground_run(
    results: Path, images_per_class: int = 9, *, exported: bool = True
) -> dict[str, nn.Module]:
    """Write what the playground is built from; return the network of each of its ONNX files.

    The networks are random, and another one takes the place of int8. If they are not `exported`,
    text takes the place of ONNX.
    """
    torch.manual_seed(0)
    networks, rows = {}, ["source,parameters_generator,macs", "teacher,1500000,150000000"]
    for name in STUDENTS:
        variant = name.split("/")[0]
        for channels, precision in zip((16, 8), PRECISIONS, strict=True):
            network = build_student(architecture=variant, channels=channels, **_SHAPE).eval()
            _spread(network)
            file = model_file(name, precision)
            (results / "export" / file).parent.mkdir(parents=True, exist_ok=True)
            (results / "export" / file).write_bytes(_onnx(network) if exported else file.encode())
            networks[f"models/{file}"] = network
        card = {"variant": variant, "generator": _SHAPE, "truncation": TRUNCATION}
        write_json(results / "models" / name / "card.json", card)
        rows.append(f"{variant},123456,2345678")
    (results / "cost.csv").write_text("\n".join(rows) + "\n")
    rng = np.random.default_rng(0)
    for label, class_name in enumerate(CLASSES):
        images = rng.integers(0, 256, (images_per_class, 16, 16, 3), dtype=np.uint8)
        z = latents(0, "evaluation", label, images_per_class, _SHAPE["z_dim"], TRUNCATION)
        labels = np.full(images_per_class, label)
        folder = results / "images" / "teacher" / f"{label:03d}-{label:03d}"
        names = {label: class_name}
        write_shard(folder, images, labels, z, source="teacher", provenance={}, names=names)
    return networks


def _onnx(network: nn.Module) -> bytes:
    model = to_onnx(network, z_dim=_SHAPE["z_dim"], classes=len(CLASSES))
    return model.SerializeToString()


def _spread(network: nn.Module) -> None:
    """Make the images of an untrained student differ: by class, by z, in all of their range."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith(("embedding", "to_rgb.weight")) or "norm" in name:
                parameter.normal_()


def npm_runtime(folder: Path) -> Path:
    """Return the folder of onnxruntime-web: the checkout's, or that of an `npm ci` in `folder`.

    Without npm, or without the network, the test is skipped.
    """
    if RUNTIME_FOLDER.is_dir():
        return RUNTIME_FOLDER
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / "playground" / name, folder)
    options = {"cwd": folder, "capture_output": True, "text": True, "env": os.environ}
    done = subprocess.run(["npm", "ci", "--ignore-scripts"], **options)
    if any(word in done.stderr for word in _OFFLINE):
        pytest.skip("npm has no network")
    assert done.returncode == 0, done.stderr
    return folder / RUNTIME_FOLDER.relative_to(ROOT / "playground")
