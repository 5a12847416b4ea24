"""Which rules request a GPU, and the environments that they get with it."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.checkouts import make_checkout, snakemake
from helpers.paths import ROOT

from tinygan import cli

pytestmark = pytest.mark.slow

# Prints the GPUs and the environment of every rule, by the name of the rule.
RULES = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings

with SnakemakeApi() as api:
    settings = ConfigSettings(config=json.loads(sys.argv[1]))
    workflow = api.workflow(
        resource_settings=ResourceSettings(cores=2),
        config_settings=settings,
        snakefile=Path("workflow/Snakefile"),
    )._workflow
    rules = {
        rule.name: [
            rule.resources["gpu"].value if "gpu" in rule.resources else 0,
            Path(str(rule.conda_env or "")).name,
        ]
        for rule in workflow.rules
    }
print(json.dumps(rules))
"""


def rules(**config: object) -> dict[str, tuple[int, str]]:
    words = [sys.executable, "-c", RULES, json.dumps(config)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name: tuple(found) for name, found in json.loads(done.stdout).items()}


def step(rule: str) -> str:
    """Return the subcommand of a rule."""
    is_student = rule.startswith("train_") and rule != "train_teacher"
    return "train" if is_student else rule.replace("_", "-")


def test_steps_that_claim_a_gpu_are_the_rules_that_request_one() -> None:
    """A subcommand calls `claim_gpus`, its rule has `gpu`; neither without the other."""
    claiming = {
        name
        for name, (function, _) in cli._SUBCOMMANDS.items()
        if "claim_gpus(" in inspect.getsource(function)
    } - {"plan"}
    found = rules(device="auto")
    requesting = {step(name) for name, (gpus, _) in found.items() if gpus}
    # Rules that call the subcommands harvest and sample.
    others = {"harvest-evaluation", "images"}
    assert requesting - others == claiming
    assert {"harvest", "sample"} <= claiming and others <= requesting
    assert {gpus for gpus, _ in found.values()} == {0, 1}


def test_on_the_cpu_no_rule_requests_a_gpu_or_its_libraries() -> None:
    found = rules(device="cpu")
    assert not any(gpus or "gpu" in env for gpus, env in found.values())
    assert found["harvest"][1] == "teacher.yaml" and found["train_dw"][1] == "torch.yaml"


def test_a_gpu_brings_the_environments_with_cuda() -> None:
    found = rules(device="cuda")
    assert found["harvest"] == (1, "teacher-gpu.yaml")
    assert found["train_dw"] == found["features"] == found["curve"] == (1, "torch-gpu.yaml")
    assert found["score"] == (0, "torch.yaml")
    inception = rules(device="cuda", metrics={"extractor": "inception_tf"})
    assert inception["features"] == (1, "teacher-gpu.yaml")
    assert inception["curve"] == (1, "environment.yml")
    on_gpu = rules(device="cuda", metrics={"extractor": "inception_torch"})
    assert on_gpu["features"] == on_gpu["curve"] == (1, "torch-gpu.yaml")
    for _, env in {*found.values(), *inception.values()}:
        path = ROOT / env if env == "environment.yml" else ROOT / "workflow" / "envs" / env
        assert not env or path.is_file()


def test_a_training_of_several_processes_requests_a_gpu_for_each() -> None:
    found = rules(device="auto", variants={"std": {"train": {"processes": 4}}})
    assert found["train_std"][0] == 4 and found["train_dw"][0] == 1


def test_jobs_take_turns_on_the_gpus_of_the_profile(tmp_path: Path) -> None:
    """Two jobs that record when they run: never at once with one GPU, at once with two."""
    checkout = make_checkout(tmp_path)
    for file in (checkout / "workflow").rglob("*.smk"):
        text = re.sub(
            r'(?s)"python -m tinygan harvest .*?2>&1"', '"' + HARVEST + '"', file.read_text()
        )
        file.write_text(text)
    words = ["--cores", "2", "--config", "device=auto", "classes_per_shard=5"]
    targets = [f"results/mini/images/teacher_pairs/{part}/manifest.json" for part in RANGES]
    for gpus, together in ((None, False), (2, True)):
        more = [] if gpus is None else ["--resources", f"gpu={gpus}", "--forceall"]
        snakemake(checkout, *targets, *words, *more)
        spans = [(checkout / f"{part}.txt").read_text().split() for part in RANGES]
        (first_start, first_end), (second_start, second_end) = sorted(spans)
        assert (second_start < first_end) == together


RANGES = ["000-004", "005-009"]
HARVEST = (
    "date +%s.%N > {wildcards.range}.txt && sleep 3 && date +%s.%N >> {wildcards.range}.txt"
    " && touch {output}"
)
