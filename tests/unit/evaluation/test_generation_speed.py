"""How long generators take: calls in turn by a fake clock, and the subcommand."""

import gc
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.paths import ROOT

from tinygan.cli import main
from tinygan.evaluation import speed
from tinygan.evaluation.speed import generator_call, per_image, time_calls

SHIPPED = ROOT / "resources" / "tinygan_dw_mini"


class Machine:
    """A clock that only calls advance; each has a first call that is slower."""

    def __init__(self, **seconds: float) -> None:
        self.now, self.called, self.seconds = 0.0, [], seconds

    def calls(self) -> dict:
        return {name: lambda name=name: self._call(name) for name in self.seconds}

    def _call(self, name: str) -> None:
        self.now += self.seconds[name] + (100.0 if name not in self.called else 0.0)
        self.called.append(name)

    def clock(self) -> float:
        return self.now


def test_every_call_is_timed_by_itself_and_the_warm_up_is_not() -> None:
    machine = Machine(fast=0.25, slow=2.0)
    found = time_calls(machine.calls(), min_calls=7, min_seconds=0, clock=machine.clock)
    assert list(found) == ["fast", "slow"]
    assert found["fast"].tolist() == [0.25] * 7
    assert found["slow"].tolist() == [2.0] * 7


def test_rounds_alternate_in_both_orders() -> None:
    machine = Machine(a=1.0, b=1.0, c=1.0)
    time_calls(machine.calls(), min_calls=4, min_seconds=0, clock=machine.clock)
    assert "".join(machine.called).endswith("abc" + "abccba" * 2)


def test_short_calls_are_repeated_until_they_took_long_enough() -> None:
    machine = Machine(a=0.25, b=0.75)
    found = time_calls(machine.calls(), min_calls=3, min_seconds=4.0, clock=machine.clock)
    # 8 s for two functions, 1 s per round
    assert [len(each) for each in found.values()] == [8, 8]


def test_the_garbage_collector_rests_meanwhile_and_is_restored() -> None:
    enabled = []
    time_calls({"a": lambda: enabled.append(gc.isenabled())}, min_calls=2, min_seconds=0)
    assert enabled[-2:] == [False, False]
    assert gc.isenabled()

    def fail() -> None:
        if not gc.isenabled():
            raise OSError("during the rounds")

    with pytest.raises(OSError, match="during the rounds"):
        time_calls({"a": fail}, min_calls=2, min_seconds=0)
    assert gc.isenabled()
    gc.disable()
    try:
        time_calls({"a": int}, min_calls=2, min_seconds=0)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_default_clock_leaves_out_waiting() -> None:
    found = time_calls({"a": lambda: time.sleep(0.02)}, min_calls=2, min_seconds=0)
    assert (found["a"] < 0.01).all()


def test_the_median_and_quartiles_are_per_image() -> None:
    # One call was interrupted.
    found = per_image([0.8, 0.4, 0.5, 0.6, 90.0], batch=4)
    assert found == {
        "calls": 5,
        "ms_per_image": pytest.approx(150),
        "ms_per_image_q1": pytest.approx(125),
        "ms_per_image_q3": pytest.approx(200),
        "images_per_second": pytest.approx(1000 / 150),
    }


def test_a_generator_draws_whole_batches_of_its_classes() -> None:
    one, many = generator_call(SHIPPED, 1)(), generator_call(SHIPPED, 12)()
    assert one.shape == (1, 32, 32, 3) and many.shape == (12, 32, 32, 3)
    assert one.dtype == many.dtype == np.uint8
    assert len(np.unique(many.reshape(12, -1), axis=0)) == 12


@pytest.fixture
def few_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speed, "BATCHES", (1, 3))
    monkeypatch.setattr(speed, "time_calls", partial(time_calls, min_calls=2, min_seconds=0))


@pytest.mark.usefixtures("few_calls")
def test_the_subcommand_writes_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    try:
        words = ["speed", "--model", "mini-dw", str(SHIPPED), "mini-dw", "--out", "a/speed.json"]
        assert main(words) == 0
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    found = json.loads(Path("a/speed.json").read_text())
    assert found["torch"] == torch.__version__
    assert found["threads"] == 1 and found["device"] == "cpu" and found["processor"]
    rows = [(row["model"], row["batch"], row["calls"]) for row in found["times"]]
    models = ["mini-dw", str(SHIPPED)]
    assert rows == [(model, batch, 2) for batch in (1, 3) for model in models]
    for row, line in zip(found["times"], capsys.readouterr().out.splitlines(), strict=True):
        assert 0 < row["ms_per_image_q1"] <= row["ms_per_image"] <= row["ms_per_image_q3"]
        assert row["images_per_second"] * row["ms_per_image"] == pytest.approx(1000)
        assert line.startswith(
            f"{row['model']}, batch {row['batch']}: {row['ms_per_image']:.2f} ms per image"
        )


@pytest.mark.usefixtures("few_calls")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "mini-dv"], "did you mean mini-dw?"),
        (["--model", "."], "it has no card.json"),
        (["--out", "."], "is a folder: give the name of a file"),
    ],
)
def test_what_cannot_be_timed_is_one_clear_line(words, message, capsys) -> None:
    assert main(["speed", *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygan speed: ") and message in error and error.count("\n") == 1
