"""What makes Snakemake rerun: changes of the files that are read, and nothing else."""

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
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the real images, the teacher's and the scores of `mine`."""
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


def test_files_that_are_not_read_rerun_nothing(checkout: Path) -> None:
    assert planned(checkout, "real", "teacher", "mine") == {}
    hidden = [
        checkout / "data" / ".DS_Store",
        checkout / "data/cat/.DS_Store",
        checkout / "data/cat/notes.txt",
    ]
    hidden += [checkout / "pictures" / "dog" / "Thumbs.db"]
    for file in hidden:
        file.touch()
    (checkout / "data" / "cow").mkdir()
    assert planned(checkout, "real", "teacher", "mine") == {}
    for file in hidden:
        file.unlink()
    assert planned(checkout, "real", "teacher", "mine") == {}


def test_an_image_that_is_overwritten_reruns_its_own_shard(checkout: Path) -> None:
    with changed(checkout / "data" / "cat" / "0.png"):
        assert planned(checkout, "real") == {"real_shard": 1}
    with changed(checkout / "pictures" / "dog" / "0.png"):
        assert planned(checkout, "mine")["score"] == 1
    assert planned(checkout, "real", "mine") == {}


@pytest.mark.parametrize("file", ["mygan.py", "weights.bin"])
def test_a_changed_teacher_reruns_the_harvest(checkout: Path, file: str) -> None:
    with changed(checkout / file):
        assert planned(checkout, "teacher") == {
            "harvest": 2,
            "harvest_evaluation": 2,
            "features": 4,
        }
    (checkout / file).touch()  # the same bytes
    assert planned(checkout, "teacher") == {}


def test_existing_results_need_no_external_files(checkout: Path) -> None:
    with away(checkout / "data"), away(checkout / "pictures"), away(checkout / "mygan.py"):
        assert planned(checkout, "real", "teacher", "mine") == {}
        run(checkout, "--unlock")
        with away(checkout / "results/quick/images/real"):
            assert planned(checkout, "teacher") == {}
            for options in (["-n"], []):
                output = run(checkout, "real", *options, fails=True)
                (line,) = re.findall(r".*real\.path.*", output)
                assert "there is no file or folder data; give the path" in line
                assert "Traceback" not in output
        with away(checkout / "results/quick/images/teacher_pairs/000-000"):
            output = run(checkout, "teacher", "-n", fails=True)
            assert "config: teacher.target: mygan:images: there is no file mygan.py" in output
            assert "Traceback" not in output
    with away(checkout / "data" / "cat"):
        assert planned(checkout, "real") == {}


def test_a_deleted_array_is_written_again(checkout: Path) -> None:
    images = checkout / "results" / "quick" / "images"
    with away(images / "real" / "000-000" / "images.npy"):
        assert planned(checkout, "real")["real_shard"] == 1
        assert planned(checkout, "dw")["real_shard"] == 1
    with away(images / "teacher_pairs" / "001-001" / "z.npy"):
        assert planned(checkout, "teacher") == {"harvest": 1, "features": 1}


def test_a_shard_with_changed_bytes_is_not_trained_on(checkout: Path) -> None:
    images = checkout / "results" / "quick" / "images" / "real" / "000-000" / "images.npy"
    content = images.read_bytes()
    images.write_bytes(content[:128] + bytes(len(content) - 128))
    assert not np.load(images).any()
    output = run(checkout, "train_pix_only", fails=True)
    logs = "".join(path.read_text() for path in (checkout / "results/quick/logs").rglob("*.log"))
    images.write_bytes(content)
    assert "000-000/images.npy does not have the SHA-256 recorded in" in output + logs
    assert "rm -r results/quick/images/real/000-000" in output + logs
