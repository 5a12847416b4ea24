"""DVC as the second door to a run: what it repeats, compares, and does when Snakemake is running.

The round trip over a remote is in test_end_to_end.py.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from helpers.checkouts import command, jobs, snakemake, wait_until
from helpers.command_line import mini
from helpers.paths import ROOT
from helpers.repositories import ENVIRONMENT, commit, make_repository, run
from helpers.stand_ins import PAUSE

pytestmark = pytest.mark.slow

UP_TO_DATE = "Data and pipelines are up to date."
VARIANTS = list(mini()["variants"])


@pytest.fixture(scope="module")
def recorded(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a run of Snakemake that DVC has recorded; tests restore it."""
    top = tmp_path_factory.mktemp("recorded") / "run"
    shutil.copytree(finished, top)
    make_repository(top)
    run(top, "dvc", "commit", "-f")
    commit(top, "A run")
    return top


@pytest.fixture
def repository(recorded: Path) -> Iterator[Path]:
    """`recorded`, restored afterwards."""
    yield recorded
    restore(recorded)


def restore(checkout: Path) -> None:
    """Return to the recorded run, with the commands of the guide."""
    run(checkout, "git", "checkout", "-q", ".")
    run(checkout, "dvc", "checkout", "-f")


def set_pixel_loss(checkout: Path, variant: str, weight: float) -> None:
    """Change the pixel loss of one variant in config.yaml."""
    config = yaml.safe_load((checkout / "config.yaml").read_text())
    config["variants"][variant] = {"loss": {"pixel": weight}}
    (checkout / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def bytes_of(checkout: Path) -> dict[Path, bytes]:
    """Return every file of the models and DVC's record of them."""
    files = (checkout / "results/mini/models").rglob("*.*")
    return {path: path.read_bytes() for path in [*files, checkout / "dvc.lock"] if path.is_file()}


def test_after_snakemake_and_dvc_commit_neither_has_anything_to_do(repository: Path) -> None:
    assert UP_TO_DATE in run(repository, "dvc", "repro")
    assert run(repository, "git", "status", "--porcelain") == ""


def test_a_fresh_clone_has_no_record_of_a_run_and_everything_to_do(
    recorded: Path, tmp_path: Path
) -> None:
    assert run(ROOT, "git", "ls-files", "dvc.lock") == ""
    run(recorded, "git", "check-ignore", "dvc.lock", fails=True)
    run(tmp_path, "git", "clone", "-q", str(recorded), "clone")
    clone = tmp_path / "clone"
    run(clone, "git", "checkout", "-q", "HEAD~1")
    stages = ["real", "teacher", *(f"train@{name}" for name in VARIANTS), "evaluate", "provenance"]
    assert list(json.loads(run(clone, "dvc", "status", "--json"))) == stages
    assert run(clone, "git", "status", "--porcelain") == ""


def test_an_own_variant_and_another_preset_need_no_change_of_dvc_yaml(repository: Path) -> None:
    set_pixel_loss(repository, "mine", 0.3)
    listed = run(repository, "dvc", "stage", "list", "--name-only").split()
    assert [name[6:] for name in listed if name.startswith("train@")] == [*VARIANTS, "mine"]
    status = json.loads(run(repository, "dvc", "status", "--json"))
    assert set(status) == {"train@mine", "evaluate"}
    config = yaml.safe_load((repository / "config.yaml").read_text()) | {"preset": "other"}
    (repository / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert "results/other/models/mine" in run(repository, "dvc", "stage", "list")


def test_an_experiment_reruns_what_depends_on_its_setting(repository: Path) -> None:
    output = run(repository, "dvc", "exp", "run", "-S", "config.yaml:loss.pixel=0.4")
    stages = dict(re.findall(r"^Running stage '(\S+)':\n(.*?)(?=\Z|^Running)", output, re.M | re.S))
    # Without its weight of the pixel loss, `scratch` has nothing to train again.
    trained = [name for name in VARIANTS if name != "scratch"]
    found = {name: jobs(text) for name, text in stages.items()}
    assert found.pop("provenance") == {}
    assert found.pop("train@scratch") == {}
    evaluated = found.pop("evaluate")
    assert found == {
        f"train@{name}": {f"train_{name}": 1, f"models_{name}": 1, "total": 2} for name in trained
    }
    shown = ["table1", "table2", "variance", "score_sheet", "claims"]
    shown += ["fig1", "fig3", "fig7", "fig8", "fig9", "fig10", "fig11"]
    shown += ["interpolate", "interpolate_teacher", "smoothness"]
    # Figure 7 shows the previews of `scratch`, which stayed.
    expected = {"sample": 7, "score": 7, "curve": 1, "model_card": 7}
    expected |= dict.fromkeys([*shown, "provenance", "report_page", "all"], 1)
    assert evaluated == expected | {"total": sum(expected.values())}

    (values,) = json.loads(run(repository, "dvc", "params", "diff", "--json")).values()
    assert values == {"loss.pixel": {"old": 0.2, "new": 0.4, "diff": 0.2}}
    changes = json.loads(run(repository, "dvc", "metrics", "diff", "--json"))
    change = changes["results/mini/metrics/dw.json"]["fid"]
    assert change["old"] != change["new"]
    assert "Nothing to be done" in snakemake(repository, "-n", "all")

    restore(repository)
    assert UP_TO_DATE in run(repository, "dvc", "status")
    assert "Nothing to be done" in snakemake(repository, "-n", "all")


def test_a_stage_is_refused_while_snakemake_runs_and_loses_nothing(repository: Path) -> None:
    set_pixel_loss(repository, "dw", 0.5)
    before = bytes_of(repository)
    (repository / PAUSE).touch()
    running = subprocess.Popen(command("train_dw"), cwd=repository, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: list((repository / ".snakemake/locks").glob("*")), running)
        # A stage that has nothing to do would delete the lock of the run.
        for stage in ("teacher", "train@dw"):
            output = run(repository, "dvc", "repro", "-f", "-s", stage, fails=True)
            assert "error: Snakemake is already running in this folder; repeat" in output
            assert "Traceback" not in output
        assert list((repository / ".snakemake/locks").glob("*"))
        kept = bytes_of(repository)
        assert kept == {path: before[path] for path in kept}
    finally:
        (repository / PAUSE).unlink()
        assert running.wait() == 0
    assert "Nothing to be done" in run(repository, "dvc", "repro", "-s", "train@dw")


def test_snakemake_is_refused_while_a_stage_runs_and_loses_nothing(repository: Path) -> None:
    set_pixel_loss(repository, "dw", 0.6)
    (repository / PAUSE).touch()
    running = subprocess.Popen(
        ["dvc", "repro", "-s", "train@dw"],
        cwd=repository,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: list((repository / ".snakemake/locks").glob("*")), running)
        output = snakemake(repository, "all", fails=True)
        assert "Please make sure that no other Snakemake process" in output
        output = run(repository, "dvc", "commit", "-f", fails=True)
        assert re.search(r"is busy, it is being blocked by:\s+\(PID \d+\): .*dvc repro", output)
    finally:
        (repository / PAUSE).unlink()
        assert running.wait() == 0
    assert "Nothing to be done" in snakemake(repository, "-n", "train_dw")
    assert UP_TO_DATE in run(repository, "dvc", "status", "train@dw")
