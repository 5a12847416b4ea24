"""The initial class embedding E(y) from a file."""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.command_line import TINY_STUDENT, mini, tinygan
from helpers.training_setup import files, settings, write_mini_stores

from tinygan.files import read_json
from tinygan.models.embedding import read_embedding
from tinygan.training.step import build_networks

SHAPE = (3, 8)
VALUES = np.arange(24).reshape(SHAPE) / 7 - 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", ">f4", "int64"])
def test_the_values_are_those_of_the_file_and_nothing_else_changes(
    tmp_path: Path, dtype: str
) -> None:
    values = VALUES.astype(dtype)
    np.save(tmp_path / "e.npy", values)
    plain = settings()
    given = replace(plain.student, embedding_file=str(tmp_path / "e.npy"))
    generator, discriminator = build_networks(replace(plain, student=given))
    weights = generator.state_dict()
    found = weights.pop("embedding.weight")
    assert found.dtype == torch.float32 and generator.embedding.weight.requires_grad
    np.testing.assert_array_equal(found.numpy(), values.astype("float32"))
    others = build_networks(plain)
    for name, value in weights.items():
        assert torch.equal(value, others[0].state_dict()[name]), name
    for name, value in discriminator.state_dict().items():
        assert torch.equal(value, others[1].state_dict()[name]), name


def saved(array: object) -> Callable[[Path], object]:
    return lambda path: np.save(path, array, allow_pickle=True)


def cut(path: Path) -> None:
    np.save(path, VALUES)
    path.write_bytes(path.read_bytes()[:-9])


def zipped(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, VALUES)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (saved(VALUES.T), "has the shape [8, 3], but this run needs [3, 8]: one row per class"),
        (saved(VALUES[0]), "has the shape [8], but this run needs [3, 8]"),
        (saved(np.where(VALUES > 1, np.nan, VALUES)), "has values that are not finite"),
        (saved(np.where(VALUES > 1, np.inf, VALUES)), "has values that are not finite"),
        (saved(VALUES * 1e300), "has values that are not finite"),
        (saved(np.full(SHAPE, "bear")), "is not an NPY file of numbers"),
        (saved(np.full(SHAPE, "1")), "is not an NPY file of numbers"),
        (saved(VALUES.astype(complex)), "is not an NPY file of numbers"),
        (saved(np.full(SHAPE, None)), "is not an NPY file of numbers"),
        (lambda path: path.write_bytes(pickle.dumps(VALUES)), "is not an NPY file of numbers"),
        (lambda path: path.write_text("0.1 0.2\n"), "is not an NPY file of numbers"),
        (lambda path: path.write_bytes(b""), "is not an NPY file of numbers"),
        (cut, "is not an NPY file of numbers"),
        (zipped, "is not an NPY file of numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_another_file_is_refused_in_one_sentence(
    tmp_path: Path, write: Callable[[Path], object], message: str
) -> None:
    write(path := tmp_path / "e.npy")
    with pytest.raises(ValueError) as caught:
        read_embedding(path, SHAPE)
    start = f"student.embedding_file: {path} {message}"
    assert str(caught.value).startswith(start) and "\n" not in str(caught.value)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "sprung")
    (tmp_path / "a.npy").write_bytes(pickle.dumps(trap))
    np.save(tmp_path / "b.npy", np.array([trap]), allow_pickle=True)
    for name in ("a.npy", "b.npy"):
        with pytest.raises(ValueError, match="is not an NPY file of numbers"):
            read_embedding(tmp_path / name, SHAPE)
    assert not trap.path.exists()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="student.embedding_file: there is no file .*e.npy"):
        read_embedding(tmp_path / "e.npy", SHAPE)


def test_a_training_depends_on_the_bytes_of_its_file_and_not_on_its_path(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_mini_stores(tmp_path)
    rng, path = np.random.default_rng(0), tmp_path / "e.npy"
    train = {"steps": 1, "batch": 4, "snapshots": 1, "log_every": 1}
    config = mini(train=train, student=TINY_STUDENT | {"embedding_file": str(path)})

    def trained(out: str) -> dict[str, bytes]:
        manifests = [tmp_path / name / "manifest.json" for name in ("pairs", "real")]
        words = ["--variant", "dw", "--pairs", manifests[0], "--real", manifests[1]]
        words += ["--checkpoints", tmp_path / "checkpoints", "--out", tmp_path / out]
        assert tinygan(tmp_path, config, "train", *words) == 0
        return files(tmp_path / out)

    np.save(path, rng.normal(size=(10, 32)))
    first = trained("a")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_json(tmp_path / "a/card.json")["data"]["embedding"] == [digest]
    assert trained("b") == first
    assert "already trained to step 1" in capfd.readouterr().err
    np.save(path, rng.normal(size=(10, 32)))
    second = trained("c")
    assert "data.embedding was" in capfd.readouterr().err
    assert second["generator.safetensors"] != first["generator.safetensors"]
    np.save(path, np.zeros((10, 31)))
    assert tinygan(tmp_path, config, "validate") == 1
    assert "has the shape [10, 31], but this run needs [10, 32]" in capfd.readouterr().err


def test_the_cost_of_a_model_is_known_without_its_file(tmp_path: Path) -> None:
    config = mini(student=TINY_STUDENT | {"embedding_file": "absent.npy"})
    assert tinygan(tmp_path, config, "cost", "--out", tmp_path / "cost.csv") == 0
    assert (tmp_path / "cost.csv").read_text().count("\n") == 10
