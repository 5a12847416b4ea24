"""Lists that must agree: code inputs of rules, deps of DVC stages, identities, imports."""

import ast
import re
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
import yaml

from tinygan.cli import _STANDALONE, _SUBCOMMANDS
from tinygan.cli.train import _identity
from tinygan.code import NEUTRAL, ROOT, STEPS, closure, code_of, file_of, roots_of
from tinygan.config.derived import resolve_variant
from tinygan.config.read import DEFAULT
from tinygan.planning.assets import EXTRACTOR_RULES, TEACHER_RULES
from tinygan.planning.run import load

HUB, LITE = "tinygan.teacher.tfhub", "tinygan.features.extractors.efficientnet_lite0"
STUDENTS = ["tinygan.models.students.dw", "tinygan.models.students.std"]
ANIMALS = "tinygan.data.real.animal_mnist"
CHOSEN = {
    "real": [ANIMALS],
    "harvest": [HUB, ANIMALS],
    "features": [LITE],
    "train": STUDENTS,
    "sample": [LITE, *STUDENTS],
    "curve": [LITE, *STUDENTS],
    "interpolate": STUDENTS,
    "interpolate-teacher": ["tinygan.teacher.mixtures_tfhub", ANIMALS],
    "smoothness": [LITE],
    "cost": STUDENTS,
    "speed": STUDENTS,
    "export": STUDENTS,
    "model-card": [ANIMALS],
}
# The commands that the rules of a stage call; the temporary files of `evaluate` are in no other.
STAGES = {
    "real": ["download", "real"],
    "teacher": ["harvest", "features"],
    "train": ["train"],
    "evaluate": [
        *("sample", "features", "score", "curve", "cost"),
        *("interpolate", "interpolate-teacher", "smoothness", "model-card"),
    ],
    "provenance": ["provenance"],
}


def names(paths) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in paths}


@pytest.mark.parametrize("step", STEPS)
def test_the_closure_agrees_with_modulefinder(step: str) -> None:
    """`modulefinder` follows the byte code, here within this project."""
    # Importing a command brings the package of all commands, which decides nothing.
    roots = [name for name in roots_of(step) if not name.startswith("tinygan.cli.")]
    finder = ModuleFinder(path=[str(ROOT)])
    for module in roots:
        finder.import_hook(module)
    found = {name for name in finder.modules if name.startswith("tinygan.") and file_of(name)}
    mine = {name for name in closure(*roots, neutral=frozenset()) if file_of(name)} - {"tinygan"}
    assert mine == found


def test_a_step_starts_from_all_that_its_command_imports() -> None:
    for step in STEPS:
        subcommands = _STANDALONE | _SUBCOMMANDS
        function, _ = subcommands[{"score": "score-features"}.get(step, step)]
        tree = ast.parse(Path(function.__code__.co_filename).read_text())
        (body,) = [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name == function.__name__
        ]
        imported = {
            node.module
            for node in ast.walk(body)
            if isinstance(node, ast.ImportFrom) and node.module.startswith("tinygan.")
        }
        missing = imported - NEUTRAL - closure(*roots_of(step)) - {"tinygan.code"}
        assert not missing, f"{step}: {sorted(missing)}"


def test_known_dependencies_are_in_the_closure() -> None:
    for step, module in (
        ("train", "training/distributed"),
        ("harvest", "teacher/open"),
        ("harvest", "classes/imagenet"),
        ("harvest", "data/real/animal_mnist"),
        ("cost", "training/losses"),
        ("features", "data/shards"),
        ("teacher-card", "data/shards"),
    ):
        assert f"tinygan/{module}.py" in names(code_of(step, *CHOSEN.get(step, [])))


def test_a_stage_of_dvc_depends_on_what_its_rules_depend_on() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for stage, steps in STAGES.items():
        described = stages[stage].get("do", stages[stage])
        listed = {dep for dep in described["deps"] if dep.startswith("tinygan/")}
        expected = set().union(*(names(code_of(step, *CHOSEN.get(step, []))) for step in steps))
        scripts = {"evaluate": "*.py", "provenance": "report.py"}.get(stage)
        if scripts:
            assert "analysis" in described["deps"]
            for script in (ROOT / "analysis").glob(scripts):
                modules = closure(f"analysis.{script.stem}")
                expected |= names(
                    path
                    for name in modules
                    if name.startswith("tinygan.") and (path := file_of(name))
                )
        wanted = "\n".join(f"      - {name}" for name in sorted(expected))
        assert listed == expected, f"deps of {stage} in dvc.yaml:\n{wanted}"


def test_the_identity_of_a_training_covers_the_code_of_its_rule() -> None:
    config = resolve_variant(load(DEFAULT), "dw")
    code = _identity(config, {})["code"]
    modules = {str(file_of(name).relative_to(ROOT)) for name in code if name != "torch"}
    assert modules == names(code_of("train", "tinygan.models.students.dw"))


def test_rules_name_steps_and_no_modules() -> None:
    """Every rule that runs the library has the code of the command that it calls."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"(?m)^ *(?=(?:use )?rule )", path.read_text())[1:]:
            called = re.search(r"python -m tinygan ([\w-]+)", rule)
            given = re.search(r'code=(?:lambda wildcards: )?code\(\s*"([\w-]+)"', rule)
            if called:
                assert given and given[1] == called[1], rule[:60]


def test_the_rules_whose_assets_are_looked_for_are_those_that_read_them() -> None:
    readers: dict[str, set[str]] = {"EXTRACTOR": set(), "TEACHER": set()}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"(?m)^ *(?=(?:use )?rule )", path.read_text())[1:]:
            # A rule that is made from another one reads what that one reads.
            name, other = re.match(r"(?:use )?rule (\w+)(?: as (\w+))?", rule).groups()
            if re.search(r"code\([^)]*\bEXTRACTOR\b", rule):
                readers["EXTRACTOR"].add(name)
            if re.search(r"code\([^)]*\b(TEACHER|MIXTURE)_CODE\b", rule):
                readers["TEACHER"].add(name)
            if other:
                for found in readers.values():
                    if name in found:
                        found.add(other)
    assert readers == {"EXTRACTOR": EXTRACTOR_RULES, "TEACHER": TEACHER_RULES}
