"""The smoke preset on a real Slurm, beside a plain run.

Opt-in, see `make test-slurm`: about twenty minutes on two cores. On a cluster, put the clones on
the file system that all nodes share: `pytest tests/slurm --basetemp FOLDER`.
"""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from helpers.checkouts import command, jobs, snakemake, wait_until
from helpers.paths import ROOT
from helpers.slurm import job, jobs_of, options, slurm
from helpers.training_setup import files

SMOKE = ["config/smoke.yaml"]
STEPS = 400
# A GPU is requested, and the CPU used where PyTorch finds none. One training is long enough to be
# killed.
CHANGES = [
    "--config",
    "device=auto",
    f"variants={{dw: {{train: {{steps: {STEPS}, snapshots: 2, checkpoint_every: 1}}}}}}",
]
# What every run has its own of.
OWN = {"benchmarks", "checkpoints", "logs", "provenance.json", "provenance.rst", "report.html"}


def clone(folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with a finished run without Slurm."""
    checkout = clone(tmp_path_factory.mktemp("clones") / "plain")
    snakemake(checkout, "all", *CHANGES, configfiles=SMOKE)
    return checkout


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A clone with a finished run through Slurm, whose training of dw is killed; its output."""
    checkout = clone(tmp_path_factory.mktemp("clones") / "cluster")
    words = command("all", *options(), *CHANGES, configfiles=SMOKE)
    log = checkout / "snakemake.log"
    with open(log, "wb") as output:
        running = subprocess.Popen(words, cwd=checkout, stdout=output, stderr=output)
    try:
        saved = checkout / "results/smoke/checkpoints/dw"
        wait_until(lambda: list(saved.glob("*/checkpoint.safetensors")), running, 1800)
        slurm("scancel", *jobs_of("rule_train_dw", checkout))
        assert running.wait(3600) == 0, log.read_text()[-6000:]
    finally:
        running.terminate()
    return checkout, log.read_text()


def test_a_killed_training_is_retried_with_more_and_resumes(cluster) -> None:
    checkout, output = cluster
    first, second = jobs_of("rule_train_dw", checkout)
    assert f"SLURM-job '{first}' failed, SLURM status is: 'CANCELLED'" in output
    assert "Trying to restart job" in output
    requests = [job(number) for number in (first, second)]
    assert [request["JobState"] for request in requests] == ["CANCELLED", "COMPLETED"]
    assert [request["MinMemoryNode"] for request in requests] == ["2000M", "4000M"]
    assert [request["TimeLimit"] for request in requests] == ["00:30:00", "01:00:00"]
    assert [request["TresPerJob"] for request in requests] == ["gres:gpu:1"] * 2
    # The log is the second attempt's, which did not begin at the first step.
    log = (checkout / "results/smoke/logs/train/dw.log").read_text()
    steps = [int(step) for step in re.findall(rf"(\d+)/{STEPS} \[", log)]
    assert 0 < steps[0] < STEPS == steps[-1]


def test_small_jobs_share_submissions(cluster) -> None:
    _, output = cluster
    planned, submitted = jobs(output), output.count("has been submitted with SLURM jobid")
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    grouped = [entry for entry in profile["groups"] if entry.endswith("=tables")]
    tables = [entry.removesuffix("=tables") for entry in grouped]
    # The teacher's images go to `features` in the same job, all tables, figures and model cards are
    # one job, and one training was submitted twice; `all` runs nothing.
    saved = planned["harvest_evaluation"] + sum(planned[rule] for rule in tables) - 1
    assert submitted == planned["total"] - 1 - saved + 1


def test_every_result_has_the_bytes_of_a_plain_run(plain: Path, cluster) -> None:
    checkout, _ = cluster
    found, expected = (files(top / "results/smoke") for top in (checkout, plain))
    names = {name for name in expected if name.split("/")[0] not in OWN}
    assert len(names) > 90
    assert names == {name for name in found if name.split("/")[0] not in OWN}
    assert [name for name in sorted(names) if found[name] != expected[name]] == []


def test_a_plain_call_then_has_nothing_to_do(cluster) -> None:
    checkout, _ = cluster
    assert "Nothing to be done" in snakemake(checkout, "all", "-n", *CHANGES, configfiles=SMOKE)
