"""The workflow's wiring: lint, dry runs, targets, and that its lists agree with one another."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers.checkouts import jobs, make_checkout, snakemake
from helpers.command_line import mini
from helpers.paths import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without results, with an empty stand-in for the teacher module."""
    return make_checkout(tmp_path_factory.mktemp("checkout"))


def test_lint_finds_nothing(checkout: Path) -> None:
    assert "Congratulations, your workflow is in a good condition!" in snakemake(checkout, "--lint")


def test_everything_is_made_from_a_clean_checkout(checkout: Path) -> None:
    found = jobs(snakemake(checkout, "-n", "all"))
    total = found.pop("total")
    assert total == sum(found.values())
    assert "train_teacher" not in found and "export_teacher" not in found
    assert found["score"] == 10 and found["sample"] == 16 and found["curve"] == 2
    assert {"table1", "table2", "fig1", "fig3", "fig8", "fig9", "fig11", "claims"} <= set(found)


def test_a_variant_is_a_target_and_needs_no_other(checkout: Path) -> None:
    found = jobs(snakemake(checkout, "-n", "no_feat"))
    assert [name for name in found if name.startswith("train_")] == ["train_no_feat"]
    assert found["score"] == 1 and found["no_feat"] == 1


def test_an_added_variant_is_a_target_with_its_own_steps(checkout: Path) -> None:
    extra = checkout / "extra.yaml"
    extra.write_text("variants: {mine: {student: {channels: 4}, train: {steps: 12}}}\n")
    last = "results/mini/models/mine/snapshots/000012.safetensors"
    for target in ("mine", last):
        output = snakemake(checkout, target, "-n", configfiles=["extra.yaml"])
        assert jobs(output)["train_mine"] == 1


def test_the_teacher_is_trained_where_it_is_missing_or_asked_for(checkout: Path) -> None:
    assert jobs(snakemake(checkout, "-n", "mini_teacher"))["export_teacher"] == 1
    module = checkout / "resources" / "mini_teacher"
    away = module.rename(checkout / "away")
    try:
        assert jobs(snakemake(checkout, "-n", "all"))["train_teacher"] == 1
    finally:
        away.rename(module)


def test_a_module_at_a_url_is_no_file_of_the_workflow(checkout: Path) -> None:
    (checkout / "url.yaml").write_text("teacher: {handle: 'https://tfhub.dev/a/b/1'}\n")
    found = jobs(snakemake(checkout, "all", "-n", configfiles=["url.yaml"]))
    assert found["harvest"] == 4 and "export_teacher" not in found


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


# Makes the files that a verb or a script is asked for, with no more in them than its arguments.
STAND_IN = """
import sys
from pathlib import Path

from tinygan.config.derived import resolve_variant, shard_ranges, snapshot_steps
from tinygan.planning.run import load

words = sys.argv[1:]
verb = words[0] if words[0][0] != "-" else Path(sys.argv[0]).stem
given = {key: value for key, value in zip(words, words[1:]) if key.startswith("--")}
config, out = load(given["--config"]), Path(given["--out"])
shard = ["manifest.json", "images.npy", "labels.npy"]
if verb == "real":
    files = [out / name / file for name in shard_ranges(config) for file in shard]
elif verb in ("harvest", "sample"):
    files = [out / file for file in [*shard, "z.npy"]]
elif verb == "train":
    steps = snapshot_steps(resolve_variant(config, given["--variant"]))
    files = [out / f"snapshots/{step:06d}.safetensors" for step in steps]
    files += [out / file for file in ("generator.safetensors", "card.json", "log.csv")]
elif verb.startswith("table"):
    files = [out.with_suffix(suffix) for suffix in (".csv", ".html", ".md", ".tex")]
elif verb == "claims":
    files = [out.with_suffix(suffix) for suffix in (".md", ".html")]
elif verb == "metrics":
    files = [out.with_suffix(".json")]
elif verb.startswith("fig"):
    files = [out.with_suffix(suffix) for suffix in (".png", ".pdf")]
else:
    files = [out, *([Path(given["--intra"])] if "--intra" in given else [])]
for file in files:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(" ".join(words))
"""


@pytest.fixture(scope="module")
def finished(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which everything was made, by stand-ins that compute nothing."""
    top = tmp_path_factory.mktemp("finished") / "checkout"
    shutil.copytree(checkout, top, ignore=shutil.ignore_patterns("results", ".snakemake"))
    for script in [top / "tinygan" / "__main__.py", *(top / "analysis").glob("[!_]*.py")]:
        script.write_text("import os, sys\nsys.path.insert(0, os.getcwd())\n" + STAND_IN)
    snakemake(top, "all")
    return top


def test_a_second_run_has_nothing_to_do_and_temporary_files_are_gone(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished, "-n", "all")
    results = finished / "results" / "mini"
    assert sorted(p.name for p in (results / "images").iterdir() if any(p.rglob("*.npy"))) == [
        "real",
        "teacher",
        "teacher_pairs",
    ]
    assert {p.parent.name for p in (results / "features").rglob("*.npz")} == {"real"}


def test_one_missing_score_remakes_no_other_score_and_trains_nothing(finished: Path) -> None:
    (score := finished / "results" / "mini" / "scores" / "no_feat.json").rename(finished / "kept")
    found = jobs(snakemake(finished, "-n", "no_feat"))
    (finished / "kept").rename(score)
    del found["total"]
    assert found == {"features": 2, "sample": 2, "score": 1, "no_feat": 1}


@pytest.mark.parametrize(
    ("text", "runs", "rests"),
    [
        ("metrics: {is_splits: 5}", {"score": 10}, ["train_dw", "harvest", "real_features"]),
        (
            "variants: {dw: {loss: {pixel: 0.5}}}",
            {"train_dw": 1},
            ["train_std", "harvest"],
        ),
        ("teacher: {truncation: 0.5}", {"harvest": 4, "train_dw": 1}, ["real"]),
    ],
)
def test_a_changed_parameter_reruns_what_depends_on_it(
    finished: Path, text: str, runs: dict[str, int], rests: list[str]
) -> None:
    (finished / "changed.yaml").write_text(text)
    found = jobs(snakemake(finished, "all", "-n", configfiles=["changed.yaml"]))
    assert {name: found.get(name) for name in runs} == runs
    assert set(rests) & set(found) == set()


@pytest.mark.parametrize(
    ("module", "runs", "rests"),
    [
        ("tinygan/training/losses.py", {"train_dw", "score", "curve"}, {"harvest"}),
        ("tinygan/generation/sampling.py", {"sample", "score", "fig1"}, {"train_dw"}),
        ("tinygan/metrics/fid.py", {"score", "curve"}, {"train_dw", "real_features"}),
        ("tinygan/teacher/tfhub.py", {"harvest", "train_dw", "score"}, {"real"}),
        ("analysis/fig9.py", {"fig9"}, {"fig8", "score", "sample"}),
    ],
)
def test_changed_code_reruns_what_it_decides(
    finished: Path, module: str, runs: set[str], rests: set[str]
) -> None:
    path = finished / module
    before = path.read_text()
    path.write_text(before + "# changed\n")
    found = set(jobs(snakemake(finished, "-n", "all")))
    path.write_text(before)
    assert runs <= found and not rests & found


@pytest.mark.parametrize(
    ("config", "key", "name"),
    [
        ("variants: {harvest: {}}", "variants.harvest", "harvest"),
        ("variants: {real_features: {}}", "variants.real_features", "real_features"),
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
    assert len(commands) == 9
    for script, options in commands:
        done = subprocess.run(
            [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True
        )
        declared = set(re.findall(r"^  (--\w+) [A-Z]", done.stdout, re.MULTILINE))
        assert set(re.findall(r"--\w+", options)) == declared, script


def test_no_rule_has_a_folder_as_output() -> None:
    for path in (ROOT / "workflow").rglob("*.smk"):
        assert "directory(" not in path.read_text()


def test_dvc_lists_every_variant() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    variants = list(mini()["variants"])
    assert stages["train"]["foreach"] == variants
    assert stages["evaluate"]["metrics"] == [{"results/mini/metrics.json": {"persist": True}}]
    scores = [f"results/mini/scores/{source}.json" for source in ["real", "teacher", *variants]]
    assert [out for out in stages["evaluate"]["outs"] if "/scores/" in next(iter(out))] == [
        {score: {"persist": True}} for score in scores
    ]


def test_every_output_of_dvc_persists_so_that_none_is_deleted_before_it_is_made_again() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    for stage in (described.get("do", described) for described in stages):
        for out in (*stage["outs"], *stage.get("metrics", []), *stage.get("plots", [])):
            assert next(iter(out.values()))["persist"] is True


@pytest.mark.parametrize(
    "path", ["environment.yml", *sorted(p.relative_to(ROOT) for p in ROOT.glob("workflow/envs/*"))]
)
def test_the_pins_of_an_environment_are_those_of_the_lock(path: Path | str) -> None:
    def pins(lines: list[str]) -> dict[str, str]:
        found = dict(line.split("==") for line in lines if "==" in line and line[0] != "#")
        return {name.lower().replace("_", "-"): version for name, version in found.items()}

    lock = pins((ROOT / "requirements.lock").read_text().splitlines())
    environment = yaml.safe_load((ROOT / path).read_text())
    *_, pip = environment["dependencies"]
    found = pins(pip["pip"])
    assert found and found == {name: lock.get(name) for name in found}
