"""Animal-MNIST: nothing but arrays is unpickled, and the wheel becomes padded RGB images."""

import builtins
import io
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.animal_mnist import small_set, write_wheel

from tinygan.data import package_index
from tinygan.data.real import animal_mnist
from tinygan.files import sha256


class Call:
    """Pickles to a call of `function(argument)`."""

    def __init__(self, function: Any, argument: str) -> None:
        self.call = (function, (argument,))

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return self.call


def pickled(value: Any, protocol: int = 4) -> io.BytesIO:
    return io.BytesIO(pickle.dumps(value, protocol=protocol))


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_are_read(protocol: int) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    read = animal_mnist.read_array(pickled(array, protocol))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("wrap", [lambda call: call, lambda call: [np.zeros(2), call]])
@pytest.mark.parametrize("function", [builtins.eval, os.system])
def test_code_in_a_pickle_is_refused(tmp_path: Path, function: Any, wrap: Any) -> None:
    trace = tmp_path / "trace"
    if function is builtins.eval:
        argument = f"open({str(trace)!r}, 'w').close()"
    else:
        argument = f"touch {trace}"
    payload = pickled(wrap(Call(function, argument)))
    # The payload is live: an ordinary unpickler runs it.
    pickle.loads(payload.getvalue())
    assert trace.exists()
    trace.unlink()
    with pytest.raises(pickle.UnpicklingError, match=r"refused \w+\.\w+"):
        animal_mnist.read_array(payload)
    assert not trace.exists()


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, "text"])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="one plain NumPy array"):
        animal_mnist.read_array(pickled(value))


def test_object_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="one plain NumPy array"):
        animal_mnist.read_array(pickled(np.array([1, "a"], dtype=object)))


@pytest.mark.parametrize("size", [28, 32])
def test_wheel_is_padded_and_ordered(tmp_path: Path, size: int) -> None:
    images, labels = small_set()
    wheel = write_wheel(tmp_path / "a.whl", images, labels)
    read, read_labels = animal_mnist.read_wheel(wheel, size)
    assert read.shape == (30, size, size, 3)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read_labels, np.repeat(np.arange(10), 3))
    pad = (size - 28) // 2
    inner = read[:, pad : pad + 28, pad : pad + 28]
    for channel in range(3):
        expected = np.concatenate([images[labels == label] for label in range(10)])
        np.testing.assert_array_equal(inner[..., channel], expected)
    assert read.astype(int).sum() == 3 * images.astype(int).sum()  # the border is black


@pytest.mark.parametrize("size", [16, 26, 31, 33])
def test_sizes_are_refused(tmp_path: Path, size: int) -> None:
    wheel = write_wheel(tmp_path / "a.whl", *small_set())
    with pytest.raises(ValueError, match=f"image_size {size}"):
        animal_mnist.read_wheel(wheel, size)


def test_wrong_content_is_refused(tmp_path: Path) -> None:
    images, labels = small_set()
    for name, wrong in {
        "side": (images[:, :20], labels),
        "dtype": (images.astype(np.float32), labels),
    }.items():
        with pytest.raises(ValueError, match="expected uint8 images of 28 px"):
            animal_mnist.read_wheel(write_wheel(tmp_path / name, *wrong), 32)
    for name, wrong in {"count": labels[:-1], "class": labels + 1}.items():
        with pytest.raises(ValueError, match=r"one label in 0\.\.9"):
            animal_mnist.read_wheel(write_wheel(tmp_path / name, images, wrong), 32)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace pip by a copy of the wheel that is returned; without the wheel, it fails."""
    source = tmp_path / "index" / "animal_mnist-0.4-py3-none-any.whl"
    source.parent.mkdir()

    def pip(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if not source.exists():
            return subprocess.CompletedProcess(command, 1, "", "no such version")
        folder = Path(command[command.index("--dest") + 1])
        (folder / source.name).write_bytes(source.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(package_index.subprocess, "run", pip)
    return source


def test_download(tmp_path: Path, index: Path) -> None:
    index.write_bytes(b"wheel")
    out = tmp_path / "downloads" / "animal_mnist.whl"
    package_index.download("animal-mnist==0.4", sha256(index), out)
    assert out.read_bytes() == b"wheel"


def test_download_refuses_another_wheel(tmp_path: Path, index: Path) -> None:
    index.write_bytes(b"changed")
    out = tmp_path / "downloads" / "animal_mnist.whl"
    with pytest.raises(ValueError, match="SHA-256"):
        package_index.download("animal-mnist==0.4", "0" * 64, out)
    assert not out.parent.exists()


def test_download_reports_the_error_of_pip(tmp_path: Path, index: Path) -> None:
    with pytest.raises(RuntimeError, match="no such version"):
        package_index.download("animal-mnist==9", "0" * 64, tmp_path / "a.whl")
