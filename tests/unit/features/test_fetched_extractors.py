"""DINOv2 and pytorch-fid's Inception on stand-ins: random weights under the published names."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.published_weights import randoms
from PIL import Image
from torch import nn

from tinygan.assets.cache import asset_path
from tinygan.assets.table import ASSETS
from tinygan.features import dinov2, inception_pytorch_fid
from tinygan.features.dinov2 import Shape, VisionTransformer, open_dinov2
from tinygan.features.extract import extract, open_extractor
from tinygan.features.inception_pytorch_fid import Inception
from tinygan.files import sha256

SMALL = Shape(width=24, depth=3, heads=4, patch=14, grid=5)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Return a function that puts a state dict into the cache as if it were the published file."""
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path))

    def put(asset: str, state: dict) -> Path:
        torch.save(state, asset_path(asset))
        known = dataclasses.replace(ASSETS[asset], sha256=sha256(asset_path(asset)))
        monkeypatch.setitem(ASSETS, asset, known)
        return asset_path(asset)

    return put


def random_state(network: nn.Module) -> dict:
    return dict(randoms({name: tuple(t.shape) for name, t in network.state_dict().items()}, seed=0))


def dinov2_state() -> dict:
    return random_state(VisionTransformer(SMALL)) | {"mask_token": torch.zeros(1, SMALL.width)}


def inception_state() -> dict:
    head = {"fc.weight": torch.randn(1008, 2048), "fc.bias": torch.randn(1008)}
    state = random_state(Inception())
    for name, tensor in state.items():
        if name.endswith("conv.weight"):
            tensor *= 2  # so that what differs between two images survives 94 layers
        elif name.endswith("bn.weight"):
            tensor.mul_(0.1).add_(1)
        elif name.endswith(("bn.bias", "running_mean")):
            tensor *= 0.1
    return state | head


def photos(count: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 4, 4, 3))
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    return coarse[:, rows][:, :, columns].astype(np.uint8)


# --- DINOv2


def cubic(t: float) -> float:
    """The kernel of Keys (1981) with a = -0.75."""
    t, a = abs(t), -0.75
    if t < 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def resized_by_definition(square: np.ndarray, size: int) -> np.ndarray:
    """Sample [G, G, C] bicubically at (i + 1/2) / s - 1/2, s = (size + 0.1) / G; edges repeated."""
    grid = len(square)
    weights = np.zeros((size, grid))
    for i in range(size):
        centre = (i + 0.5) * grid / (size + 0.1) - 0.5
        for k in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            weights[i, min(max(k, 0), grid - 1)] += cubic(centre - k)
    return np.einsum("ia,jb,abc->ijc", weights, weights, square)


def dinov2_by_encoder_layers(state: dict, x: torch.Tensor) -> torch.Tensor:
    """The same network from PyTorch's own layer; LayerScale is merged into the projections."""
    width = SMALL.width
    tokens = F.conv2d(
        x, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=14
    )
    side = tokens.shape[2]
    tokens = tokens.flatten(2).transpose(1, 2)
    tokens = torch.cat([state["cls_token"].expand(len(x), 1, width), tokens], dim=1)
    own, others = state["pos_embed"][0, :1], state["pos_embed"][0, 1:]
    square = resized_by_definition(others.reshape(SMALL.grid, SMALL.grid, width).numpy(), side)
    tokens = tokens + torch.cat([own, torch.from_numpy(square).float().flatten(0, 1)])
    for i in range(SMALL.depth):
        part = {k.removeprefix(f"blocks.{i}."): v for k, v in state.items() if f"blocks.{i}." in k}
        layer = nn.TransformerEncoderLayer(
            width, SMALL.heads, 4 * width, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True
        ).eval()
        scale1, scale2 = part["ls1.gamma"], part["ls2.gamma"]
        layer.load_state_dict(
            {
                "self_attn.in_proj_weight": part["attn.qkv.weight"],
                "self_attn.in_proj_bias": part["attn.qkv.bias"],
                "self_attn.out_proj.weight": scale1[:, None] * part["attn.proj.weight"],
                "self_attn.out_proj.bias": scale1 * part["attn.proj.bias"],
                "linear1.weight": part["mlp.fc1.weight"],
                "linear1.bias": part["mlp.fc1.bias"],
                "linear2.weight": scale2[:, None] * part["mlp.fc2.weight"],
                "linear2.bias": scale2 * part["mlp.fc2.bias"],
                **{
                    f"norm{j}.{k}": part[f"norm{j}.{k}"] for j in (1, 2) for k in ("weight", "bias")
                },
            }
        )
        tokens = layer(tokens)
    return F.layer_norm(tokens[:, 0], (width,), state["norm.weight"], state["norm.bias"], 1e-6)


@pytest.mark.parametrize("side", [84, 42])
def test_the_transformer_is_that_of_pytorchs_layers(side):
    """At more patches than it has positions for, and at fewer."""
    state = random_state(VisionTransformer(SMALL))
    model = VisionTransformer(SMALL).eval()
    model.load_state_dict(state)
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = dinov2_by_encoder_layers(state, x)
        torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-4)
    assert (expected[0] - expected[1]).abs().max() > 0.1
    assert model.positions(5) is model.pos_embed


def test_the_large_transformer_has_the_published_size():
    """304,368,640 parameters with the mask token: 1,217,474,560 of the file's 1,217,586,395 B."""
    with torch.device("meta"):
        model = VisionTransformer(Shape())
    state = model.state_dict()
    assert sum(tensor.numel() for tensor in state.values()) + 1024 == 304_368_640
    assert state["pos_embed"].shape == (1, 1370, 1024)
    assert state["blocks.23.attn.qkv.weight"].shape == (3072, 1024)


def test_dinov2_sees_224_px_normalised_as_imagenet(stand_in):
    path = stand_in("dinov2-vitl14", state := dinov2_state())
    images = photos(12, 40, 32)
    extractor = open_dinov2(1, shape=SMALL)
    features, logits = extract(images, extractor, batch=7)
    assert features.shape == (12, SMALL.width) and logits.shape == (12, 0)
    shown = [Image.fromarray(i).resize((224, 224), Image.Resampling.BICUBIC) for i in images]
    x = torch.from_numpy(np.stack([np.asarray(image) for image in shown])).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor(
        [0.229, 0.224, 0.225]
    )[:, None, None]
    del state["mask_token"]
    with torch.no_grad():
        expected = dinov2_by_encoder_layers(state, x)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-4)
    identity = extractor.name, extractor.sha256, extractor.input_size
    assert identity == ("dinov2_vitl14", sha256(path), 224)
    # Alone or beside others: the same features.
    np.testing.assert_array_equal(extract(images[5:6], extractor, batch=1)[0], features[5:6])


# --- Inception


def inception_by_names(state: dict, x: torch.Tensor) -> torch.Tensor:
    """Inception v3 as functions of the state dict, from the figures of Szegedy et al. (2016)."""

    def conv(name, x, stride=1, pad=(0, 0)):
        x = F.conv2d(x, state[f"{name}.conv.weight"], None, stride, pad)
        mean, variance, gain, bias = (
            state[f"{name}.bn.{key}"][:, None, None]
            for key in ("running_mean", "running_var", "weight", "bias")
        )
        return ((x - mean) / (variance + 1e-3).sqrt() * gain + bias).clamp(min=0)

    def mean_pool(x):
        inside = F.avg_pool2d(F.pad(torch.ones_like(x), (1, 1, 1, 1)), 3, 1)
        return F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1) / inside

    def max_pool(x):
        return F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-1.0), 3, 1)

    def shrink(x):
        return F.max_pool2d(x, 3, 2)

    def a(name, x):
        five = conv(f"{name}.branch5x5_2", conv(f"{name}.branch5x5_1", x), 1, (2, 2))
        three = conv(f"{name}.branch3x3dbl_2", conv(f"{name}.branch3x3dbl_1", x), 1, (1, 1))
        three = conv(f"{name}.branch3x3dbl_3", three, 1, (1, 1))
        pool = conv(f"{name}.branch_pool", mean_pool(x))
        return torch.cat([conv(f"{name}.branch1x1", x), five, three, pool], 1)

    def c(name, x):
        seven, double = conv(f"{name}.branch7x7_1", x), conv(f"{name}.branch7x7dbl_1", x)
        for i, pad in ((2, (0, 3)), (3, (3, 0))):
            seven = conv(f"{name}.branch7x7_{i}", seven, 1, pad)
        for i, pad in ((2, (3, 0)), (3, (0, 3)), (4, (3, 0)), (5, (0, 3))):
            double = conv(f"{name}.branch7x7dbl_{i}", double, 1, pad)
        pool = conv(f"{name}.branch_pool", mean_pool(x))
        return torch.cat([conv(f"{name}.branch1x1", x), seven, double, pool], 1)

    def e(name, x, pool):
        three = conv(f"{name}.branch3x3_1", x)
        double = conv(f"{name}.branch3x3dbl_2", conv(f"{name}.branch3x3dbl_1", x), 1, (1, 1))
        pairs = [("branch3x3_2", three), ("branch3x3dbl_3", double)]
        split = [
            conv(f"{name}.{branch}{end}", value, 1, pad)
            for branch, value in pairs
            for end, pad in (("a", (0, 1)), ("b", (1, 0)))
        ]
        pooled = conv(f"{name}.branch_pool", pool(x))
        return torch.cat([conv(f"{name}.branch1x1", x), *split, pooled], 1)

    x = conv("Conv2d_2a_3x3", conv("Conv2d_1a_3x3", x, 2))
    x = shrink(conv("Conv2d_2b_3x3", x, 1, (1, 1)))
    x = shrink(conv("Conv2d_4a_3x3", conv("Conv2d_3b_1x1", x)))
    for letter in "bcd":
        x = a(f"Mixed_5{letter}", x)
    three = conv("Mixed_6a.branch3x3dbl_2", conv("Mixed_6a.branch3x3dbl_1", x), 1, (1, 1))
    three = conv("Mixed_6a.branch3x3dbl_3", three, 2)
    x = torch.cat([conv("Mixed_6a.branch3x3", x, 2), three, shrink(x)], 1)
    for letter in "bcde":
        x = c(f"Mixed_6{letter}", x)
    three = conv("Mixed_7a.branch3x3_2", conv("Mixed_7a.branch3x3_1", x), 2)
    seven = conv("Mixed_7a.branch7x7x3_2", conv("Mixed_7a.branch7x7x3_1", x), 1, (0, 3))
    seven = conv("Mixed_7a.branch7x7x3_4", conv("Mixed_7a.branch7x7x3_3", seven, 1, (3, 0)), 2)
    x = torch.cat([three, seven, shrink(x)], 1)
    return e("Mixed_7c", e("Mixed_7b", x, mean_pool), max_pool).mean((2, 3))


def test_inception_is_its_figures_at_299_px(stand_in, monkeypatch):
    monkeypatch.setitem(inception_pytorch_fid.CHUNK, "cpu", 2)
    path = stand_in("inception-pytorch-fid", state := inception_state())
    images = photos(3, 50, 40)
    with open_extractor("inception_pytorch_fid", input_size=64, threads=1, device="cpu") as opened:
        features, logits = extract(images, opened, batch=3)
    assert features.shape == (3, 2048) and logits.shape == (3, 0)
    assert (opened.sha256, opened.input_size) == (sha256(path), 299)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    x = F.interpolate(x, (299, 299), mode="bilinear", align_corners=False)
    with torch.no_grad():
        expected = inception_by_names(state, 2 * x - 1).numpy()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5 * scale)
    assert np.abs(expected[0] - expected[1]).max() > 1e-2 * scale


def test_inception_has_the_published_size():
    """23,834,568 parameters with 1,000 classes (torchvision's count), so more with 1,008."""
    with torch.device("meta"):
        model = Inception()
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count + 1000 * 2049 == 23_834_568
    names = model.state_dict()
    assert "Mixed_7c.branch3x3dbl_3b.bn.running_var" in names and len(names) == 94 * 6


# --- Both


@pytest.mark.parametrize("asset", ["dinov2-vitl14", "inception-pytorch-fid"])
def test_the_hashes_are_those_of_the_published_files(asset):
    assert re.fullmatch("[0-9a-f]{64}", ASSETS[asset].sha256)
    named = re.search(r"-([0-9a-f]{8})\.pth", ASSETS[asset].path)
    assert asset != "inception-pytorch-fid" or ASSETS[asset].sha256.startswith(named[1])


def test_weights_that_have_not_been_fetched_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path))
    for name in ("dinov2_vitl14", "inception_pytorch_fid"):
        with (
            pytest.raises(FileNotFoundError, match=f"run `tinygan fetch {name.replace('_', '-')}`"),
            open_extractor(name, input_size=64, threads=1),
        ):
            pass


def test_a_changed_file_and_other_tensors_are_refused(stand_in):
    path = stand_in("dinov2-vitl14", dinov2_state() | {"norm.bias": torch.ones(3)})
    with pytest.raises(ValueError, match=r"norm.bias has the shape \[3\], which does not fit"):
        open_dinov2(1, shape=SMALL)
    stand_in("dinov2-vitl14", {"cls_token": torch.zeros(1, 1, 24), "head": torch.zeros(1)})
    with pytest.raises(ValueError, match="is not dinov2-vitl14: of its names, .* 1 unknown"):
        open_dinov2(1, shape=SMALL)
    stand_in("dinov2-vitl14", dinov2_state())
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="was published; delete it and run `tinygan fetch dinov2-"):
        open_dinov2(1, shape=SMALL)


def test_nothing_is_unpickled(stand_in, tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    stand_in("dinov2-vitl14", dinov2_state() | {"norm.bias": Trap()})
    with pytest.raises(ValueError, match="is refused: it is damaged, or contains more than"):
        open_dinov2(1, shape=SMALL)
    assert not (tmp_path / "ran").exists()


def test_an_image_of_224_px_is_not_resized():
    images = photos(2, 224, 224)
    assert dinov2.resize(images) is images
