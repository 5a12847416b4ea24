"""A Python function as a teacher: what is accepted and refused, and the example of the docs."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.command_line import PYTHON_TEACHER, mini, start_tinygan, tinygan, write_config
from helpers.paths import ROOT
from safetensors.torch import save_file

from tinygan.data.shards import open_shard
from tinygan.files import sha256
from tinygan.planning.run import load_files
from tinygan.teacher.callable import handle_fingerprint, load_teacher, source_file

SIZES = {"classes": 3, "z_dim": 5, "image_size": 8}
GOOD = """
import numpy as np

BUFFER = np.zeros((100, 8, 8, 3), np.uint8)


def images(z, y, truncation):
    assert (z.dtype, y.dtype, type(truncation)) == (np.float32, np.int64, float)
    BUFFER[: len(z)] = (10 * y + 100 * np.abs(z[:, 0]))[:, None, None, None]
    z[:], y[:] = 0, 0
    return BUFFER[: len(z)]
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write the source of the module `mygan_pkg.paint` under a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(source: str) -> Path:
        for name in ("mygan_pkg", "mygan_pkg.paint"):
            sys.modules.pop(name, None)
        path = tmp_path / "mygan_pkg" / "paint.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        return path

    yield write
    for name in ("mygan_pkg", "mygan_pkg.paint"):
        sys.modules.pop(name, None)


def test_a_function_gets_the_documented_types_and_copies(module: Callable) -> None:
    path = module(GOOD)
    teacher = load_teacher("mygan_pkg.paint:images", **SIZES)
    z, y = np.random.default_rng(0).uniform(-1, 1, (4, 5)), np.array([0, 1, 2, 2], np.int32)
    kept = z.copy(), y.copy()
    first = teacher(z, y, 1)
    before = first.copy()
    teacher(-2 * z, y, 1)
    np.testing.assert_array_equal(first, before)
    expected = (10 * y + 100 * np.abs(z[:, 0].astype(np.float32))).astype(np.uint8)
    np.testing.assert_array_equal(
        first, np.broadcast_to(expected[:, None, None, None], (4, 8, 8, 3))
    )
    np.testing.assert_array_equal(z, kept[0])
    np.testing.assert_array_equal(y, kept[1])
    assert source_file("mygan_pkg.paint:images") == path
    assert handle_fingerprint("mygan_pkg.paint:images") == sha256(path)
    for label in (-1, 3):
        with pytest.raises(ValueError, match=r"labels must be in 0\.\.2"):
            teacher(z[:1], np.array([label]), 1.0)


IMAGES = "import numpy as np\n\ndef images(z, y, truncation):\n    return "


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def imges(z, y, t): pass", "has no function images; did you mean imges?"),
        ("images = 3", "images in .* is int, not a function"),
        ("def images(z, y): pass", r"cannot be called as images\(z, y, truncation\): too many"),
        (
            "import no_such_package",
            "cannot be imported: No module named 'no_such_package'; install",
        ),
        (IMAGES + "[1]", "expected a NumPy array uint8 .* found list"),
        (IMAGES + "np.zeros((1, 8, 8, 3))", r"found float64 .*np\.clip\(\(x \+ 1\) \* 128, 0, 255"),
        (
            IMAGES + "np.zeros((1, 3, 8, 8), np.uint8)",
            r"found \(1, 3, 8, 8\); check image_size .* channels come last",
        ),
        (
            IMAGES + "np.zeros((1, 9, 9, 3), np.uint8)",
            r"uint8 \(1, 8, 8, 3\), found \(1, 9, 9, 3\)",
        ),
        (
            IMAGES + "np.zeros((2, 8, 8, 3), np.uint8)",
            r"uint8 \(1, 8, 8, 3\), found \(2, 8, 8, 3\)",
        ),
    ],
)
def test_other_functions_are_refused(module: Callable, source: str, message: str) -> None:
    module(source)
    with pytest.raises(ValueError, match=message):
        load_teacher("mygan_pkg.paint:images", **SIZES)


def test_a_tensor_is_refused_with_the_conversion_to_an_array(module: Callable) -> None:
    module(IMAGES.replace("numpy as np", "torch") + "torch.zeros(1, 8, 8, 3, dtype=torch.uint8)")
    with pytest.raises(ValueError, match=r"found Tensor; .* with \.cpu\(\)\.numpy\(\)"):
        load_teacher("mygan_pkg.paint:images", **SIZES)


def test_a_missing_or_shadowed_module_is_refused(module: Callable, tmp_path: Path) -> None:
    module(GOOD)
    with pytest.raises(ValueError, match="no file mygan_pkg/pant.py in .* did you mean paint?"):
        load_teacher("mygan_pkg.pant:images", **SIZES)
    (tmp_path / "json.py").write_text(GOOD)
    with pytest.raises(ValueError, match="module json is .* give your file another name"):
        load_teacher("json:images", **SIZES)


def documented(language: str, count: int) -> str:
    page = (ROOT / "docs" / "guide" / "own_teacher.md").read_text()
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == count
    return blocks[0]


NETWORK = """
import torch


class Generator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.colours = torch.nn.Embedding(2, 3)

    def forward(self, z, y):
        images = self.colours(y)[:, :, None, None] * torch.ones(1, 1, 64, 64)
        images[:, :, 0, 0] = z[:, :1]
        return images
"""


def test_the_documented_code_is_harvested_under_the_documented_config(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(documented("yaml", 1))
    few = {"teacher": {"pairs_per_class": 5, "batch": 4}}
    write_config(tmp_path, load_files([tmp_path / "mine.yaml"], few))
    (tmp_path / "mynet.py").write_text(NETWORK)
    (tmp_path / "mygan.py").write_text(documented("python", 1))
    (tmp_path / "weights").mkdir()
    colours = torch.tensor([[-1.0, 0.0, 1.0], [0.5, -0.5, 0.999]])
    save_file({"colours.weight": colours}, tmp_path / "weights" / "mygan.safetensors")
    words = ["harvest", "--split", "pairs", "--classes", "000-001", "--out", "shard"]
    process = start_tinygan(*words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    _, error = process.communicate()
    assert process.returncode == 0, error
    shard = open_shard(tmp_path / "shard", verify=True)
    assert shard.images.shape == (10, 64, 64, 3) and shard.labels.tolist() == [0] * 5 + [1] * 5
    expected = np.repeat(np.array([[0, 128, 255], [192, 64, 255]]), 5, axis=0)
    np.testing.assert_array_equal(shard.images[:, 3, 60], expected)
    assert np.ptp(shard.images[:, 1:], axis=(1, 2)).max() == 0
    assert shard.manifest["provenance"]["teacher"] == sha256(tmp_path / "mygan.py")


def test_a_recorded_hash_refuses_another_file(
    module: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    module(GOOD)
    changes = {"target": "mygan_pkg.paint:images", "sha256": "0" * 64}
    config = mini(teacher=PYTHON_TEACHER | changes)
    words = ["--split", "pairs", "--classes", "000-001", "--out", tmp_path / "shard"]
    assert tinygan(tmp_path, config, "harvest", *words) == 1
    assert f"but the config records {'0' * 64}" in capsys.readouterr().err
