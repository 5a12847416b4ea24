"""The model card: what the Hub reads in it, what it says, and that its examples run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.command_line import complete, mini
from helpers.paths import ROOT
from helpers.scored_run import SHIPPED, scores, write_card, write_run
from helpers.training_setup import PIXEL_ONLY, SCRATCH
from huggingface_hub import ModelCard

from tinygan.cli import main
from tinygan.data.real import animal_mnist
from tinygan.files import read_json
from tinygan.release.card import model_card
from tinygan.release.evaluation import METRICS, SCORED, evaluation

CARD = read_json(SHIPPED / "card.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("top") / "run", "dw")


def evaluated(**sections: dict) -> dict[str, Any]:
    """Return the scores.json of a student of `mini` with some settings changed."""
    found = {name: scores(name, 50.0 + i) for i, name in enumerate(SCORED)}
    return evaluation(complete(mini(**sections)), CARD, found)


def test_the_hub_reads_the_metadata_and_the_scores(run: Path) -> None:
    data = ModelCard.load(run / "cards" / "dw.md").data
    assert (data.license, data.library_name) == ("mit", "tinygan")
    assert data.pipeline_tag == "unconditional-image-generation"
    assert "knowledge-distillation" in data.tags and data.model_name == "tinygan-dw-mini"
    written = read_json(run / "scores" / "dw.json")
    assert [result.metric_type for result in data.eval_results] == list(METRICS)
    for result in data.eval_results:
        key = result.metric_type
        assert result.metric_value == written[key]
        assert result.metric_args["interval_95"] == [written[f"{key}_low"], written[f"{key}_high"]]
        assert result.metric_args["extractor"] == "efficientnet_lite0"
        assert (result.dataset_type, result.dataset_name) == ("animal_mnist", "Animal-MNIST")
    counts = {r.metric_type: r.metric_args for r in data.eval_results}
    assert (counts["fid"]["images"], counts["fid"]["real_images"]) == (2000, 10000)
    assert (counts["intra_fid"]["images"], counts["kid"]["images"]) == (2010, 1990)
    assert "real_images" not in counts["inception_score"]


def test_the_table_has_model_teacher_and_floor_with_intervals(run: Path) -> None:
    text = (run / "cards" / "dw.md").read_text()
    (row,) = re.findall(r"^\| FID ↓ (.*) \|$", text, re.MULTILINE)
    assert row == "| 163.5 [163.5, 163.5] | 125.2 [125.2, 125.3] | 37.5 [37.5, 37.5]"
    for title in (metric.title for metric in METRICS.values()):
        assert len(re.findall(rf"^\| {title} ", text, re.MULTILINE)) == 1
    for fact in (
        *("`efficientnet_lite0` at 64 px", "e5" * 32, "2,010 of this model, 201 per class"),
        *("truncation 0.8", "2,010 of the teacher", "10,000 real images", "k = 5"),
        *(
            "2,010 of them scored against the other 7,990",
            "score use 2,000 of them",
            "compare 1,990 w",
        ),
        *("`mini_teacher`, a TF-Hub module", "`animal-mnist==0.4`: silhouettes", "172,289 param"),
        *(CARD["sha256"], CARD["discriminator_sha256"], "not with published ones"),
    ):
        assert fact in text, fact


def test_its_examples_run_as_they_are(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (run / "cards" / "dw.md").read_text()
    (tmp_path / "tinygan-dw-mini").symlink_to(SHIPPED)
    monkeypatch.chdir(tmp_path)
    (python,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(python, names := {})
    assert f"uint8 {list(names['images'].shape)}" in python
    (line,) = re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)
    command, *words = shlex.split(line)
    assert command == "tinygan" and main(words) == 0 and Path("generated.png").is_file()


def test_a_card_names_what_its_training_did_not_use() -> None:
    found = evaluated()
    scratch = model_card(CARD | {"variant": "scratch", "loss": SCRATCH}, found)
    assert "trained without a teacher" in scratch and "knowledge-distillation" not in scratch
    assert "a TF-Hub module (not used in this training)" in scratch
    pixels = CARD | {"loss": PIXEL_ONLY, "discriminator": None, "discriminator_parameters": 0}
    text = model_card(pixels, found)
    assert "silhouettes of animals, 28 x 28 px (not used in this training)" in text
    assert "| Discriminator | none |" in text and "discriminator.safetensors" not in text
    assert "(not used" not in model_card(CARD, found)


def test_an_imported_model_is_not_said_to_be_trained_or_scored_here(tmp_path: Path) -> None:
    card = {
        "variant": "sngan", "parameters": 1234, "truncation": None, "sha256": "ab" * 32,
        "generator": {"architecture": "sngan", "classes": 1000, "image_size": 128, "z_dim": 128},
        "imported_from": {"file": "a.npz", "sha256": "cd" * 32},
    }  # fmt: skip
    (tmp_path / "README.md").write_text(text := model_card(card, None))
    data = ModelCard.load(tmp_path / "README.md").data
    assert data.license == "other" and data.eval_results is None
    for fact in ("not scored here", "standard normal", "1,000, unnamed", "`a.npz`", "cd" * 32):
        assert fact in text, fact
    assert "chang2020tinygan" not in text and "distill" not in text
    assert "--class 0 999" in text and 'classes=["0", "999"]' in text


def test_a_score_without_classifier_or_interval_is_left_out_or_alone() -> None:
    found = evaluated()
    found["scores"]["model"] |= {"inception_score": None, "fid_low": None, "fid_high": None}
    text = model_card(CARD, found)
    assert "| Inception score" not in text and "inception_score" not in text
    assert "| FID ↓ | 50.0 | 51.0 [" in text


def test_the_licence_is_that_of_the_data_only_for_our_own_teacher() -> None:
    assert "MIT licence" in animal_mnist.__doc__ and evaluated()["license"] == "mit"
    assert "`mit`. So are the images of Animal-MNIST." in model_card(CARD, evaluated())
    other = evaluated(teacher={"kind": "python", "target": "mygan:images", "handle": None})
    assert other["license"] is None
    assert "\nlicense: other\n" in model_card(CARD, other)
    assert "Not stated. Ask" in model_card(CARD, other)
    chosen = model_card(CARD, other, license="apache-2.0")
    assert "\nlicense: apache-2.0\n" in chosen and "`apache-2.0`.\n" in chosen


def test_no_path_of_the_machine_is_in_it(tmp_path: Path) -> None:
    config = complete(mini()) | {"preset": "own"}
    config["real"] |= {"requirement": "animal-mnist @ file:///secret/a.whl", "path": "/secret/real"}
    config["teacher"] |= {"handle": "/secret/teacher"}
    run = write_run(tmp_path / "run", "dw", config=config)
    for name in ("dw.md", "dw.json"):
        text = (run / "cards" / name).read_text()
        assert "secret" not in text and str(tmp_path) not in text
    assert "`teacher`, a TF-Hub module" in (run / "cards" / "dw.md").read_text()
    address = evaluated(teacher={"handle": "https://tfhub.dev/a/b/1?key=secret"})["teacher"]
    assert address == {"kind": "tfhub", "name": "https://tfhub.dev/a/b/1"}


def test_it_is_written_again_to_the_same_bytes(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in (run / "cards").iterdir()}
    assert before.keys() == {"dw.md", "dw.json"} and write_card(run, "dw") == 0
    assert {path.name: path.read_bytes() for path in (run / "cards").iterdir()} == before


def test_the_citation_is_that_of_the_project() -> None:
    (paper,) = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    text = model_card(CARD, None)
    names = [f"{author['family-names']}, {author['given-names']}" for author in paper["authors"]]
    for value in (paper["title"], " and ".join(names), paper["collection-title"], paper["year"]):
        assert f"= {{{value}}}" in text
