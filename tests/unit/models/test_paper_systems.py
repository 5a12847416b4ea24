"""The systems of Table 1: layers against their definitions, networks against plain operations."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from tinygan.models import biggan_deep, sagan, sngan
from tinygan.models.layers import (
    ClassBatchNorm,
    ConditionalBatchNorm,
    SelfAttention,
    num_upsamplings,
)

SMALL = {"channels": 4, "classes": 3, "image_size": 32}


@pytest.fixture(autouse=True)
def float64():
    """Compute in float64, so that only what is wrong differs."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def randomise(module: nn.Module) -> None:
    """Give every parameter and statistic a value that is neither 0 nor 1."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.5)
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2)


def double(x):
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def halve(x):
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def close(found, expected):
    scale = expected.abs().max()
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-10)


def normalised(norm, x):
    mean, var = norm.running_mean[:, None, None], norm.running_var[:, None, None]
    return (x - mean) / (var + norm.eps).sqrt()


@pytest.mark.parametrize("size", [0, 4, 12, 48, 130])
def test_num_upsamplings_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=f"8, 16, 32, 64, ... px, not {size}"):
        num_upsamplings(size)


def test_num_upsamplings():
    assert [num_upsamplings(size) for size in (8, 16, 128)] == [1, 2, 5]


def test_attention_against_its_definition():
    layer = SelfAttention(16)
    randomise(layer)
    x = torch.randn(2, 16, 4, 6)
    maps = {
        name: getattr(layer, name).weight.detach().numpy()[:, :, 0, 0]
        for name in ("theta", "phi", "g", "o")
    }
    for image, found in zip(x.numpy(), layer(x).detach().numpy(), strict=True):
        flat = image.reshape(16, 24)

        def pooled(name, flat=flat):
            full = (maps[name] @ flat).reshape(-1, 2, 2, 3, 2)
            return full.max(axis=(2, 4)).reshape(-1, 6)

        scores = (maps["theta"] @ flat).T @ pooled("phi")
        weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        attended = maps["o"] @ (pooled("g") @ weights.T)
        expected = image + layer.gamma.item() * attended.reshape(image.shape)
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_attention_starts_as_the_identity():
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(SelfAttention(16)(x), x)


def test_class_batch_norm_against_its_definition():
    layer = ClassBatchNorm(4, 3, epsilon=0.1)
    x, y = torch.randn(6, 4, 5, 5), torch.tensor([0, 1, 2, 0, 1, 2])
    mean = x.mean((0, 2, 3), keepdim=True)
    plain = (x - mean) / (x.var((0, 2, 3), correction=0, keepdim=True) + 0.1).sqrt()
    close(layer(x, y), plain)  # a gain of 1 and a bias of 0
    randomise(layer)
    gain, bias = layer.gain.weight[y], layer.bias.weight[y]
    close(layer(x, y), plain * gain[:, :, None, None] + bias[:, :, None, None])


def test_epsilon_of_conditional_batch_norm():
    layer = ConditionalBatchNorm(4, 2, affine=False, epsilon=0.5).eval()
    x = torch.randn(1, 4, 3, 3)
    close(layer(x, torch.zeros(1, 2)), x / 1.5**0.5)


def test_sngan_generator_against_plain_operations():
    generator = sngan.Generator(**SMALL, z_dim=5).eval()
    randomise(generator)
    z, y = torch.randn(2, 5), torch.tensor([2, 0])

    def norm(layer, x):
        gain, bias = layer.gain.weight[y], layer.bias.weight[y]
        return (normalised(layer.norm, x) * gain[..., None, None] + bias[..., None, None]).relu()

    def conv(layer, x):
        return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)

    h = (z @ generator.first.weight.T + generator.first.bias).reshape(2, 16, 4, 4)
    for block in generator.blocks:
        inner = norm(block.norm2, conv(block.conv1, double(norm(block.norm1, h))))
        h = conv(block.conv2, inner) + conv(block.shortcut, double(h))
    gain, bias = generator.norm.weight[:, None, None], generator.norm.bias[:, None, None]
    h = (normalised(generator.norm, h) * gain + bias).relu()
    expected = conv(generator.to_rgb, h).tanh()
    assert [block.conv2.out_channels for block in generator.blocks] == [16, 8, 4]
    assert {m.eps for m in generator.modules() if isinstance(m, nn.BatchNorm2d)} == {2e-5}
    close(generator(z, y), expected)


@pytest.mark.parametrize("wide", [False, True])
def test_sngan_discriminator_against_plain_operations(wide):
    network = sngan.Discriminator(**SMALL, wide=wide).eval()
    x, y = torch.randn(2, 3, 32, 32), torch.tensor([2, 0])
    first, *middle, last = network.blocks
    hidden = [block.conv1.out_channels for block in network.blocks]
    assert hidden == ([4, 8, 16, 16] if wide else [4, 4, 8, 16])
    h = halve(first.conv2(first.conv1(x).relu())) + first.shortcut(halve(x))
    for block in middle:
        inner = block.conv2(block.conv1(h.relu()).relu())
        h = halve(inner) + halve(block.shortcut(h))
    h = (h + last.conv2(last.conv1(h.relu()).relu())).relu().sum((2, 3))
    expected = network.head.linear(h)[:, 0] + (network.head.embedding(y) * h).sum(1)
    close(network(x, y), expected)


def test_sagan_drops_only_biases_that_change_nothing():
    full = sngan.GeneratorBlock(4, 6, 3, epsilon=1e-5, bias=True)
    randomise(full)
    bare = sngan.GeneratorBlock(4, 6, 3, epsilon=1e-5, bias=False)
    bare.load_state_dict(full.state_dict(), strict=False)
    with torch.no_grad():
        bare.shortcut.bias += full.conv2.bias
    x, y = torch.randn(4, 4, 8, 8), torch.tensor([0, 1, 2, 0])
    close(bare(x, y), full(x, y))


@pytest.mark.parametrize(("module", "where"), [("Generator", 2), ("Discriminator", 1)])
def test_sagan_attends_at_its_resolution(module, where):
    shape = SMALL | {"channels": 8} | ({"z_dim": 5} if module == "Generator" else {})
    network = getattr(sagan, module)(**shape, attention=16)
    at = [i for i, block in enumerate(network.blocks) if isinstance(block, SelfAttention)]
    sides = []
    network.blocks[where].register_forward_hook(lambda m, i, o: sides.append(o.shape[1:]))
    given = torch.randn(2, 5) if module == "Generator" else torch.randn(2, 3, 32, 32)
    network(given, torch.tensor([0, 1]))
    assert at == [where]
    assert sides == [(16, 16, 16) if module == "Generator" else (8, 16, 16)]


@pytest.mark.parametrize("side", [32, 64])
def test_attention_at_full_resolution_is_refused(side):
    for build in (
        lambda: sagan.Generator(**SMALL, z_dim=5, attention=side),
        lambda: sagan.Discriminator(**SMALL, attention=side),
    ):
        with pytest.raises(ValueError, match=f"below 32 px, not at {side} px"):
            build()


@pytest.mark.parametrize(
    "network",
    [
        lambda: sagan.Generator(**SMALL | {"channels": 8}, z_dim=5, attention=16),
        lambda: sagan.Discriminator(**SMALL | {"channels": 8}, attention=16),
        lambda: biggan_deep.published(channels=8, classes=3, z_dim=5),
        lambda: biggan_deep.Discriminator(**SMALL, attention=16),
    ],
)
def test_every_weight_has_spectral_norm_one(network):
    for layer in network().modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert is_parametrized(layer, "weight")
            # 15 power iterations at the start, and as many here.
            for _ in range(15):
                weight = layer.weight
            norm = torch.linalg.matrix_norm(weight.detach().flatten(1), 2)
            assert norm.item() == pytest.approx(1, abs=0.1)


def test_sngan_generator_has_no_spectral_norm():
    assert not any(map(is_parametrized, sngan.Generator(**SMALL, z_dim=5).modules()))


def test_published_biggan_deep_against_plain_operations():
    generator = biggan_deep.published(channels=8, classes=3, z_dim=5).eval()
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.eps == 1e-4
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    nn.init.ones_(generator.blocks[8].gamma)
    z, y = torch.randn(2, 5), torch.tensor([2, 0])
    condition = torch.cat([z, generator.embedding.weight[y]], dim=1)

    def act(layer, x):
        gain = 1 + condition @ layer.gain.weight.T
        bias = condition @ layer.bias.weight.T
        return (normalised(layer.norm, x) * gain[..., None, None] + bias[..., None, None]).relu()

    h = (condition @ generator.first.weight.T + generator.first.bias).reshape(2, 128, 4, 4)
    widths = []
    for index, block in enumerate(generator.blocks):
        if index == 8:
            h = block(h)  # compared with its definition above
            continue
        up = double if index in (1, 3, 5, 7, 10) else lambda x: x
        inner = block.convs[0](act(block.norms[0], h))
        inner = block.convs[1](up(act(block.norms[1], inner)))
        inner = block.convs[2](act(block.norms[2], inner))
        inner = block.convs[3](act(block.norms[3], inner))
        h = inner + up(h)[:, : inner.shape[1]]
        widths.append(h.shape[1:3])
    gain, bias = generator.norm.weight[:, None, None], generator.norm.bias[:, None, None]
    h = (normalised(generator.norm, h) * gain + bias).relu()
    full = F.conv2d(h, generator.to_rgb.weight, generator.to_rgb.bias, padding=1)
    assert full.shape == (2, 8, 128, 128)
    sides = [(128, 4), (128, 8), (128, 8), (64, 16), (64, 16), (32, 32), (32, 32), (16, 64)]
    assert [tuple(w) for w in widths] == sides + [(16, 64), (8, 128)]
    close(generator(z, y), full[:, :3].tanh())


def test_biggan_deep_discriminator_against_plain_operations():
    network = biggan_deep.Discriminator(**SMALL, attention=8).eval()
    attention = [i for i, b in enumerate(network.blocks) if isinstance(b, SelfAttention)]
    assert attention == [4]
    nn.init.ones_(network.blocks[4].gamma)
    x, y = torch.randn(2, 3, 32, 32), torch.tensor([2, 0])
    h = network.first(x)
    for index, block in enumerate(network.blocks):
        if index == 4:
            h = block(h)
            continue
        down = halve if index in (0, 2, 5) else lambda x: x
        inner = h
        for conv in block.convs[:3]:
            inner = conv(inner.relu())
        inner = block.convs[3](down(inner.relu()))
        skip = down(h)
        if inner.shape[1] > skip.shape[1]:
            skip = torch.cat([skip, block.widen(skip)], dim=1)
        h = inner + skip
    assert h.shape == (2, 16, 4, 4)
    h = h.relu().sum((2, 3))
    expected = network.head.linear(h)[:, 0] + (network.head.embedding(y) * h).sum(1)
    close(network(x, y), expected)


def test_the_names_of_the_mini_teachers_weights_are_fixed():
    names = set(biggan_deep.Generator(3, 5, 2, [8, 8, 4]).state_dict())
    stem = ("embedding.weight", "first.weight", "first.bias", "to_rgb.weight", "to_rgb.bias")
    norm = ("running_mean", "running_var", "num_batches_tracked")
    expected = {*stem, "norm.weight", "norm.bias", *(f"norm.{name}" for name in norm)}
    for block in range(4):
        for index in range(4):
            layer = f"blocks.{block}.norms.{index}"
            expected |= {f"{layer}.gain.weight", f"{layer}.bias.weight"}
            expected |= {f"{layer}.norm.{name}" for name in norm}
            layer = f"blocks.{block}.convs.{index}"
            expected |= {f"{layer}.weight", f"{layer}.bias"}
    assert names == expected
