"""The trial of a teacher: its faults are reported before the harvest, not after training."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from tinygan.cli import main
from tinygan.data.shards import open_shard
from tinygan.teacher.trial import check_teacher

SIZE = 6
NOISE = np.random.default_rng(0).uniform(-1, 1, (8, SIZE * SIZE * 3))


def painted(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] that depend on z and y."""
    x = np.tanh(z @ NOISE[: z.shape[1]] + 0.3 * np.asarray(y)[:, None])
    return x.reshape(len(z), SIZE, SIZE, 3)


def to_bytes(x: np.ndarray) -> np.ndarray:
    return np.clip((x + 1) * 128, 0, 255).astype(np.uint8)


def check(function: Callable, **options: int) -> None:
    def teacher(z: np.ndarray, y: np.ndarray, truncation: float) -> np.ndarray:
        return function(z, y)

    options = {"classes": 3, "batch": 5} | options
    check_teacher(teacher, "mygan:images", z_dim=8, truncation=0.5, **options)


@pytest.mark.parametrize("batch", [1, 2, 3, 6, 100])
@pytest.mark.parametrize("classes", [1, 2, 3, 1000])
def test_a_good_teacher_passes_and_gets_full_batches_only(
    batch: int, classes: int, capsys: pytest.CaptureFixture
) -> None:
    def exported(z: np.ndarray, y: np.ndarray) -> np.ndarray:
        assert len(z) == len(y) == batch and 0 <= y.min() and y.max() < classes
        return to_bytes(painted(z, y))

    check(exported, classes=classes, batch=batch)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z, y: ((painted(z, y) + 1) / 2).round().astype(np.uint8), "multiply them by 255"),
        (lambda z, y: to_bytes((painted(z, y) + 1) / 2), "were treated as"),
        (lambda z, y: to_bytes(painted(0 * z, y - 1)), "do not depend on z"),
        (lambda z, y: to_bytes(painted(z, 0 * y)), "do not depend on the class"),
        (lambda z, y: 0 * to_bytes(painted(z, y)), r"same image for every z .*the value 0"),
        (lambda z, y: to_bytes(painted(0 * z, 0 * y)), "same image for every z and class"),
    ],
)
def test_wrong_teachers_are_refused(function: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=f"^teacher mygan:images: .*{message}"):
        check(function)


def test_suspicious_teachers_get_a_warning(capsys: pytest.CaptureFixture) -> None:
    check(lambda z, y: to_bytes(painted(z, y)) // 2)
    assert "warning: teacher mygan:images: its images have only values" in capsys.readouterr().err
    check(lambda z, y: np.broadcast_to(to_bytes(painted(z, y))[:, :1, :1], (len(z), SIZE, SIZE, 3)))
    assert "a single colour" in capsys.readouterr().err
    rng = np.random.default_rng(0)
    check(lambda z, y: rng.integers(0, 256, (len(z), SIZE, SIZE, 3), dtype=np.uint8))
    assert "the harvest cannot be reproduced" in capsys.readouterr().err


@pytest.fixture
def harvest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    config = {
        "classes": ["cat", "dog"],
        "image_size": 32,
        "real": {"source": "image_folder", "path": "x", "crop": "biggan", "max_dropped": 0},
        "teacher": {"kind": "python", "target": "user_gan:images", "handle": None, "batch": 4},
    }
    Path("mine.yaml").write_text(yaml.safe_dump(config))

    def run(source: str) -> int:
        sys.modules.pop("user_gan", None)
        Path("user_gan.py").write_text("import json\n\nimport numpy as np\n\n\n" + source)
        words = ["--split", "pairs", "--classes", "000-001", "--out", "shard"]
        return main(["harvest", "--config", "mine.yaml", *words])

    yield run
    sys.modules.pop("user_gan", None)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (
            "def images(z, y, t):\n    return [][3]\n",
            "IndexError in user_gan.py, line 7, in images",
        ),
        ("def images(z, y, t):\n    raise RuntimeError('mine')\n", "line 7, in images: mine"),
        ("def images(z, y, t):\n    raise ValueError\n", "ValueError in user_gan.py, line 7"),
        ("def images(z, y, t):\n    json.loads('{')\n", "JSONDecodeError in user_gan.py, line 7"),
        (
            "def images(z, y, t):\n    np.ones(2) @ np.ones(3)\n",
            "ValueError in user_gan.py, line 7",
        ),
        ("def images(z, y, t):\n    exit(0)\n", "SystemExit in user_gan.py, line 7"),
        ("1 / 0\n", "ZeroDivisionError in user_gan.py, line 6, in <module>"),
        ("def images(z, y, t)\n    return 1\n", "SyntaxError in user_gan.py, line 6"),
        ("raise SystemExit(0)\n", "SystemExit in user_gan.py, line 6"),
        (
            "def images(z, y, t):\n    x = np.full((len(z), 32, 32, 3), np.nan)\n"
            "    return x.astype(np.uint8)\n",
            "RuntimeWarning in user_gan.py, line 8, in images: invalid value encountered in cast",
        ),
    ],
)
def test_an_error_in_the_users_file_is_reported_with_its_line(
    harvest: Callable, capsys: pytest.CaptureFixture, source: str, place: str
) -> None:
    assert harvest(source) == 1 and not Path("shard").exists()
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("tinygan harvest: teacher") and place in first
    if "SyntaxError" not in place:
        assert any("user_gan.py" in line for line in rest)
        assert not any("tinygan/teacher" in line for line in rest)


@pytest.mark.parametrize(
    ("images", "way_out"),
    [
        ("np.random.rand(len(z), 32, 32, 3)", r"np.clip((x + 1) * 128, 0, 255)"),
        ("255 * np.random.rand(len(z), 32, 32, 3)", r"np.clip(x, 0, 255)"),
        ("np.zeros((len(z), 3, 32, 32), np.uint8)", "channels come last"),
        ("np.zeros((1, 32, 32, 3), np.uint8)", "found (1, 32, 32, 3)"),
    ],
)
def test_images_of_another_format_are_refused_with_the_conversion(
    harvest: Callable, capsys: pytest.CaptureFixture, images: str, way_out: str
) -> None:
    assert harvest(f"def images(z, y, t):\n    return {images}\n") == 1
    assert way_out in capsys.readouterr().err


def test_a_function_for_one_batch_size_is_harvested(harvest: Callable) -> None:
    source = (
        "def images(z, y, t):\n    assert len(z) == 4\n"
        "    x = np.linspace(0, 1, 3072).reshape(1, 32, 32, 3) * (60 + 60 * y + 50 * z[:, 0])"
        "[:, None, None, None]\n    return np.clip(x, 0, 255).astype(np.uint8)\n"
    )
    assert harvest(source) == 0
    assert len(open_shard("shard").labels) == 2 * 600
