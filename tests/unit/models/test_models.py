from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tinygan.models import biggan_deep
from tinygan.models.discriminator import Discriminator
from tinygan.models.flops import count_parameters
from tinygan.models.layers import ConditionalBatchNorm
from tinygan.models.student import in_figure_order
from tinygan.models.students import build_student


def student(architecture="dw", channels=4, classes=3, image_size=32):
    return build_student(
        architecture=architecture,
        channels=channels,
        classes=classes,
        image_size=image_size,
        z_dim=128,
        embedding=128,
    )


@pytest.mark.parametrize(
    ("architecture", "channels", "expected"),
    [("dw", 32, 3_070_659), ("std", 32, 9_329_283), ("std", 16, 2_852_419)],
)
def test_parameters_at_128_px_are_the_authors(architecture, channels, expected):
    assert count_parameters(student(architecture, channels, 1000, 128)) == expected


def test_discriminator_parameters_at_128_px_are_the_authors():
    assert count_parameters(Discriminator(channels=32, classes=1000, image_size=128)) == 3_300_321


@pytest.mark.parametrize("architecture", ["dw", "std"])
def test_student_output(architecture):
    images = student(architecture)(torch.randn(5, 128), torch.tensor([0, 1, 2, 0, 1]))
    assert images.shape == (5, 3, 32, 32)
    assert images.abs().max() <= 1


@pytest.mark.parametrize("architecture", ["dw", "std"])
def test_the_order_of_figure_6_gives_the_same_images_and_gradients(architecture):
    network = student(architecture).double()
    z, y = torch.randn(5, 128, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1])
    found = []
    for context in (nullcontext(), in_figure_order(network), nullcontext()):
        with context:
            image = network(z, y)
        loss = (image * torch.linspace(-1, 1, 32, dtype=torch.float64)).sum()
        found.append((image, torch.autograd.grad(loss, list(network.parameters()))))
    (fast, gradients), (drawn, others), (after, _) = found
    torch.testing.assert_close(fast, drawn, rtol=0, atol=1e-12)
    torch.testing.assert_close(gradients, others, rtol=1e-9, atol=1e-9)
    assert torch.equal(after, fast) and not torch.equal(drawn, fast)


def test_class_and_z_both_matter():
    generator = student().eval()
    z = torch.randn(2, 128)
    same = generator(z[:1], torch.tensor([0]))
    assert not torch.equal(same, generator(z[1:], torch.tensor([0])))
    assert not torch.equal(same, generator(z[:1], torch.tensor([1])))


@pytest.mark.parametrize("size", [4, 33, 48])
def test_impossible_image_size_is_refused(size):
    with pytest.raises(ValueError, match=f"not {size}"):
        student(image_size=size)


def test_unknown_architecture_is_refused():
    with pytest.raises(ValueError, match="must be one of dw, std, not 'dww'"):
        student(architecture="dww")


def test_conditional_batch_norm_against_its_definition():
    layer = ConditionalBatchNorm(4, 6, affine=True)
    x, c = torch.randn(8, 4, 3, 3), torch.randn(8, 6)
    a, g, b = x.numpy().astype(np.float64), layer.gain, layer.bias
    mean, var = a.mean((0, 2, 3), keepdims=True), a.var((0, 2, 3), keepdims=True)
    gain = 1 + (c @ g.weight.T + g.bias).detach().numpy()[:, :, None, None]
    bias = (c @ b.weight.T + b.bias).detach().numpy()[:, :, None, None]
    expected = (a - mean) / np.sqrt(var + 1e-5) * gain + bias
    np.testing.assert_allclose(layer(x, c).detach().numpy(), expected, atol=1e-5)


def test_discriminator_features_and_projection():
    network = Discriminator(channels=4, classes=3, image_size=32).eval()
    x, y = torch.randn(2, 3, 32, 32), torch.tensor([2, 0])
    scores, features = network(x, y)
    assert [tuple(f.shape) for f in features] == [(2, 4, 16, 16), (2, 8, 8, 8), (2, 16, 4, 4)]
    pooled = features[-1].sum((2, 3))
    head = network.head
    expected = [
        (head.linear.weight[0] @ h + head.linear.bias[0] + head.embedding.weight[label] @ h).item()
        for h, label in zip(pooled, y, strict=True)
    ]
    np.testing.assert_allclose(scores.detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_discriminator_is_spectrally_normalised():
    network = Discriminator(channels=4, classes=3, image_size=16)
    for _ in range(50):  # one power iteration each
        network(torch.randn(2, 3, 16, 16), torch.tensor([0, 1]))
    for conv in network.eval().convs:
        largest = np.linalg.svd(conv.weight.detach().flatten(1).numpy())[1][0]
        assert largest == pytest.approx(1, abs=0.02)


def test_minibatch_deviation_is_that_of_each_group():
    network = Discriminator(channels=4, classes=3, image_size=16, group=2).eval()
    seen = []
    network.mix.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x, y = torch.randn(4, 3, 16, 16), torch.tensor([0, 0, 2, 2])
    x[1] = x[0]  # a group without variety
    x.requires_grad_()
    scores, features = network(x, y)
    appended = seen[0][:, -1].detach().numpy()
    h = features[-1].detach().numpy()
    expected = np.sqrt(((h[2] - h[3]) / 2) ** 2 + 1e-8).mean()
    assert np.allclose(appended[:2], 1e-4, rtol=1e-4)
    assert np.allclose(appended[2:], expected, rtol=1e-5)
    scores.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_biggan_deep_shapes():
    generator = biggan_deep.Generator(3, 8, 4, [16, 16, 8])
    images = generator(torch.randn(4, 8), torch.tensor([0, 1, 2, 0]))
    assert images.shape == (4, 3, 16, 16)


def test_upsampling_block_keeps_its_skip_path():
    block = biggan_deep.GeneratorBlock(8, 4, 5, up=True)
    torch.nn.init.zeros_(block.convs[3].weight)
    torch.nn.init.zeros_(block.convs[3].bias)
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(block(x, torch.randn(2, 5)), F.interpolate(x[:, :4], scale_factor=2))


def test_one_output_channel_is_repeated_to_rgb():
    arguments = {"architecture": "dw", "channels": 4, "classes": 3, "image_size": 32}
    arguments |= {"z_dim": 8, "embedding": 4}
    torch.manual_seed(0)
    grey, coloured = build_student(**arguments, image_channels=1), build_student(**arguments)
    z, y = torch.randn(2, 8), torch.tensor([0, 2])
    image = grey(z, y)
    assert image.shape == (2, 3, 32, 32)
    assert torch.equal(image[:, 0], image[:, 1]) and torch.equal(image[:, 0], image[:, 2])
    assert not torch.equal(coloured(z, y)[:, 0], coloured(z, y)[:, 1])
    assert count_parameters(coloured) - count_parameters(grey) == 2 * (4 * 9 + 1)
