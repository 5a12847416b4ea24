"""Files of the workflow that must agree: rules, stages of DVC."""

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
