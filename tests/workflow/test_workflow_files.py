"""Files of the workflow that must agree: rules, stages of DVC, pins of the environments."""

from pathlib import Path

import pytest
import yaml
from helpers.paths import ROOT


def test_no_rule_has_a_folder_as_output() -> None:
    rules = list((ROOT / "workflow" / "rules").glob("*.smk"))
    assert len(rules) >= 4
    assert [path.name for path in rules if "directory(" in path.read_text()] == []


def test_every_output_of_dvc_persists() -> None:
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
