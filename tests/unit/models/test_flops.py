"""Costs against Table 1 of the paper, an independent counter, and counts by hand."""

import copy
import csv
import sys
from pathlib import Path

import pytest
import thop
import torch
from helpers.command_line import PYTHON_TEACHER, mini, tinygan
from helpers.paths import ROOT
from thop.vision.basic_hooks import count_convNd
from torch import nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from tinygan.models import paper as systems
from tinygan.models import sagan
from tinygan.models.biggan_deep import ToRGB
from tinygan.models.flops import count_parameters, multiply_accumulates
from tinygan.models.student import in_figure_order
from tinygan.models.students import build_student


@pytest.fixture(scope="module")
def built():
    """Each system's generator, which holds shapes and no values, and its D's parameters."""
    found = {}
    for name, system in systems.SYSTEMS.items():
        generator, discriminator = system.build()
        found[name] = (generator.to("meta").eval(), count_parameters(discriminator))
    return found


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_table1_is_reproduced_to_its_printed_precision(name, built):
    generator, discriminator = built[name]
    total, own, macs = systems.SYSTEMS[name].printed
    ours = count_parameters(generator)
    assert f"{(ours + discriminator) / 1e6:.1f}" == total
    assert f"{ours / 1e6:.1f}" == own
    assert f"{multiply_accumulates(generator, systems.Z_DIM).layers / 1e9:.2f}" == macs


def test_the_printed_numbers_agree_with_the_analysis(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "analysis"), *sys.path])
    from paper import COST, PAPER

    for name, system in systems.SYSTEMS.items():
        total, own, macs = system.printed
        values = (system.channels, f"{total}e6", f"{own}e6", f"{macs}e9")
        assert [PAPER[name][key] for key in COST] == [float(value) for value in values]


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [
        ("teacher", 50_388_609, 34_590_210),
        ("std", 9_329_283, 3_300_321),
        ("std_half", 2_852_419, 3_300_321),
        ("dw", 3_070_659, 3_300_321),
    ],
)
def test_parameters_are_those_of_the_published_weights(name, generator, discriminator, built):
    assert (count_parameters(built[name][0]), built[name][1]) == (generator, discriminator)


def _convolution(module, inputs, output):
    count_convNd(module, inputs, output)
    module.total_ops += output.numel() if module.bias is not None else 0


def _batch_norm(module, inputs, output):
    module.total_ops += 2 * output.numel()


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_an_independent_counter_agrees_exactly(name, built):
    """thop, with its rules of 2020, when the paper was written: later ones leave out a bias."""
    expected = multiply_accumulates(built[name][0], systems.Z_DIM).layers
    generator = copy.deepcopy(built[name][0])
    for module in list(generator.modules()):
        if is_parametrized(module):
            remove_parametrizations(module, "weight")  # thop knows a layer by its type
    rules = dict.fromkeys((nn.Conv2d, ToRGB), _convolution) | {nn.BatchNorm2d: _batch_norm}
    inputs = (torch.zeros(1, 128, device="meta"), torch.zeros(1, dtype=int, device="meta"))
    with in_figure_order(generator):
        counted, _ = thop.profile(generator, inputs=inputs, custom_ops=rules, verbose=False)
    assert counted == expected


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_multiply_accumulates_of_a_student_by_hand(device):
    channels, side = 4, 8
    generator = build_student(
        architecture="std", channels=channels, classes=3, image_size=side, z_dim=128, embedding=128
    ).to(device)
    # One block: 128 -> 16 ch, 4 maps of the embedding, two 3x3 and one 1x1 at 8 px, to RGB.
    expected = 128 * 16 * channels + 4 * 128 * channels
    expected += side**2 * channels * (2 * 9 * channels + channels + 9 * 3)
    expected += side**2 * (3 * channels + 3)  # the convolutions' biases
    expected += 2 * channels * (side**2 // 4 + 2 * side**2)  # batch norm, at 4 px and twice at 8
    assert multiply_accumulates(generator, 128) == (expected, 0)
    assert generator.training


def test_multiply_accumulates_of_attention_by_hand():
    shape = {"channels": 8, "classes": 3, "image_size": 32, "z_dim": 5}
    counted = multiply_accumulates(sagan.Generator(**shape, attention=16), 5)
    # 256 positions attend to 64: products of length C / 8, then of C / 2 channels; C = 16.
    assert counted.attention == 256 * 64 * (2 + 8)


def read(path: Path) -> dict[str, dict[str, str]]:
    with open(path) as file:
        return {row["source"]: row for row in csv.DictReader(file)}


def test_cost_of_the_papers_systems(monkeypatch, tmp_path):
    half = systems.SYSTEMS["std_half"]
    monkeypatch.setattr(systems, "SYSTEMS", {"std_half": half})
    out = tmp_path / "cost_paper.csv"
    assert tinygan(tmp_path, mini(), "cost", "--paper", "--out", out) == 0
    assert read(out) == {
        "std_half": {
            "source": "std_half",
            "architecture": "std",
            "channels": "16",
            "parameters_total": "6152740",
            "parameters_generator": "2852419",
            "macs": "577761280",
            "macs_attention": "0",
            "paper_parameters_total": "6200000",
            "paper_parameters_generator": "2900000",
            "paper_macs": "580000000",
        }
    }


@pytest.mark.parametrize(
    ("teacher", "paper_size"),
    [
        ({"kind": "torch", "handle": "weights.bin"}, True),
        ({"kind": "tfhub", "handle": "https://tfhub.dev/deepmind/biggan-deep-128/1"}, True),
        ({"kind": "tfhub", "handle": "asset:biggan-deep-128"}, True),
        ({"kind": "tfhub", "handle": "resources/mini_teacher"}, False),
    ],
)
def test_cost_of_the_presets_teacher(teacher, paper_size, monkeypatch, tmp_path):
    stand_in = systems.System("biggan-deep", 128, systems.SYSTEMS["std_half"].build, ("", "", ""))
    monkeypatch.setattr(systems, "SYSTEMS", {"teacher": stand_in})
    out = tmp_path / "cost.csv"
    assert tinygan(tmp_path, mini(teacher=teacher), "cost", "--out", out) == 0
    assert (read(out)["teacher"]["parameters_generator"] == "2852419") == paper_size


def test_the_cost_of_a_python_function_is_unknown(tmp_path):
    config, out = mini(teacher=PYTHON_TEACHER), tmp_path / "cost.csv"
    assert tinygan(tmp_path, config, "cost", "--out", out) == 0
    assert set(read(out)) == set(config["variants"])
