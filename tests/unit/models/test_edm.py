"""The denoiser against the formulas of Karras et al. 2022, and its file of weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tinygan.models.edm import PATCH, Denoiser, UNet, load_denoiser

SIGMA_DATA = 0.7


@pytest.fixture
def denoiser() -> Denoiser:
    """A small denoiser whose zeroed layers are not zero, so that every part shows."""
    torch.manual_seed(0)
    network = Denoiser(3, [8, 16], 12, SIGMA_DATA)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return network.eval()


def inputs(count: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.standard_normal((count, 1, 16, 16), dtype=np.float32))
    sigma = torch.from_numpy(np.exp(rng.normal(size=count)).astype(np.float32))
    return x, sigma, torch.arange(count) % 3


@torch.no_grad()
def test_the_denoiser_is_equation_7_with_the_factors_of_table_1(denoiser: Denoiser) -> None:
    x, sigma, y = inputs()
    s = sigma.numpy().astype(np.float64).reshape(-1, 1, 1, 1)
    c_skip = SIGMA_DATA**2 / (s**2 + SIGMA_DATA**2)
    c_out = s * SIGMA_DATA / np.sqrt(SIGMA_DATA**2 + s**2)
    c_in = 1 / np.sqrt(SIGMA_DATA**2 + s**2)
    c_noise = np.log(s) / 4
    inner = [torch.from_numpy(a.astype(np.float32)) for a in (c_in * x.numpy(), c_noise.ravel())]
    expected = c_skip * x.numpy() + c_out * denoiser.unet(*inner, y).numpy()
    np.testing.assert_allclose(denoiser(x, sigma, y).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_preconditioned_input_and_target_have_unit_variance() -> None:
    """What the factors are chosen for: appendix B.6, for normal data of that deviation."""
    rng, n = np.random.default_rng(2), 200_000
    network = Denoiser(1, [8], 4, SIGMA_DATA)
    for sigma in (0.01, 0.7, 20.0):
        data = SIGMA_DATA * rng.standard_normal(n)
        noisy = data + sigma * rng.standard_normal(n)
        factors = network.preconditioning(torch.tensor([sigma], dtype=torch.float64))
        c_skip, c_out, c_in, _ = (float(factor) for factor in factors)
        target = (data - c_skip * noisy) / c_out
        assert np.std(c_in * noisy) == pytest.approx(1, abs=0.01)
        assert np.std(target) == pytest.approx(1, abs=0.01)


def conv(x: np.ndarray, layer: nn.Conv2d) -> np.ndarray:
    """A convolution as sums over the shifts of the kernel."""
    weight, pad = layer.weight.detach().numpy(), layer.padding[0]
    height, width = x.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = sum(
        np.einsum("oi,nihw->nohw", weight[..., a, b], x[..., a : a + height, b : b + width])
        for a in range(weight.shape[2])
        for b in range(weight.shape[3])
    )
    return out + layer.bias.detach().numpy()[:, None, None]


def norm(x: np.ndarray, layer: nn.GroupNorm) -> np.ndarray:
    grouped = x.reshape(len(x), layer.num_groups, -1)
    mean, var = grouped.mean(-1, keepdims=True), grouped.var(-1, keepdims=True)
    flat = ((grouped - mean) / np.sqrt(var + layer.eps)).reshape(x.shape)
    weight, bias = (p.detach().numpy()[:, None, None] for p in (layer.weight, layer.bias))
    return flat * weight + bias


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def linear(x: np.ndarray, layer: nn.Linear) -> np.ndarray:
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def block(x: np.ndarray, condition: np.ndarray, layer: nn.Module) -> np.ndarray:
    h = conv(silu(norm(x, layer.norm_1)), layer.conv_1)
    scale, shift = np.split(linear(condition, layer.affine)[:, :, None, None], 2, axis=1)
    h = conv(silu(norm(h, layer.norm_2) * (1 + scale) + shift), layer.conv_2)
    skip = x if isinstance(layer.skip, nn.Identity) else conv(x, layer.skip)
    return (skip + h) / np.sqrt(2)


def reference(unet: UNet, x: np.ndarray, c_noise: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The U-Net of two levels in NumPy, float64."""
    angles = c_noise[:, None] * 2.0 ** np.arange(6)
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    embedded = unet.embedding.weight.detach().numpy()[y]
    condition = silu(linear(silu(linear(waves, unet.noise) + embedded), unet.condition))
    n, _, side, _ = x.shape
    patches = x.reshape(n, side // PATCH, PATCH, side // PATCH, PATCH).transpose(0, 2, 4, 1, 3)
    h = conv(patches.reshape(n, PATCH**2, side // PATCH, side // PATCH), unet.first)
    fine = block(h, condition, unet.down[0])
    pooled = fine.reshape(n, -1, side // 4, 2, side // 4, 2).mean((3, 5))
    coarse = block(pooled, condition, unet.down[1])
    h = block(coarse, condition, unet.middle)
    h = block(conv(np.concatenate([h, coarse], 1), unet.merge[0]), condition, unet.up[0])
    h = h.repeat(2, axis=2).repeat(2, axis=3)
    h = block(conv(np.concatenate([h, fine], 1), unet.merge[1]), condition, unet.up[1])
    h = conv(silu(norm(h, unet.norm)), unet.last)
    h = h.reshape(n, PATCH, PATCH, side // PATCH, side // PATCH).transpose(0, 3, 1, 4, 2)
    return h.reshape(n, 1, side, side)


@torch.no_grad()
def test_the_network_against_numpy(denoiser: Denoiser) -> None:
    x, sigma, y = inputs()
    c_noise = sigma.log() / 4
    found = denoiser.unet(x, c_noise, y).numpy()
    exact = (x.numpy().astype(np.float64), c_noise.numpy().astype(np.float64), y.numpy())
    expected = reference(denoiser.unet, *exact)
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_loaded_denoiser_is_the_saved_one(denoiser: Denoiser, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(denoiser.state_dict(), path)
    loaded = load_denoiser(path)
    assert not loaded.training and float(loaded.sigma_data) == pytest.approx(SIGMA_DATA)
    with torch.no_grad():
        found, expected = (network(*inputs()).numpy() for network in (loaded, denoiser))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_other_files_of_weights_are_refused(denoiser: Denoiser, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(FileNotFoundError, match="no weights of the diffusion model in .*weights"):
        load_denoiser(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match="a Git LFS pointer and not the file itself: run"):
        load_denoiser(path)
    save_file(denoiser.state_dict(), path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="does not have the weights of this network"):
        load_denoiser(path)
    save_file({"first.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(ValueError, match="does not have the weights of this network: .*embedding"):
        load_denoiser(path)
    save_file(denoiser.state_dict(), path)
    weights = load_file(path)
    del weights["unet.last.bias"]
    save_file(weights, path)
    with pytest.raises(ValueError, match="does not have the weights of this network: .*last.bias"):
        load_denoiser(path)
