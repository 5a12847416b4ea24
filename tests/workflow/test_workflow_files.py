"""Files of the workflow that must agree: rules, stages of DVC."""

import yaml
from helpers.command_line import mini
from helpers.paths import ROOT


def test_no_rule_has_a_folder_as_output() -> None:
    rules = list((ROOT / "workflow" / "rules").glob("*.smk"))
    assert len(rules) >= 4
    assert [path.name for path in rules if "directory(" in path.read_text()] == []


def test_stages_of_dvc_list_every_variant() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    variants = list(mini()["variants"])
    assert stages["train"]["foreach"] == variants
    assert stages["evaluate"]["metrics"] == [{"results/mini/metrics.json": {"persist": True}}]
    scores = [f"results/mini/scores/{source}.json" for source in ["real", "teacher", *variants]]
    assert [out for out in stages["evaluate"]["outs"] if "/scores/" in next(iter(out))] == [
        {score: {"persist": True}} for score in scores
    ]


def test_every_output_of_dvc_persists() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    for stage in (described.get("do", described) for described in stages):
        for out in (*stage["outs"], *stage.get("metrics", []), *stage.get("plots", [])):
            assert next(iter(out.values()))["persist"] is True
