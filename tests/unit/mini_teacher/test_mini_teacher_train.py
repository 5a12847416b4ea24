import csv

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tinygan.mini_teacher.train import (
    MiniTeacherSettings,
    save_teacher,
    standing_statistics,
    train_teacher,
)
from tinygan.models.biggan_deep import Generator
from tinygan.seeding import stream, truncated_normal


def run(folder, **options):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    kept = []
    settings = {
        "steps": 4,
        "batch": 4,
        "group": 2,
        "embedding": 4,
        "generator_widths": [8, 8, 8],
        "discriminator_channels": 4,
        "generator_lr": 1e-3,
        "discriminator_lr": 1e-3,
        "ema": 0.9,
        "precision": "float32",
        "log_every": 2,
    }
    train_teacher(
        images,
        np.repeat([0, 1, 2], 4),
        MiniTeacherSettings(**(settings | options)),
        seed=0,
        z_dim=8,
        log=folder / "log.csv",
        snapshot_every=2,
        on_snapshot=lambda g, step: kept.append((step, g.first.weight.detach().clone())),
    )
    return kept


def test_two_runs_give_the_same_log_and_snapshots(tmp_path):
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert [step for step, _ in first] == [2, 4]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(first, second, strict=True))
    assert not torch.equal(first[0][1], first[1][1])
    with open(tmp_path / "a" / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(float(row["loss_d"]) > 0 for row in rows)


def test_a_snapshot_does_not_depend_on_the_number_of_steps(tmp_path):
    assert torch.equal(run(tmp_path / "a", steps=2)[0][1], run(tmp_path / "b", steps=4)[0][1])


def test_groups_must_fill_the_batch_and_fit_the_classes(tmp_path):
    with pytest.raises(ValueError, match="groups of 3 must fill a batch of 4"):
        run(tmp_path, group=3)
    with pytest.raises(ValueError, match="the smallest has 4"):
        run(tmp_path, group=8, batch=8)


def test_bfloat16_trains_float32_weights_to_other_numbers(tmp_path):
    exact, coarse = run(tmp_path / "a")[-1][1], run(tmp_path / "b", precision="bfloat16")[-1][1]
    assert coarse.dtype == torch.float32
    assert not torch.equal(exact, coarse)
    assert torch.allclose(exact, coarse, atol=0.05)


def test_nan_stops(tmp_path):
    with pytest.raises(FloatingPointError, match="losses at step"):
        run(tmp_path, generator_lr=1e30, discriminator_lr=1e30)


def test_standing_statistics_are_the_mean_over_batches_at_each_truncation(tmp_path):
    torch.manual_seed(0)
    generator = Generator(3, 8, 4, [8, 8])
    found = standing_statistics(generator, [0.0, 0.5], seed=1, z_dim=8, batches=3, batch=6)
    assert {v.shape[0] for v in found.values()} == {2}
    seen = []
    norm = generator.blocks[0].norms[0].norm
    norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    rng = stream(1, "teacher/standing")
    y = torch.arange(6) % 3
    for _ in range(3):
        generator(torch.from_numpy(truncated_normal(rng, 6, 8, 0.5)), y)
    means = torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0)
    variances = torch.stack([x.var((0, 2, 3)) for x in seen]).mean(0)
    name = "blocks.0.norms.0.norm"
    torch.testing.assert_close(found[f"{name}.running_mean"][1], means, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[f"{name}.running_var"][1], variances, rtol=1e-4, atol=1e-5)

    save_teacher(generator, [0.0, 0.5], tmp_path, seed=1, z_dim=8)
    state = load_file(tmp_path / "generator.safetensors")
    assert state[f"{name}.running_mean"].shape == (2, 8)
    assert not [key for key in state if key.endswith("num_batches_tracked")]
    trained = generator.to_rgb.weight.detach()
    assert not torch.equal(trained[0], trained[1])
    for channel in state["to_rgb.weight"]:
        torch.testing.assert_close(channel, trained.mean(0))
