"""The plan of a run: amounts by hand, stated rates exactly, and one real measurement."""

import pytest
import yaml

from tinygan.cli import main
from tinygan.planning.plan import measure_steps, steps_of
from tinygan.planning.run import load


def amounts(config):
    return {step.name: (step.jobs, step.amount) for step in steps_of(config)}


def test_the_amounts_of_mini():
    found = amounts(load("config.yaml") | {"variants": {"dw": {}, "scratch": {}}})
    config = load("config.yaml")
    images = config["train"]["steps"] * 32
    assert found["harvest"] == (2, 10 * 600 + 10 * 200)
    assert found["train dw"] == found["train scratch"] == (1, images)
    assert found["sample dw 16"] == (2, 2 * 2000)
    # Jobs: of the real images, the pairs and the teacher. Images: also two variants', two curves'.
    assert found["features"] == (3, 10_000 + 6000 + 3 * 2000 + 2 * 6 * 1000)
    assert found["score"] == (4, 4 * 10)
    assert not [name for name in found if name.startswith("real")]


def test_every_seed_is_trained_sampled_and_scored():
    config = load("config.yaml") | {"variants": {"dw": {}, "pix_only": {}}}
    one = amounts(config)
    config["train"] |= {"seeds": [0, 1, 2]}
    three = amounts(config)
    for name in ("train dw", "train pix_only", "sample dw 16"):
        assert three[name] == tuple(3 * number for number in one[name])
    assert three["harvest"] == one["harvest"]
    # Also the images of six students, and of three curves of six points.
    assert three["features"] == (3, 10_000 + 6000 + 7 * 2000 + 3 * 6 * 1000)
    assert three["score"] == (8, 8 * 10)


def test_the_amounts_of_the_paper():
    config = load("config.yaml", "paper")
    found = amounts(config)
    assert found["real biggan"] == found["real sngan"] == (20, 510_530)
    assert found["harvest"] == (40, 398 * 3000 + 398 * 5000)
    assert found["train dw"] == (1, 1_119_375 * 32)
    by_name = {step.name: step for step in steps_of(config)}
    assert by_name["harvest"].measure is None  # not in the cache
    assert by_name["features"].measure is None


@pytest.mark.slow
def test_measured_steps_have_rate_and_memory_and_stated_rates_are_used():
    config = load("config.yaml", "smoke") | {"variants": {"pix_only": {"loss": {}}}}
    stated = {name: 10.0 for name in ("harvest", "sample", "features", "score")}
    steps = steps_of(config)
    found = {step.name: speed for step, speed in measure_steps(config, steps, stated)}
    assert found["features"].rate == 10 and found["features"].memory is None
    assert found["train pix_only"].rate > 1
    assert 100e6 < found["train pix_only"].memory < 2e9


def test_the_table_shows_amounts_over_rates(tmp_path, capsys):
    rates = ["real=100", "harvest=50", "train=1000", "train dw=2000", "sample=500", "score=0.5"]
    words = [word for rate in rates for word in ("--rate", rate)]
    assert main(["plan", "--preset", "paper", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in lines}
    assert rows["real biggan"][4] == "85.1 min"  # 510,530 / 100 s
    assert rows["train dw"][4] == "5.0 h"  # 1,119,375 * 32 / 2,000 s
    assert rows["train std"][4] == "9.9 h"  # 9.95 h
    assert rows["features"][3:5] == ["–", "–"]
    assert "total, without features" in rows
    assert any("--rate features=100" in line for line in lines)
    assert rows["the teacher's pairs"][1].strip(" |") == "59.3 GB"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rate", "harvest"], "--rate harvest: write STEP=NUMBER, e.g. harvest=250"),
        (["--rate", "harvest=-1"], "--rate harvest=-1: write STEP=NUMBER"),
        (["--rate", "fly=3"], "--rate fly: there is no such step; choose one of ['features'"),
        (["--preset", "papr"], "there is no preset papr; did you mean paper? (presets: mini_"),
    ],
)
def test_bad_options_are_refused(words, message, capsys):
    assert main(["plan", *words]) == 1
    assert message in capsys.readouterr().err


def test_a_preset_overlays_the_config_as_in_snakemake(tmp_path):
    below, above = load("config.yaml"), load("config.yaml", "smoke")
    changes = yaml.safe_load(open("config/smoke.yaml"))
    assert above["train"] == below["train"] | changes["train"]
    assert above["preset"] == "smoke" and above["student"] == below["student"]
