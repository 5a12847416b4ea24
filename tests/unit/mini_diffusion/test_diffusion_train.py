"""The training of the mini diffusion model: its loss, its log, and that it repeats itself."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.command_line import mini, tinygan

from tinygan.data.shards import write_shard
from tinygan.mini_diffusion.train import (
    P_MEAN,
    P_STD,
    MiniDiffusionSettings,
    _batch,
    _rate,
    edm_loss,
    train_diffusion,
)
from tinygan.models.edm import Denoiser, load_denoiser

SECTION = {"steps": 3, "batch": 4, "widths": [8, 8], "embedding": 4, "learning_rate": 1e-3}
SECTION |= {"ema": 0.9, "log_every": 2, "threads": 1}


def grey(count: int = 12, side: int = 16) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, side, side, 1), dtype=np.uint8).repeat(3, axis=3)


def run(folder: Path, images: np.ndarray | None = None, **options: object) -> dict[str, bytes]:
    """Train for three steps; return the bytes of the files."""
    images = grey() if images is None else images
    settings = MiniDiffusionSettings(**(SECTION | options))
    train_diffusion(images, np.repeat([0, 1, 2], 4), settings, seed=0, folder=folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    first = run(tmp_path / "a")
    assert first == run(tmp_path / "b")
    assert first.keys() == {"denoiser.safetensors", "log.csv"}
    rows = list(csv.DictReader(first["log.csv"].decode().splitlines()))
    assert [row["step"] for row in rows] == ["2", "3"]
    assert all(0 < float(row["loss"]) < 5 for row in rows)
    network = load_denoiser(tmp_path / "a" / "denoiser.safetensors")
    pixels = grey()[..., 0] / 127.5 - 1
    assert float(network.sigma_data) == pytest.approx(pixels.std(ddof=1), rel=1e-5)
    assert network.unet.embedding.weight.shape == (3, 4)


def test_training_moves_every_weight(tmp_path: Path) -> None:
    run(tmp_path, steps=6)
    torch.manual_seed(0)
    trained = load_denoiser(tmp_path / "denoiser.safetensors").state_dict()
    # Layers that start at zero no longer are.
    assert all(trained[f"unet.{name}"].any() for name in ("last.weight", "middle.conv_2.weight"))


def test_the_loss_is_the_weighted_mean_of_equation_8() -> None:
    torch.manual_seed(0)
    network = Denoiser(3, [8], 4, 0.7)
    torch.nn.init.normal_(network.unet.last.weight, std=0.1)
    rng = np.random.default_rng(3)
    x, noise = (rng.standard_normal((5, 1, 8, 8), dtype=np.float32) for _ in range(2))
    sigma, y = np.exp(rng.normal(size=5)).astype(np.float32), np.array([0, 1, 2, 0, 1])
    arrays = [torch.from_numpy(array) for array in (x, y, sigma, noise)]
    noisy = torch.from_numpy(x + sigma[:, None, None, None] * noise)
    with torch.no_grad():
        found = float(edm_loss(network, *arrays))
        denoised = network(noisy, arrays[2], arrays[1]).numpy()
    weights = (sigma**2 + 0.49) / (sigma * 0.7) ** 2
    squared = ((denoised - x).astype(np.float64) ** 2).mean((1, 2, 3))
    assert found == pytest.approx(float((weights * squared).mean()), rel=1e-4)


def test_the_loss_of_a_new_network_is_one_for_normal_data() -> None:
    """Its last layer is zero, so it predicts c_skip x, and lambda c_out^2 = 1."""
    rng, network = np.random.default_rng(4), Denoiser(1, [8], 4, 0.7)
    x, noise = (torch.from_numpy(rng.standard_normal((64, 1, 32, 32))) for _ in range(2))
    sigma = torch.from_numpy(np.exp(rng.normal(size=64)))
    with torch.no_grad():
        loss = edm_loss(network.double(), 0.7 * x, torch.zeros(64, dtype=torch.long), sigma, noise)
    assert float(loss) == pytest.approx(1, abs=0.02)


def test_a_batch_is_of_real_images_half_of_them_mirrored() -> None:
    pixels = torch.arange(12.0).reshape(12, 1, 1, 1) + torch.tensor([0.0, 0.5])
    labels = np.repeat([0, 1, 2], 4)
    x, y, sigma, noise = _batch(pixels, labels, 4000, 0, 1)
    rows = x.min(dim=3).values.flatten().long()
    assert set(rows.tolist()) == set(range(12))
    assert torch.equal(y, torch.from_numpy(labels)[rows])
    assert float((x[..., 0] > x[..., 1]).float().mean()) == pytest.approx(0.5, abs=0.05)
    assert noise.shape == x.shape and float(noise.std()) == pytest.approx(1, abs=0.05)
    logs = sigma.log()
    assert float(logs.mean()) == pytest.approx(P_MEAN, abs=0.1)
    assert float(logs.std()) == pytest.approx(P_STD, abs=0.1)
    assert not torch.equal(noise, _batch(pixels, labels, 4000, 0, 2)[3])


def test_the_rate_rises_stays_and_falls_to_zero() -> None:
    rates = np.array([_rate(step, 1000) for step in range(1, 1001)])
    assert rates[0] == 0.01 and (rates[99:500] == 1).all()
    assert (np.diff(rates[500:]) < 0).all() and 0 < rates[-1] < 0.01


def test_colour_and_nan_stop(tmp_path: Path) -> None:
    images = grey()
    images[3, 4, 5, 0] ^= 1
    with pytest.raises(ValueError, match="needs grey images"):
        run(tmp_path / "a", images)
    with pytest.raises(FloatingPointError, match="the loss before step"):
        run(tmp_path / "b", learning_rate=1e30, steps=200)


def test_the_subcommand_needs_its_section_and_the_runs_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    labels = np.repeat(np.arange(10), 2)
    write_shard(tmp_path / "real", grey(20), labels, source="real", provenance={})
    words = ["train-diffusion", "--real", tmp_path / "real/manifest.json", "--out", tmp_path / "m"]
    assert tinygan(tmp_path, mini() | {"mini_diffusion": SECTION}, *words) == 0
    assert (tmp_path / "m" / "denoiser.safetensors").is_file()
    assert tinygan(tmp_path, mini(), *words) == 1
    assert "no section mini_diffusion: use config/mini_diffusion.yaml" in capsys.readouterr().err
    config = mini(teacher={"classes": [*reversed(mini()["classes"])]})
    assert tinygan(tmp_path, config | {"mini_diffusion": SECTION}, *words) == 1
    assert "learns the run's classes in their order" in capsys.readouterr().err
