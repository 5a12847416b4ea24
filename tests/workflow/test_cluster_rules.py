"""What jobs request of a cluster, and the profile that submits them."""

import json
import subprocess
import sys

import pytest
import yaml
from helpers.paths import ROOT

PROFILES = ROOT / "workflow" / "profiles"
# Prints what the jobs of every rule with a command request in the first two attempts.
REQUESTS = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings

with SnakemakeApi() as api:
    workflow = api.workflow(
        resource_settings=ResourceSettings(cores=2),
        config_settings=ConfigSettings(configfiles=[Path(path) for path in sys.argv[1:]]),
        snakefile=Path("workflow/Snakefile"),
    )._workflow
    print(json.dumps({
        rule.name: [rule._restart_times] + [
            [
                rule.resources[name].evaluate(None, attempt=attempt).value
                for name in ("mem_mb", "runtime")
            ]
            for attempt in (1, 2)
        ]
        for rule in workflow.rules
        if rule.shellcmd
    }))
"""


def requests(*configfiles: str) -> dict[str, list]:
    words = [sys.executable, "-c", REQUESTS, *configfiles]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def profile(name: str) -> dict:
    return yaml.safe_load((PROFILES / name / "config.yaml").read_text())


@pytest.mark.slow
def test_every_job_requests_memory_and_time_and_twice_as_much_when_retried() -> None:
    found = requests("config/paper.yaml")
    for name, (_, first, second) in found.items():
        assert 0 < min(first) and second == [2 * amount for amount in first], name
    # The paper preset on GPUs: 40 hours for a training, less than two for others but ONNX files,
    # whose images are drawn and extracted on the CPU.
    hours = {name: first[1] / 60 for name, (_, first, _) in found.items()}
    trainings = {name for name in found if name.startswith("train_")}
    assert 24 < hours["train_dw"] < 48
    assert 2 < hours["sample_export"] < 12
    assert max(hours[name] for name in found.keys() - trainings - {"sample_export"}) < 2


@pytest.mark.slow
def test_a_rule_is_never_retried_inside_its_own_allocation() -> None:
    """`retries` of a rule are repeated by the job itself; those of the profile are submitted."""
    assert profile("slurm")["retries"] > 0
    assert {retries for retries, *_ in requests("config.yaml").values()} == {None}


def test_the_profiles_decide_alike_what_is_stale() -> None:
    for key in ("max-checksum-file-size", "rerun-triggers", "quiet"):
        assert profile("slurm")[key] == profile("default")[key]


@pytest.mark.slow
def test_the_groups_of_the_slurm_profile_are_rules() -> None:
    groups = dict(entry.split("=") for entry in profile("slurm")["groups"])
    components = dict(entry.split("=") for entry in profile("slurm")["group-components"])
    rules = requests("config.yaml").keys() | requests("config/paper.yaml").keys()
    assert groups.keys() <= rules
    assert components.keys() <= set(groups.values())
    # Every table and figure: those scripts of analysis/ that are rules.
    scripts = {path.stem for path in (ROOT / "analysis").glob("*.py")} & rules
    others = {"cost", "cost_paper", "model_card", "provenance", "report_page"}
    assert {name for name in groups if groups[name] == "tables"} == scripts | others
