"""Targets of the workflow in a clean checkout: lint, dry runs and bad configs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.checkouts import jobs, make_checkout, snakemake
from helpers.paths import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without results, with an empty stand-in for the teacher module."""
    return make_checkout(tmp_path_factory.mktemp("checkout"))


def test_lint_finds_nothing(checkout: Path) -> None:
    assert "Congratulations, your workflow is in a good condition!" in snakemake(checkout, "--lint")


def test_all_is_planned_from_a_clean_checkout(checkout: Path) -> None:
    found = jobs(snakemake(checkout, "-n", "all"))
    total = found.pop("total")
    assert total == sum(found.values())
    assert "train_teacher" not in found and "export_teacher" not in found
    assert found["score"] == 10 and found["sample"] == 8 and found["curve"] == 2
    assert found["model_card"] == 8
    figures = {"fig1", "fig3", "fig7", "fig8", "fig9", "fig10", "fig11"}
    assert figures | {"table1", "table2", "variance", "score_sheet", "claims"} <= set(found)
    assert found["provenance"] == found["report_page"] == 1
    assert [found[rule] for rule in ("interpolate", "interpolate_teacher", "smoothness")] == [1] * 3


def test_figure_7_needs_the_student_from_scratch_unless_there_is_a_source_sngan(
    checkout: Path,
) -> None:
    found = jobs(snakemake(checkout, "-n", "fig7"))
    assert found["train_dw"] == found["train_scratch"] == found["fig7"] == 1
    (checkout / "sngan.yaml").write_text("sources: {sngan: pictures}\n")
    found = jobs(snakemake(checkout, "-n", "fig7", configfiles=["sngan.yaml"]))
    assert found["source"] == found["sample"] == 1 and "train_scratch" not in found


def test_a_variant_is_a_target_and_needs_no_other(checkout: Path) -> None:
    found = jobs(snakemake(checkout, "-n", "no_feat"))
    assert [name for name in found if name.startswith("train_")] == ["train_no_feat"]
    assert found["score"] == 1 and found["no_feat"] == 1
    assert "provenance" not in found  # a part of a run is no finished run


def test_an_added_variant_is_a_target_with_its_own_steps(checkout: Path) -> None:
    extra = checkout / "extra.yaml"
    extra.write_text("variants: {mine: {student: {channels: 4}, train: {steps: 12}}}\n")
    last = "results/mini/models/mine/snapshots/000012.safetensors"
    for target in ("mine", last):
        output = snakemake(checkout, target, "-n", configfiles=["extra.yaml"])
        assert jobs(output)["train_mine"] == 1


def test_the_teacher_is_trained_if_missing_or_requested(checkout: Path) -> None:
    assert jobs(snakemake(checkout, "-n", "mini_teacher"))["export_teacher"] == 1
    module = checkout / "resources" / "mini_teacher"
    away = module.rename(checkout / "away")
    try:
        assert jobs(snakemake(checkout, "-n", "all"))["train_teacher"] == 1
    finally:
        away.rename(module)


def test_a_module_at_a_url_is_not_an_input_file(checkout: Path) -> None:
    (checkout / "url.yaml").write_text("teacher: {handle: 'https://tfhub.dev/a/b/1'}\n")
    found = jobs(snakemake(checkout, "all", "-n", configfiles=["url.yaml"]))
    assert found["harvest"] == found["harvest_evaluation"] == 1 and "export_teacher" not in found


def test_a_teacher_that_is_a_function_of_labels_is_not_interpolated(checkout: Path) -> None:
    (checkout / "mygan.py").write_text("def images(z, y, truncation): ...\n")
    (checkout / "python.yaml").write_text(
        "teacher: {kind: python, target: 'mygan:images', handle: null}\n"
    )
    printed = snakemake(checkout, "all", "-n", "-p", configfiles=["python.yaml"])
    found = jobs(printed)
    assert "interpolate_teacher" not in found and found["interpolate"] == 1
    for script in (r"analysis/fig10\.py", r"-m tinygan smoothness"):
        (options,) = re.findall(rf"python {script} (.*)", printed)
        paths = re.findall(r"interpolation/([\w/]+)/paths/manifest\.json", options)
        assert paths == ["dw"], script


def test_every_seed_of_dw_is_measured_and_the_first_is_drawn(checkout: Path) -> None:
    (checkout / "seeds.yaml").write_text("train: {seeds: [0, 1]}\n")
    printed = snakemake(checkout, "all", "-n", "-p", configfiles=["seeds.yaml"])
    shown = ["teacher", "dw"]
    for script, sources in (
        (r"analysis/fig10\.py", shown),
        (r"-m tinygan smoothness", [*shown, "dw/seed1"]),
    ):
        (options,) = re.findall(rf"python {script} (.*)", printed)
        paths = re.findall(r"interpolation/([\w/]+)/paths/manifest\.json", options)
        assert paths == sources, script


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {step: 3}", "config: unknown key train.step; did you mean train.steps?"),
        ("image_size: 33", "the nearest allowed is 32"),
        ("teacher: {pairs_per_class: -5}", "config: teacher.pairs_per_class: -5 is less than"),
    ],
)
def test_a_bad_config_stops_before_any_job_and_without_a_traceback(
    checkout: Path, text: str, message: str
) -> None:
    (checkout / "bad.yaml").write_text(text)
    output = snakemake(checkout, "all", configfiles=["bad.yaml"], fails=True)
    assert message in output
    assert "Traceback" not in output and "Job stats" not in output


@pytest.mark.parametrize(
    ("config", "key", "name"),
    [
        ("variants: {harvest: {}}", "variants.harvest", "harvest"),
        ("variants: {features: {}}", "variants.features", "features"),
        ("sources: {score: x}", "sources.score", "score"),
    ],
)
def test_a_name_that_is_taken_is_refused_in_one_sentence(
    checkout: Path, config: str, key: str, name: str
) -> None:
    (checkout / "taken.yaml").write_text(config)
    output = snakemake(checkout, "all", "-n", configfiles=["taken.yaml"], fails=True)
    assert f"config: {key}: {name} is the name of another target" in output
    assert "Traceback" not in output


def test_a_script_is_given_the_inputs_that_it_declares(checkout: Path) -> None:
    printed = snakemake(checkout, "all", "-n", "-p")
    commands = re.findall(r"python (analysis/\w+\.py) (.*)", printed)
    assert len(commands) == 13
    for script, options in commands:
        done = subprocess.run(
            [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True
        )
        declared = set(re.findall(r"^  (--\w+) [A-Z]", done.stdout, re.MULTILINE))
        assert set(re.findall(r"--\w+", options)) == declared, script


def test_make_reproduce_is_make_demo_with_three_seeds() -> None:
    def commands(target: str) -> list[str]:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        return [s.rstrip() for s in lines if s.startswith("snakemake ") or "summary.py" in s]

    demo, reproduce = commands("demo"), commands("reproduce")
    seeds = " --configfile config/reproduce.yaml"
    assert [line.replace(seeds, "") for line in reproduce] == demo and len(demo) == 3
    assert [seeds in line for line in reproduce] == [True, True, False]
