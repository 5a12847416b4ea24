"""Which assets a run lacks, and what `validate` says of them."""

from pathlib import Path

import pytest
from helpers.paths import ROOT

from tinygan.assets.cache import asset_path
from tinygan.cli import main
from tinygan.planning.assets import missing_assets
from tinygan.planning.run import load_files

GRAPH, HUB = "inception-graph", "biggan-deep-128-tfhub"
PAPER = ROOT / "config/paper.yaml"


def test_a_step_lacks_what_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path))
    sources = {"authors": "asset:tinygan-authors", "mine": "pictures"}
    config = load_files([PAPER], {"sources": sources})
    assert missing_assets(config) == [HUB, GRAPH, "tinygan-authors"]
    assert missing_assets(config, ["harvest", "train"]) == [HUB]
    assert missing_assets(config, ["harvest_evaluation"]) == [HUB]
    assert missing_assets(config, ["curve"]) == missing_assets(config, ["sample"]) == [GRAPH]
    assert missing_assets(config, ["source"]) == [GRAPH, "tinygan-authors"]
    assert missing_assets(config, ["score"]) == []
    in_torch = load_files([PAPER], {"metrics": {"extractor": "inception_torch"}})
    assert missing_assets(in_torch, ["features"]) == [GRAPH]
    asset_path(GRAPH).touch()
    assert missing_assets(config, ["features"]) == []
    lite = {"metrics": {"extractor": "efficientnet_lite0"}}
    torch = load_files([PAPER], lite | {"teacher": {"kind": "torch"}})
    assert missing_assets(torch) == ["biggan-deep-128-torch"]
    assert missing_assets(load_files([])) == []


def test_validate_says_what_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path))
    assert main(["validate", "--config", str(PAPER)]) == 0
    expected = f"not in the cache {tmp_path}: run `tinygan fetch {HUB} {GRAPH}`\n"
    assert expected in capsys.readouterr().out
