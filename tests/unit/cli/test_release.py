"""`tinygan release`: what is in the folder, that it is a model, and what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.scored_run import SHIPPED, WEIGHTS, write_card, write_run
from huggingface_hub import ModelCard
from PIL import Image

from tinygan import load_generator
from tinygan.cli import main
from tinygan.files import read_json, write_json
from tinygan.models import sngan
from tinygan.models.io import load_discriminator, save_card, save_weights
from tinygan.release import folder as releasing

FILES = {*WEIGHTS, "card.json", "scores.json", "samples.png", "README.md"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose student dw was scored; the current folder is above it."""
    monkeypatch.chdir(tmp_path)
    return write_run(Path("results/mini"), "dw")


def release(*words: object) -> int:
    return main(["release", *map(str, words)])


def contents(folder: str | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_release_has_the_model_its_scores_a_picture_and_its_card(run: Path, capsys) -> None:
    assert release(run / "models/dw", "--out", "a/b") == 0
    found, model = contents("a/b"), contents(run / "models/dw")
    assert found.keys() == FILES
    for name in (*WEIGHTS, "card.json"):
        assert found[name] == model[name]
    assert found["scores.json"] == (run / "cards/dw.json").read_bytes()
    # Without the picture, the card is the one that the pipeline wrote.
    text = Path("a/b/README.md").read_text()
    lines = [
        line for line in text.splitlines() if "samples.png" not in line and "*A row" not in line
    ]
    assert set(lines) == set((run / "cards/dw.md").read_text().splitlines())
    assert ModelCard.load("a/b/README.md").data.eval_results[0].metric_value == 163.5
    picture = np.asarray(Image.open("a/b/samples.png"))
    assert picture.shape == (10 * 64, 8 * 64, 3)
    assert np.array_equal(
        picture[-64::2, ::2][:, :32], load_generator("mini-dw").sample(["zebra"])[0]
    )
    said = capsys.readouterr().out
    assert said.startswith("wrote a/b: README.md, card.json, discriminator.safetensors, gen")
    assert said.endswith("scores from results/mini/cards/dw.json\n")


def test_a_release_is_a_model_and_can_be_released_again(run: Path) -> None:
    assert release(run / "models/dw", "--out", "first") == 0
    images = load_generator("first").sample(["cat"], n=2)
    assert np.array_equal(images, load_generator(run / "models/dw").sample(["cat"], n=2))
    assert load_discriminator(Path("first")).training is False
    assert main(["generate", "--model", "first", "--class", "cat"]) == 0
    shutil.rmtree(run)
    assert release("first", "--out", "second") == 0
    assert contents("second") == contents("first")
    # In its own place, too.
    assert release("first", "--out", "first") == 0
    assert contents("second") == contents("first")


def test_a_student_of_another_seed_has_its_own_scores_and_name(run: Path) -> None:
    write_run(Path("results/two"), "dw", "dw/seed1")
    assert release("results/two/models/dw/seed1", "--out", "one") == 0
    data = ModelCard.load("one/README.md").data
    assert data.model_name == "tinygan-dw-mini-seed1" and data.eval_results[0].metric_value == 164.5


def test_without_scores_the_card_says_so_and_how_to_get_them(run: Path, capsys) -> None:
    shutil.rmtree(run / "cards")
    assert release(run / "models/dw", "--out", "a") == 0
    assert "run snakemake --cores 2 results/mini/cards/dw.md, then" in capsys.readouterr().out
    shutil.copytree(run / "models/dw", "elsewhere")
    assert release("elsewhere", "--out", "b", "--license", "cc0-1.0") == 0
    assert "none beside the model; --scores FILE gives them" in capsys.readouterr().out
    for name, license in (("a", "other"), ("b", "cc0-1.0")):
        assert contents(name).keys() == FILES - {"scores.json"}
        card = ModelCard.load(f"{name}/README.md")
        assert card.data.eval_results is None and card.data.license == license
        assert "This model was not scored here." in card.text
    write_card(run, "dw")
    assert release("elsewhere", "--out", "b", "--scores", run / "cards/dw.json") == 0
    assert contents("b").keys() == FILES


def test_an_imported_model_without_class_names(run: Path) -> None:
    recipe = {"architecture": "sngan", "channels": 2, "classes": 12, "image_size": 32, "z_dim": 4}
    shape = {key: value for key, value in recipe.items() if key != "architecture"}
    save_weights(sngan.Generator(**shape), Path("sngan/generator.safetensors"))
    card = {"variant": "sngan", "generator": recipe, "parameters": 9, "truncation": None}
    save_card(Path("sngan"), card | {"imported_from": {"file": "a.npz", "sha256": "ab" * 32}})
    assert release("sngan", "--out", "a") == 0
    assert contents("a").keys() == {
        "generator.safetensors",
        "card.json",
        "samples.png",
        "README.md",
    }
    # Ten of the twelve classes.
    assert "selected: 0, 1, 2, 3, 4, 6, 7, 8, 9, 10.*" in Path("a/README.md").read_text()


def test_an_earlier_release_is_replaced_and_loses_what_it_no_longer_has(run: Path) -> None:
    assert release(run / "models/dw", "--out", "a") == 0
    card = read_json(run / "models/dw/card.json") | {"discriminator": None, "seed": 3}
    write_json(run / "models/dw/card.json", card)
    write_card(run, "dw")
    assert release(run / "models/dw", "--out", "a") == 0
    assert contents("a").keys() == FILES - {"discriminator.safetensors"}
    assert read_json("a/card.json")["seed"] == 3


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Call the subcommand, which has to fail and to change nothing; return its one sentence."""
    before = sorted((path, path.stat().st_mtime_ns) for path in Path().rglob("*"))
    assert release(*words) == 1
    assert sorted((path, path.stat().st_mtime_ns) for path in Path().rglob("*")) == before
    error = capsys.readouterr().err
    assert error.startswith("tinygan release: ") and error.count("\n") == 1
    return error


@pytest.mark.parametrize("name", WEIGHTS)
def test_damaged_and_missing_weights_are_refused(run: Path, capsys, name: str) -> None:
    path = run / "models/dw" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    error = refused(capsys, run / "models/dw", "--out", "a")
    assert f"{name} does not have the SHA-256 in card.json: it is damaged" in error
    path.unlink()
    assert f"{name} is missing, though card.json" in refused(
        capsys, run / "models/dw", "--out", "a"
    )


def test_scores_of_other_weights_are_refused(run: Path, capsys) -> None:
    write_json(run / "cards/dw.json", read_json(run / "cards/dw.json") | {"sha256": "0" * 64})
    error = refused(capsys, run / "models/dw", "--out", "a")
    assert "results/mini/cards/dw.json has scores of other weights than" in error
    error = refused(capsys, run / "models/dw", "--out", "a", "--scores", run / "scores/dw.json")
    assert "scores/dw.json is no scores.json: give that of a release, or a run's cards/" in error
    error = refused(capsys, run / "models/dw", "--out", "a", "--scores", "nowhere.json")
    assert "nowhere.json: there is no such file of scores" in error


def test_no_other_folder_is_written_into(run: Path, capsys) -> None:
    error = refused(capsys, "mini-dw", "--out", run / "models/dw")
    assert "models/dw is no earlier release of dw: nothing was changed; give another" in error
    Path("mine").mkdir()
    Path("mine/notes.txt").touch()
    error = refused(capsys, run / "models/dw", "--out", "mine")
    assert "mine contains files that this command did not write, such as notes.txt" in error
    assert release(run / "models/dw", "--out", "a") == 0
    capsys.readouterr()
    write_run(Path("results/other"), "std")
    error = refused(capsys, "results/other/models/std", "--out", "a")
    assert "a is no earlier release of std" in error
    assert "mini-d is neither the folder" in refused(capsys, "mini-d", "--out", "b")
    Path("empty").mkdir()
    assert "it has no card.json" in refused(capsys, "empty", "--out", "b")
    Path("empty/card.json").write_text("{}")
    assert "card.json lacks 'sha256'" in refused(capsys, "empty", "--out", "b")


def test_a_release_that_fails_leaves_nothing(run: Path, capsys, monkeypatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(releasing, "write_text", full)
    assert "free space, run again" in refused(capsys, run / "models/dw", "--out", "a")


def test_no_path_is_in_a_release(run: Path, tmp_path: Path) -> None:
    assert release(tmp_path / run / "models/dw", "--out", tmp_path / "a") == 0
    for name in ("README.md", "scores.json", "card.json"):
        assert str(tmp_path) not in Path("a", name).read_text()


def test_the_shipped_model_is_a_release_of_itself(tmp_path: Path) -> None:
    assert release("mini-dw", "--out", tmp_path / "a") == 0
    found, shipped = contents(tmp_path / "a"), contents(SHIPPED)
    assert found.keys() == shipped.keys() == FILES
    for name in FILES - {"samples.png"}:
        assert found[name] == shipped[name], name
    # Another processor may round differently.
    drawn, shown = (
        np.asarray(Image.open(f / "samples.png"), int) for f in (tmp_path / "a", SHIPPED)
    )
    assert np.abs(drawn - shown).mean() < 1
