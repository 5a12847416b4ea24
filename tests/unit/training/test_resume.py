"""Resuming is exact: a stopped run ends with the bytes of an undisturbed one."""

import csv
import os
import random
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.command_line import TINY_STUDENT, mini, tinygan
from helpers.training_setup import (
    FULL,
    OBJECTIVES,
    PIXEL_ONLY,
    files,
    networks,
    run,
    settings,
    write_mini_stores,
)

from tinygan.files import sweep
from tinygan.training import losses
from tinygan.training.checkpoint import CheckpointFolder, Stopped, pack, unpack
from tinygan.training.loop import train
from tinygan.training.settings import TrainSettings


@pytest.fixture
def stop_at(monkeypatch):
    """Send SIGTERM in the middle of a step."""

    def arrange(stop: int | None) -> None:
        def rate_at(settings, step):
            if step == stop:
                os.kill(os.getpid(), signal.SIGTERM)
            return before(settings, step)

        monkeypatch.setattr(TrainSettings, "learning_rate_at", rate_at)

    before = TrainSettings.learning_rate_at
    return arrange


@pytest.mark.parametrize("stop", [1, 3, 4, 7])
@pytest.mark.parametrize("weights", OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_resumed_run_ends_with_the_bytes_of_an_unstopped_one(
    stores, tmp_path, stop_at, weights, stop
):
    """Two halves equal the whole: weights, snapshots, log; log_every and the stop do not align."""
    options = {"steps": 7, "log_every": 5, "snapshots": 3}
    whole = run(stores, tmp_path / "whole", weights, **options)
    state = CheckpointFolder(tmp_path / "state", {"run": 1})
    stop_at(stop)
    with pytest.raises(Stopped, match=f"stopped by SIGTERM after step {stop} of 7"):
        run(stores, tmp_path / "halves", weights, **options, checkpoints=state)
    assert not (tmp_path / "halves" / "generator.safetensors").exists()
    stop_at(None)
    run(stores, tmp_path / "halves", weights, **options, checkpoints=state)
    assert files(tmp_path / "halves") == files(whole)
    state.remove()
    assert not state.path.exists()


def test_a_run_resumes_after_its_outputs_were_deleted(stores, tmp_path, stop_at):
    """Snakemake does so with those of a failed job, the snapshots included."""
    options = {"steps": 6, "snapshots": 3}
    whole = run(stores, tmp_path / "whole", FULL, **options)
    out, state = tmp_path / "halves", CheckpointFolder(tmp_path / "state", {})
    stop_at(4)
    with pytest.raises(Stopped, match="stopped by SIGTERM after step 4 of 6"):
        run(stores, out, FULL, **options, checkpoints=state)
    for name in files(out):
        (out / name).unlink()
    stop_at(None)
    run(stores, out, FULL, **options, checkpoints=state)
    assert files(out) == files(whole)


def test_training_leaves_the_global_random_states_alone(stores, tmp_path, monkeypatch):
    generator, discriminator = networks()  # building draws the initial weights
    monkeypatch.setattr(
        "tinygan.training.step.build_networks", lambda settings: (generator, discriminator)
    )
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    train(settings(FULL, 3), *stores, tmp_path / "m")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]


def test_the_log_is_shown_live_and_a_resumed_run_shows_all_of_it(stores, tmp_path, stop_at):
    options = {"steps": 6, "log_every": 2, "snapshots": 1}
    state = CheckpointFolder(tmp_path / "state", {})
    stop_at(3)
    with pytest.raises(Stopped, match="stopped by SIGTERM after step 3 of 6"):
        run(stores, tmp_path / "a", FULL, **options, checkpoints=state, live=tmp_path / "live")
    stop_at(None)
    run(stores, tmp_path / "a", FULL, **options, checkpoints=state, live=tmp_path / "live")
    run(stores, tmp_path / "b", FULL, **options)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    with open(tmp_path / "a" / "log.csv") as file:
        rows = list(csv.DictReader(file))
    plots = tmp_path / "live" / "plots" / "metrics"
    for name in ("loss_feature", "pixel_weight", "learning_rate"):
        shown = list(csv.DictReader(open(plots / f"{name}.tsv"), delimiter="\t"))
        assert [int(row["step"]) for row in shown] == [2, 4, 6]
        assert [float(row[name]) for row in shown] == [float(row[name]) for row in rows]
    assert (plots / "images_per_second.tsv").is_file()


def test_a_checkpoint_of_another_run_is_named_and_not_resumed(stores, tmp_path, stop_at, capsys):
    restarted = run(stores, tmp_path / "restarted", FULL, learning_rate=2e-3)
    old = CheckpointFolder(tmp_path / "state", {"train": {"learning_rate": 1e-3}, "seed": 0})
    stop_at(3)
    with pytest.raises(Stopped, match="stopped by SIGTERM after step 3 of 4"):
        run(stores, tmp_path / "m", FULL, checkpoints=old)
    stop_at(None)
    new = CheckpointFolder(tmp_path / "state", {"train": {"learning_rate": 2e-3}, "seed": 0})
    run(stores, tmp_path / "m", FULL, learning_rate=2e-3, checkpoints=new)
    reason = "another run is not used (train.learning_rate was 0.001, is 0.002)"
    assert f"{reason}; starting from step 1" in capsys.readouterr().err
    assert files(tmp_path / "m") == files(restarted)
    # The first one is found again, where it was stopped.
    assert old.load()[1]["step"] == 3
    run(stores, tmp_path / "m", FULL, checkpoints=old)
    assert files(tmp_path / "m") == files(run(stores, tmp_path / "straight", FULL))


def test_the_last_three_checkpoints_of_a_variant_are_kept(tmp_path):
    states = [CheckpointFolder(tmp_path, {"rate": rate}) for rate in range(5)]
    for number, state in enumerate(states):
        state.save({"x": torch.ones(1)}, {"step": 1})
        os.utime(state.file, ns=(number, number))
        (tmp_path / "notes.txt").touch()
    assert [state.file.exists() for state in states] == [False, False, True, True, True]
    states[2].save({"x": torch.ones(1)}, {"step": 2})
    assert [state.file.exists() for state in states] == [False, False, True, True, True]
    assert (tmp_path / "notes.txt").exists()


def test_checkpoints_are_locked_by_one_live_process(tmp_path):
    state, other = CheckpointFolder(tmp_path, {"rate": 1}), CheckpointFolder(tmp_path, {"rate": 2})
    with state.locked():
        with pytest.raises(RuntimeError, match=rf"process {os.getpid()} is training with .*kill"):
            with other.locked():
                pass
    # The file has the id of a dead process, and nothing holds the lock.
    (tmp_path / "lock").write_text("1\n")
    with other.locked():
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"{}" * 9])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    state = CheckpointFolder(tmp_path / "state", {})
    state.save({"x": torch.ones(8)}, {"step": 1})
    state.file.write_bytes(damage(state.file.read_bytes()))
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors is damaged .*; delete it"):
        state.load()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("checkpoint_every", [0, 1e9])
def test_a_non_finite_loss_stops_with_step_and_term_and_keeps_the_last_checkpoint(
    stores, tmp_path, monkeypatch, bad, checkpoint_every
):
    pixel, calls = losses.TERMS["pixel"], []

    def broken(images):
        calls.append(None)
        return pixel.compute(images) * (bad if len(calls) == 5 else 1.0)

    monkeypatch.setitem(losses.TERMS, "pixel", replace(pixel, compute=broken))
    state = CheckpointFolder(tmp_path / "state", {})
    with pytest.raises(FloatingPointError, match=f"loss pixel is {bad} at step 5"):
        weights = PIXEL_ONLY | {"pixel_zero_at": None}
        run(
            stores,
            tmp_path / "m",
            weights,
            8,
            log_every=8,
            checkpoints=state,
            checkpoint_every=checkpoint_every,
        )
    assert not (tmp_path / "m" / "generator.safetensors").exists()
    kept = state.load()
    if checkpoint_every == 0:
        tensors, progress = kept
        assert progress["step"] == 4
        assert all(tensor.isfinite().all() for tensor in tensors.values())
    else:
        assert kept is None


def test_a_checkpoint_is_never_replaced_by_a_non_finite_one(tmp_path):
    state = CheckpointFolder(tmp_path / "state", {})
    state.save({"x": torch.ones(2)}, {"step": 1})
    with pytest.raises(FloatingPointError, match="y is not finite after step 2"):
        state.save({"x": torch.ones(2), "y": torch.tensor([1.0, float("nan")])}, {"step": 2})
    tensors, progress = state.load()
    assert tensors["x"].tolist() == [1, 1] and progress["step"] == 1


def test_an_optimizer_is_restored_in_the_memory_format_of_its_parameters():
    def build():
        network = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        return network, torch.optim.Adam(network.parameters(), 1e-2)

    def descend(network, optimiser):
        network(torch.ones(1, 3, 5, 5)).square().sum().backward()
        optimiser.step()
        optimiser.zero_grad()

    first, second = build(), build()
    descend(*first)
    kept = {name: tensor.clone() for name, tensor in pack("x", *first).items()}
    unpack(kept, "x", *second)
    for parameter in second[0].parameters():
        moments = second[1].state[parameter]
        assert moments["exp_avg"].stride() == parameter.stride()
        assert moments["step"] == 1
    for pair in (first, second):
        descend(*pair)
    assert torch.equal(first[0].weight, second[0].weight)


def test_sweep_and_remove_delete_only_their_own_files(tmp_path):
    mine = [".generator.0123abcd.safetensors", ".log.89abcdef.csv", ".tmp0UvrsA"]
    theirs = [
        ".tmp",
        ".tmpfile.txt",
        ".gitignore",
        ".log.csv",
        "log.0123abcd.csv",
        "generator.safetensors",
    ]
    for name in mine + theirs:
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(theirs)
    state = CheckpointFolder(tmp_path, {})
    state.save({"x": torch.ones(1)}, {"step": 1})
    state.remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(theirs)


def test_the_train_subcommand_resumes(tmp_path, stop_at, capsys):
    write_mini_stores(tmp_path)
    train = {"steps": 4, "batch": 4, "snapshots": 2, "log_every": 3}
    config = mini(train=train, student=TINY_STUDENT)

    def command(out: str, **changes: object) -> int:
        config["train"] |= changes
        words = ["--pairs", tmp_path / "pairs", "--real", tmp_path / "real"]
        words += ["--out", tmp_path / out, "--checkpoints", tmp_path / "checkpoints" / out]
        return tinygan(tmp_path, config, "train", "--variant", "dw", *words)

    stop_at(3)
    assert command("halves") == 1
    assert "stopped by SIGTERM after step 3 of 4" in capsys.readouterr().err
    stop_at(None)
    # These decide nothing, so a change of them is no reason to start again.
    config["device"] = "cpu" if torch.cuda.is_available() else "auto"
    assert command("halves", checkpoint_every=30, dvclive=True) == 0
    assert (tmp_path / "halves.live" / "metrics.json").is_file()
    assert "another run" not in capsys.readouterr().err
    assert command("whole") == 0
    assert files(tmp_path / "halves") == files(tmp_path / "whole")
    # The same training again comes from the checkpoint, without a step.
    trained = files(tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole")
    stop_at(1)
    assert command("whole") == 0
    assert "already trained to step 4" in capsys.readouterr().err
    assert files(tmp_path / "whole") == trained
    # The two runs of one variant are kept apart.
    rate = config["train"]["learning_rate"]
    assert command("halves", learning_rate=0.5) == 1
    assert f"train.learning_rate was {rate}, is 0.5" in capsys.readouterr().err
    assert command("halves", learning_rate=rate) == 0
    assert files(tmp_path / "halves") == trained
