"""What makes Snakemake run again: the files that are read, and nothing else."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from helpers.checkouts import jobs, make_checkout, snakemake
from helpers.command_line import PYTHON_TEACHER, real_files
from helpers.image_files import packed, pixels

pytestmark = pytest.mark.slow

CONFIG = {
    "preset": "quick",
    "image_size": 32,
    "classes": ["cat", "dog"],
    "classes_per_shard": 1,
    "real": real_files("data"),
    "teacher": PYTHON_TEACHER | {"files": ["weights.bin"], "pairs_per_class": 50},
    "sources": {"mine": "pictures"},
    "metrics": {"samples_per_class": 48, "input_size": 32, "is_splits": 2},
}
TEACHER = """
import numpy as np


def images(z, y, truncation):
    shade = np.clip(100 + 20 * y[:, None] + 30 * z[:, :3], 0, 255).astype(np.uint8)
    return np.repeat(shade, 1024, axis=0).reshape(len(z), 32, 32, 3)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the real images, the teacher's and the scores of `mine` were made."""
    top = tmp_path_factory.mktemp("checkout")
    make_checkout(top, {"quick.yaml": CONFIG, "mygan.py": TEACHER})
    (top / "weights.bin").write_bytes(b"weights")
    for label, name in enumerate(CONFIG["classes"]):
        for folder in ("data", "pictures"):
            (top / folder / name).mkdir(parents=True)
            for row in range(48):
                image = packed(pixels(100 * label + row, 32, 32), "PNG")
                (top / folder / name / f"{row}.png").write_bytes(image)
    run(top, "real", "teacher", "mine")
    return top


def run(checkout: Path, *words: str, fails: bool = False) -> str:
    return snakemake(checkout, *words, configfiles=["quick.yaml"], fails=fails)


def planned(top: Path, *targets: str) -> dict[str, int]:
    """Return the number of jobs of each rule that Snakemake would run."""
    counted = jobs(run(top, *targets, "-n"))
    return {rule: count for rule, count in counted.items() if rule not in ("total", *targets)}


@contextmanager
def away(path: Path) -> Iterator[None]:
    """Move a file or folder away for a while."""
    hidden = path.rename(path.with_name(f"away_{path.name}"))
    yield
    hidden.rename(path)


@contextmanager
def changed(path: Path) -> Iterator[None]:
    """Change a file in place for a while: its first byte and its time."""
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(b"?" + content[1:])
    os.utime(path, ns=(0, 1))
    yield
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_is_not_read_reruns_nothing(made: Path) -> None:
    assert planned(made, "real", "teacher", "mine") == {}
    hidden = [made / "data" / ".DS_Store", made / "data/cat/.DS_Store", made / "data/cat/notes.txt"]
    hidden += [made / "pictures" / "dog" / "Thumbs.db"]
    for file in hidden:
        file.touch()
    (made / "data" / "cow").mkdir()
    assert planned(made, "real", "teacher", "mine") == {}
    for file in hidden:
        file.unlink()
    assert planned(made, "real", "teacher", "mine") == {}


def test_an_image_that_is_overwritten_reruns_its_own_shard(made: Path) -> None:
    with changed(made / "data" / "cat" / "0.png"):
        assert planned(made, "real") == {"real_shard": 1}
    with changed(made / "pictures" / "dog" / "0.png"):
        assert planned(made, "mine")["score"] == 1
    assert planned(made, "real", "mine") == {}


@pytest.mark.parametrize("file", ["mygan.py", "weights.bin"])
def test_another_teacher_is_harvested_anew(made: Path, file: str) -> None:
    with changed(made / file):
        assert planned(made, "teacher") == {"harvest": 4}
    (made / file).touch()  # the same bytes
    assert planned(made, "teacher") == {}


def test_what_was_made_needs_no_file_from_outside(made: Path) -> None:
    with away(made / "data"), away(made / "pictures"), away(made / "mygan.py"):
        assert planned(made, "real", "teacher", "mine") == {}
        run(made, "--unlock")
        with away(made / "results/quick/images/real"):
            assert planned(made, "teacher") == {}
            for options in (["-n"], []):
                output = run(made, "real", *options, fails=True)
                (line,) = re.findall(r".*real\.path.*", output)
                assert "there is no file or folder data; give the path" in line
                assert "Traceback" not in output
        with away(made / "results/quick/images/teacher/000-000"):
            output = run(made, "teacher", "-n", fails=True)
            assert "config: teacher.target: mygan:images: there is no file mygan.py" in output
            assert "Traceback" not in output
    with away(made / "data" / "cat"):
        assert planned(made, "real") == {}


def test_a_deleted_array_is_made_again(made: Path) -> None:
    images = made / "results" / "quick" / "images"
    with away(images / "real" / "000-000" / "images.npy"):
        assert planned(made, "real")["real_shard"] == 1
        assert planned(made, "dw")["real_shard"] == 1
    with away(images / "teacher_pairs" / "001-001" / "z.npy"):
        assert planned(made, "teacher") == {"harvest": 1}


def test_a_shard_with_other_bytes_is_not_trained_on(made: Path) -> None:
    images = made / "results" / "quick" / "images" / "real" / "000-000" / "images.npy"
    content = images.read_bytes()
    images.write_bytes(content[:128] + bytes(len(content) - 128))
    assert not np.load(images).any()
    output = run(made, "train_pix_only", fails=True)
    logs = "".join(path.read_text() for path in (made / "results/quick/logs").rglob("*.log"))
    images.write_bytes(content)
    assert "000-000/images.npy does not have the SHA-256 recorded in" in output + logs
    assert "rm -r results/quick/images/real/000-000" in output + logs
