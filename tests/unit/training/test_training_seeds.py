"""The seed of a training: what it decides, and that it decides it alone."""

from pathlib import Path

import pytest
from helpers.command_line import TINY_STUDENT, mini, tinygan
from helpers.training_setup import files, write_mini_stores

from tinygan.files import read_json

CONFIG = mini(
    train={"seeds": [0, 1], "steps": 2, "batch": 4, "snapshots": 1, "log_every": 1},
    student=TINY_STUDENT,
)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stores `pairs` and `real`."""
    write_mini_stores(folder := tmp_path_factory.mktemp("stores"))
    return folder


def trained(stores: Path, folder: Path, *words: object, **changes: object) -> dict[str, bytes]:
    """Train dw into `folder`; return the bytes of the model's files."""
    folder.mkdir(exist_ok=True)
    manifests = [stores / name / "manifest.json" for name in ("pairs", "real")]
    options = ["--variant", "dw", "--pairs", manifests[0], "--real", manifests[1]]
    options += ["--out", folder / "model", *words]
    assert tinygan(folder, CONFIG | changes, "train", *options) == 0
    return files(folder / "model")


def test_the_seed_decides_the_bytes_and_is_in_the_card(stores: Path, tmp_path: Path) -> None:
    first = trained(stores, tmp_path / "first")
    card = read_json(tmp_path / "first/model/card.json")
    assert (card["seed"], card["train"]["seed"]) == (0, 0) and "seeds" not in card["train"]
    assert trained(stores, tmp_path / "zero", "--seed", 0) == first
    other, again = (trained(stores, tmp_path / name, "--seed", 1) for name in "ab")
    assert other == again
    assert first.keys() == other.keys()
    assert [name for name in first if first[name] == other[name]] == []
    card = read_json(tmp_path / "a/model/card.json")
    assert (card["variant"], card["seed"], card["train"]["seed"]) == ("dw", 1, 1)


def test_the_default_is_the_first_of_the_list_and_the_rest_and_the_runs_seed_do_not_matter(
    stores: Path, tmp_path: Path
) -> None:
    changed = {"train": CONFIG["train"] | {"seeds": [1, 5]}, "seed": 7}
    expected = trained(stores, tmp_path / "a", "--seed", 1)
    assert trained(stores, tmp_path / "b", **changed) == expected


def test_a_checkpoint_of_another_seed_is_not_resumed(
    stores: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = trained(stores, tmp_path / "apart", "--seed", 1)
    words = ("--checkpoints", tmp_path / "checkpoints")
    trained(stores, tmp_path / "zero", *words)
    assert trained(stores, tmp_path / "one", *words, "--seed", 1) == expected
    assert "train.seed was 0, is 1" in capfd.readouterr().err
    assert trained(stores, tmp_path / "again", *words, "--seed", 1) == expected
    assert "already trained to step 2" in capfd.readouterr().err
