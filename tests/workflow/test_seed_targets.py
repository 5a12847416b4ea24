"""Several seeds of every training: what is run, and what stays. And initial embeddings."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.checkouts import jobs, snakemake
from helpers.command_line import mini

pytestmark = pytest.mark.slow

VARIANTS = list(mini()["variants"])
# Tables, figures and pages that show every seed, and the record of the run.
OF_ALL_SEEDS = ["table1", "table2", "variance", "score_sheet", "fig8", "fig9", "claims"]
OF_ALL_SEEDS += ["provenance", "report_page"]
# Every seed of dw is interpolated and measured; the images are temporary, and Figure 10 shows them.
INTERPOLATED = ["interpolate_teacher", "smoothness", "fig10"]
# Those that show the previews or scores of the first seed.
OF_ONE_SEED = ["fig1", "fig3", "fig7", "fig11"]


def planned(checkout: Path, target: str, *options: str) -> dict[str, int]:
    """Return the jobs of each rule in a dry run, without their sum."""
    found = jobs(snakemake(checkout, target, "-n", *options))
    found.pop("total", None)
    return found


def new_jobs(seed: str, variants: list[str]) -> dict[str, int]:
    """Return the jobs of the students of one more seed, up to their scores and cards."""
    found = {f"train_{name}_{seed}": 1 for name in variants}
    found |= {"sample": len(variants), "score": len(variants)}
    found["model_card"] = len(variants)
    if curves := len({"dw", "scratch"}.intersection(variants)):
        found["curve"] = curves
    return found


def seeds(text: str) -> tuple[str, str]:
    return "--config", f"train={{seeds: {text}}}"


def test_one_more_seed_runs_its_students_and_what_shows_them(finished: Path) -> None:
    expected = new_jobs("seed1", VARIANTS) | {"interpolate": 2}
    expected |= dict.fromkeys([*OF_ALL_SEEDS, *INTERPOLATED, "all"], 1)
    assert planned(finished, "all", *seeds("[0, 1]")) == expected


def test_another_seed_alone_runs_no_step_of_the_first(finished: Path) -> None:
    expected = new_jobs("seed3", VARIANTS)
    expected |= dict.fromkeys([*OF_ALL_SEEDS, *OF_ONE_SEED, *INTERPOLATED, "interpolate", "all"], 1)
    assert planned(finished, "all", *seeds("[3]")) == expected


def test_the_targets_of_a_variant_are_of_all_its_seeds(finished: Path) -> None:
    two = seeds("[0, 1, 2]")
    assert planned(finished, "models_dw", *two) == {
        "train_dw_seed1": 1, "train_dw_seed2": 1, "models_dw": 1,
    }  # fmt: skip
    found = planned(finished, "no_feat", *two)
    assert found == {
        "train_no_feat_seed1": 1, "train_no_feat_seed2": 1, "sample": 2, "score": 2, "no_feat": 1,
    }  # fmt: skip


def test_a_student_has_the_same_files_wherever_its_seed_is_in_the_list(finished: Path) -> None:
    printed = snakemake(finished, "no_gan", "-n", "-p", *seeds("[1, 0]"))
    for part in (
        "--variant no_gan --seed 1 ",
        "--checkpoints results/mini/checkpoints/no_gan/seed1 ",
        "--out results/mini/models/no_gan/seed1 > results/mini/logs/train/no_gan/seed1.log",
        "--source no_gan/seed1 ",
        "--out results/mini/scores/no_gan/seed1.json ",
        "--intra results/mini/intra_fid/no_gan/seed1.csv ",
    ):
        assert part in printed
    assert "--seed 0" not in printed and "--source no_gan " not in printed


@pytest.fixture
def embedding(finished: Path) -> Iterator[Path]:
    """The file e.npy for the variant `mine` of mine.yaml; its model is deleted afterwards."""
    (finished / "mine.yaml").write_text("variants: {mine: {student: {embedding_file: e.npy}}}\n")
    np.save(path := finished / "e.npy", np.zeros((10, 32)))
    yield path
    path.unlink(missing_ok=True)
    for folder in ("models", "logs/train", "benchmarks/train"):
        for left in (finished / "results/mini" / folder).glob("mine*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def test_an_initial_embedding_is_an_input_by_its_content(finished: Path, embedding: Path) -> None:
    def needed() -> dict[str, int]:
        return jobs(snakemake(finished, "models_mine", "-n", configfiles=["mine.yaml"]))

    snakemake(finished, "models_mine", configfiles=["mine.yaml"])
    assert needed() == {}
    os.utime(embedding)
    assert needed() == {}
    np.save(embedding, np.ones((10, 32)))
    assert needed()["train_mine"] == 1
    embedding.unlink()  # it has been read
    assert needed() == {}


def test_a_bad_initial_embedding_is_refused_before_the_first_job(
    finished: Path, embedding: Path
) -> None:
    def refusal(*words: str) -> str:
        output = snakemake(finished, "models_mine", *words, configfiles=["mine.yaml"], fails=True)
        assert "Traceback" not in output
        assert not list((finished / "results/mini/logs/train").glob("mine*"))
        return output

    np.save(embedding, np.zeros((10, 128)))
    message = "e.npy has the shape [10, 128], but this run needs [10, 32]"
    assert f"student.embedding_file: {message}" in refusal()
    embedding.unlink()
    for words in ([], ["-n"]):
        output = refusal(*words)
        assert "config: student.embedding_file: there is no file e.npy\n" in output
