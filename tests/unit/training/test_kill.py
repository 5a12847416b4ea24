"""A run that is killed at random moments ends with the bytes of an undisturbed one."""

import json
import multiprocessing
import random
import time
from pathlib import Path

import pytest
import torch
from helpers.training_setup import FULL, files, make_stores, run
from safetensors import safe_open
from safetensors.torch import load_file

from tinygan.data.shards import open_store
from tinygan.training.checkpoint import CheckpointFolder
from tinygan.training.settings import TrainSettings

STEPS, KILLS = 60, 20


def _train(data: Path, folder: Path, begun) -> None:
    """A run that keeps its state at every step and says which step it is at."""

    def rate_at(settings, step):
        begun.value = step
        return before(settings, step)

    before, TrainSettings.learning_rate_at = TrainSettings.learning_rate_at, rate_at
    torch.set_num_threads(1)
    options = {"steps": STEPS, "log_every": 7, "snapshots": 3}
    state = CheckpointFolder(folder / "state", {"run": 1})
    stores = [open_store(sorted((data / name).iterdir())) for name in ("pairs", "real")]
    begun.value = 0
    run(stores, folder / "m", FULL, **options, checkpoints=state, checkpoint_every=0)
    state.remove()


def _assert_whole(folder: Path) -> None:
    """Every file that bears its final name can be read to its end."""
    for path in folder.rglob("[!.]*.safetensors"):
        assert load_file(path)
    for path in folder.rglob("[!.]*.csv"):
        assert path.read_bytes().endswith(b"\r\n")
    for path in folder.rglob("[!.]*.json"):
        json.loads(path.read_text())


@pytest.mark.slow
def test_kill_9_at_random_moments_loses_at_most_one_interval(tmp_path):
    """A minute at most: what is killed are forks of a server that has imported all it needs."""
    make_stores(tmp_path)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tinygan.training.loop", "torch._dynamo", "pytest"])
    rng, kept_steps = random.Random(0), []
    begun = context.Value("i", -1, lock=False)
    state = CheckpointFolder(tmp_path / "killed" / "state", {"run": 1}).file
    deadline = time.monotonic() + 40
    while True:
        begun.value = -1
        process = context.Process(target=_train, args=(tmp_path, tmp_path / "killed", begun))
        process.start()
        if len(kept_steps) == KILLS or time.monotonic() > deadline:
            process.join(60)
            assert process.exitcode == 0
            break
        # At a random moment of loading, or of one of the next steps, however fast the machine is.
        last = max(kept_steps, default=0) + rng.randint(0, 5)
        while begun.value < last and process.is_alive():
            time.sleep(0.001)
        process.join(rng.uniform(0.0, 0.05))
        if process.exitcode == 0:
            break
        process.kill()
        process.join()
        _assert_whole(tmp_path / "killed")
        if state.exists():
            with safe_open(state, "pt") as file:
                kept_steps.append(json.loads(file.metadata()["run"])["progress"]["step"])
            assert kept_steps[-1] >= begun.value - 1
    assert len(kept_steps) >= 5 and kept_steps == sorted(kept_steps)
    assert not [path for path in (tmp_path / "killed").rglob(".*") if path.is_file()]
    assert not (tmp_path / "killed" / "state").exists()
    straight = context.Process(target=_train, args=(tmp_path, tmp_path / "straight", begun))
    straight.start()
    straight.join(60)
    assert files(tmp_path / "killed" / "m") == files(tmp_path / "straight" / "m")
