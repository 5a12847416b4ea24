"""What a finished run reruns after a change of the config, the code or its files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.checkouts import jobs, snakemake
from helpers.command_line import mini

pytestmark = pytest.mark.slow


def test_a_second_run_has_nothing_to_do_and_temporary_files_are_gone(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished, "-n", "all")
    results = finished / "results" / "mini"
    assert sorted(p.name for p in (results / "images").iterdir() if any(p.rglob("*.npy"))) == [
        "real",
        "teacher_pairs",
    ]
    extracted = {p.parent.name for p in (results / "features").rglob("*.npz")}
    assert extracted == {"real", "teacher", "teacher_pairs"}
    shown = {p.name for p in (results / "previews").iterdir()}
    assert shown == {"teacher", *mini()["variants"]}


def test_one_missing_score_reruns_no_other_score_and_no_training(finished: Path) -> None:
    (score := finished / "results" / "mini" / "scores" / "no_feat.json").rename(finished / "kept")
    found = jobs(snakemake(finished, "-n", "no_feat"))
    (finished / "kept").rename(score)
    del found["total"]
    assert found == {"sample": 1, "score": 1, "no_feat": 1}


def test_a_changed_ablation_reruns_its_own_jobs_and_what_shows_it(finished: Path) -> None:
    """`no_gan` is in three tables, claims, its card, record and report."""
    (finished / "changed.yaml").write_text("variants: {no_gan: {loss: {kd_student: 0.02}}}")
    expected = {"train_no_gan": 1, "sample": 1, "score": 1}
    shown = {"table2": 1, "variance": 1, "score_sheet": 1, "claims": 1}
    shown |= {"model_card": 1, "provenance": 1, "report_page": 1}
    for target, more in {"no_gan": {}, "all": shown}.items():
        found = jobs(snakemake(finished, target, "-n", configfiles=["changed.yaml"]))
        del found["total"]
        assert found == expected | more | {target: 1}


@pytest.mark.parametrize(
    ("text", "runs", "rests"),
    [
        ("metrics: {is_splits: 5}", {"score": 10}, ["train_dw", "harvest", "features"]),
        (
            "variants: {dw: {loss: {pixel: 0.5}}}",
            {"train_dw": 1},
            ["train_std", "harvest"],
        ),
        (
            "teacher: {truncation: 0.5}",
            {"harvest": 1, "harvest_evaluation": 1, "train_dw": 1},
            ["real"],
        ),
    ],
)
def test_a_changed_parameter_reruns_what_depends_on_it(
    finished: Path, text: str, runs: dict[str, int], rests: list[str]
) -> None:
    (finished / "changed.yaml").write_text(text)
    found = jobs(snakemake(finished, "all", "-n", configfiles=["changed.yaml"]))
    assert {name: found.get(name) for name in runs} == runs
    assert set(rests) & set(found) == set()


def changed(checkout: Path, module: str, change: Callable[[str], str]) -> set[str]:
    """Return the rules that run after a change of a module, which is undone."""
    path = checkout / module
    before = path.read_text()
    path.write_text(change(before))
    try:
        return set(jobs(snakemake(checkout, "-n", "all")))
    finally:
        path.write_text(before)


@pytest.mark.parametrize(
    ("module", "runs", "rests"),
    [
        ("tinygan/training/losses.py", {"train_dw", "score", "curve"}, {"harvest"}),
        ("tinygan/generation/sampling.py", {"sample", "score", "fig1"}, {"train_dw"}),
        ("tinygan/metrics/fid.py", {"score", "curve"}, {"train_dw", "features"}),
        ("tinygan/teacher/tfhub.py", {"harvest", "train_dw", "score"}, {"real"}),
        ("analysis/fig9.py", {"fig9", "provenance"}, {"fig8", "score", "sample"}),
        ("analysis/report.py", {"report_page"}, {"provenance", "table1", "claims", "fig9"}),
        ("analysis/templates/report.css", {"report_page"}, {"provenance", "claims"}),
        ("workflow/report/fig9.rst", {"report_page"}, {"provenance", "fig9"}),
        ("tinygan/release/card.py", {"model_card", "provenance"}, {"score", "table1", "sample"}),
        (
            "tinygan/provenance/jobs.py",
            {"provenance", "report_page"},
            {"fig9", "score", "train_dw", "harvest"},
        ),
    ],
)
def test_changed_code_reruns_what_it_decides(
    finished: Path, module: str, runs: set[str], rests: set[str]
) -> None:
    found = changed(finished, module, lambda text: text + "\nCHANGED = True\n")
    assert runs <= found and not rests & found


def test_a_comment_a_docstring_or_a_renamed_local_reruns_nothing(finished: Path) -> None:
    def rewrite(text: str) -> str:
        assert '"""Return mean max' in text and "    return register\n" in text
        text = text.replace('"""Return mean max', '"""The mean of max')
        return text.replace("    return register\n", "    # The decorator.\n    return register\n")

    def rename(text: str) -> str:
        assert "student, teacher = images.features" in text
        text = text.replace("student, teacher = images", "ours, theirs = images")
        return text.replace("zip(student, teacher, strict", "zip(ours, theirs, strict")

    assert changed(finished, "tinygan/training/losses.py", rewrite) == set()
    assert changed(finished, "tinygan/training/losses.py", rename) == set()


@pytest.mark.parametrize(
    "file", ["config.yaml", "analysis/table2.py", "workflow/Snakefile", "workflow/rules/train.smk"]
)
def test_a_comment_outside_the_library_reruns_nothing(finished: Path, file: str) -> None:
    assert changed(finished, file, lambda text: text + "\n# A comment.\n") == set()
