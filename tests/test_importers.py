"""Weights from outside: files made here with random numbers, against the forward pass written out.

Each reference takes the foreign file's own tensors and uses plain tensor operations only.
"""

import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor

from tinygan.checkpoint import load_generator, read_card
from tinygan.cli import main
from tinygan.importers import biggan_torch, sngan_chainer, tinygan_authors
from tinygan.shards import open_shard
from tinygan.teacher.torch import handle_fingerprint, load_teacher

ATOL = 2e-5  # float32, images in [-1, 1]
CLASSES = 10


def randoms(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Random tensors: variances positive, counts integers, matrices scaled to keep the variance."""
    rng = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = OrderedDict()
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=rng)
        if name.endswith(("_var", "_vars")):
            value = 0.5 + value.abs()
        elif name.endswith(("num_batches_tracked", "/N")):
            value = torch.tensor(7)
        elif len(shape) > 1 and not name.endswith(("means", "gammas/W", "betas/W")):
            value /= math.sqrt(math.prod(shape[1:]))
        tensors[name] = value
    return tensors


def inputs(z_dim: int, classes: int = CLASSES) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(5)
    return torch.randn(3, z_dim, generator=rng), torch.tensor([0, 2, classes - 1])


def normalise(x: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tensor:
    return (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + eps)


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


# The authors' TinyGAN checkpoint.


def tinygan_shapes(kind: str, ch: int, z_dim: int, embedding: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a generator with three blocks."""
    widths = [4 * ch, 4 * ch, 2 * ch, ch]
    shapes: dict[str, tuple[int, ...]] = {"embeding.weight": (CLASSES, embedding)}
    shapes |= {"fc.weight": (64 * ch, z_dim), "fc.bias": (64 * ch,)}
    for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        for k, (c, d) in enumerate(((a, b), (b, b)), start=1):
            if kind == "dw":
                shapes[f"blocks.{i}.dw_conv{k}.weight"] = (c, 1, 3, 3)
                shapes[f"blocks.{i}.dw_conv{k}.bias"] = (c,)
                shapes[f"blocks.{i}.pw_conv{k}.weight"] = (d, c, 1, 1)
                shapes[f"blocks.{i}.pw_conv{k}.bias"] = (d,)
            else:
                shapes[f"blocks.{i}.conv{k}.weight"] = (d, c, 3, 3)
                shapes[f"blocks.{i}.conv{k}.bias"] = (d,)
            cbn = f"blocks.{i}.cbn{k - 1}"
            shapes |= {f"{cbn}.bn.running_mean": (c,), f"{cbn}.bn.running_var": (c,)}
            shapes |= {f"{cbn}.bn.num_batches_tracked": ()}
            shapes |= {f"{cbn}.embed.weight": (2 * c, embedding), f"{cbn}.embed.bias": (2 * c,)}
        shapes |= {f"blocks.{i}.c_sc.weight": (b, a, 1, 1), f"blocks.{i}.c_sc.bias": (b,)}
    for name in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"bn.{name}"] = (ch,)
    shapes |= {"bn.num_batches_tracked": (), "colorize.bias": (3,)}
    return shapes | {"colorize.weight": (3, ch, 3, 3)}


def tinygan_reference(w: dict[str, Tensor], z: Tensor, y: Tensor) -> Tensor:
    def cbn(x: Tensor, name: str) -> Tensor:
        affine = F.linear(w["embeding.weight"][y], w[f"{name}.embed.weight"])
        affine = (affine + w[f"{name}.embed.bias"])[:, :, None, None]
        half = affine.shape[1] // 2
        mean, var = w[f"{name}.bn.running_mean"], w[f"{name}.bn.running_var"]
        return affine[:, :half] * normalise(x, mean, var, 1e-5) + affine[:, half:]

    def conv(x: Tensor, block: str, k: int) -> Tensor:
        if f"{block}.conv{k}.weight" in w:
            weight = w[f"{block}.conv{k}.weight"]
            return F.conv2d(x, weight, w[f"{block}.conv{k}.bias"], padding=1)
        weight, bias = w[f"{block}.dw_conv{k}.weight"], w[f"{block}.dw_conv{k}.bias"]
        x = F.conv2d(x, weight, bias, padding=1, groups=x.shape[1])
        return F.conv2d(x, w[f"{block}.pw_conv{k}.weight"], w[f"{block}.pw_conv{k}.bias"])

    def up(x: Tensor) -> Tensor:
        side = 2 * x.shape[2]
        return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)

    h = F.linear(z, w["fc.weight"], w["fc.bias"]).reshape(len(z), -1, 4, 4)
    for i in range(3):
        b = f"blocks.{i}"
        r = conv(up(F.relu(cbn(h, f"{b}.cbn0"))), b, 1)
        r = conv(F.relu(cbn(r, f"{b}.cbn1")), b, 2)
        h = r + F.conv2d(up(h), w[f"{b}.c_sc.weight"], w[f"{b}.c_sc.bias"])
    h = normalise(h, w["bn.running_mean"], w["bn.running_var"], 1e-5)
    h = h * w["bn.weight"][:, None, None] + w["bn.bias"][:, None, None]
    return torch.tanh(F.conv2d(F.relu(h), w["colorize.weight"], w["colorize.bias"], padding=1))


def tinygan_file(path: Path, kind: str = "dw", **changes: Tensor | None) -> dict[str, Tensor]:
    """Write a checkpoint as the authors' code does; a change of None leaves the tensor out."""
    weights = randoms(tinygan_shapes(kind, 4, 6, 5), 1)
    for name, value in changes.items():
        weights.pop(name, None)
        if value is not None:
            weights[name] = value
    optimizer = {"state": {0: {"step": 3}}, "param_groups": [{"lr": 2e-4, "params": [0]}]}
    content = {"G": weights, "D": {"fc_src.bias": torch.zeros(1)}, "g_optimizer": optimizer}
    torch.save(content, path, _use_new_zipfile_serialization=False)  # as PyTorch 1.2 wrote it
    return weights


@pytest.mark.parametrize("kind", ["dw", "std"])
def test_the_authors_student_gives_the_images_of_its_own_forward_pass(
    tmp_path: Path, kind: str
) -> None:
    weights = tinygan_file(tmp_path / "model_30.tar", kind)
    student, recipe = tinygan_authors.read_student(tmp_path / "model_30.tar")
    assert recipe == {
        "architecture": kind, "channels": 4, "classes": CLASSES, "image_size": 32, "z_dim": 6,
        "embedding": 5,
    }  # fmt: skip
    z, y = inputs(6)
    with torch.no_grad():
        images = student(z, y)
    expected = tinygan_reference(weights, z, y)
    assert expected.std() > 0.1
    torch.testing.assert_close(images, expected, atol=ATOL, rtol=0)


@pytest.mark.parametrize("form", ["bare", "module"])
def test_a_bare_or_prefixed_state_dict_is_the_same_student(tmp_path: Path, form: str) -> None:
    weights = tinygan_file(tmp_path / "a.tar")
    if form == "bare":
        torch.save(weights, tmp_path / "b.tar")
    else:
        torch.save({"G": {f"module.{k}": v for k, v in weights.items()}}, tmp_path / "b.tar")
    first, _ = tinygan_authors.read_student(tmp_path / "a.tar")
    second, _ = tinygan_authors.read_student(tmp_path / "b.tar")
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_the_papers_dw_student_is_the_size_that_the_paper_gives(tmp_path: Path) -> None:
    """At full size: 3,070,659 parameters, 1,000 classes, 128 px."""
    widths = [512, 512, 256, 128, 64, 32]
    shapes = tinygan_shapes("dw", 4, 128, 128)
    shapes = {k: v for k, v in shapes.items() if not k.startswith("blocks.")}
    shapes |= {"embeding.weight": (1000, 128), "fc.weight": (8192, 128), "fc.bias": (8192,)}
    for name in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"bn.{name}"] = (32,)
    shapes["colorize.weight"] = (3, 32, 3, 3)
    for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        for k, (c, d) in enumerate(((a, b), (b, b)), start=1):
            block, cbn = f"blocks.{i}", f"blocks.{i}.cbn{k - 1}"
            shapes |= {f"{block}.dw_conv{k}.weight": (c, 1, 3, 3), f"{block}.dw_conv{k}.bias": (c,)}
            shapes |= {f"{block}.pw_conv{k}.weight": (d, c, 1, 1), f"{block}.pw_conv{k}.bias": (d,)}
            shapes |= {f"{cbn}.bn.running_mean": (c,), f"{cbn}.bn.running_var": (c,)}
            shapes |= {f"{cbn}.bn.num_batches_tracked": (), f"{cbn}.embed.bias": (2 * c,)}
            shapes |= {f"{cbn}.embed.weight": (2 * c, 128)}
        shapes |= {f"{block}.c_sc.weight": (b, a, 1, 1), f"{block}.c_sc.bias": (b,)}
    torch.save({"G": randoms(shapes, 0)}, tmp_path / "model.tar")
    student, recipe = tinygan_authors.read_student(tmp_path / "model.tar")
    assert sum(p.numel() for p in student.parameters()) == 3_070_659
    assert (recipe["channels"], recipe["classes"], recipe["image_size"]) == (32, 1000, 128)


# SNGAN-projection, a Chainer snapshot.


def sngan_shapes(ch: int, z_dim: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a generator with three blocks."""
    widths = [4 * ch, 4 * ch, 2 * ch, ch]
    shapes: dict[str, tuple[int, ...]] = {"l1/W": (64 * ch, z_dim), "l1/b": (64 * ch,)}
    for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False), start=2):
        convs = {"c1": (b, a, 3, 3), "c2": (b, b, 3, 3), "c_sc": (b, a, 1, 1)}
        for name, shape in convs.items():
            shapes |= {f"block{i}/{name}/W": shape, f"block{i}/{name}/b": (b,)}
        for name, c in (("b1", a), ("b2", b)):
            shapes |= {f"block{i}/{name}/{e}/W": (CLASSES, c) for e in ("gammas", "betas")}
            shapes |= {f"block{i}/{name}/{s}": (c,) for s in ("avg_mean", "avg_var")}
            shapes[f"block{i}/{name}/N"] = ()
    shapes |= {f"b5/{name}": (ch,) for name in ("gamma", "beta", "avg_mean", "avg_var")}
    return shapes | {"b5/N": (), "l5/W": (3, ch, 3, 3), "l5/b": (3,)}


def sngan_reference(w: dict[str, Tensor], z: Tensor, y: Tensor) -> Tensor:
    def cbn(x: Tensor, name: str) -> Tensor:
        x = normalise(x, w[f"{name}/avg_mean"], w[f"{name}/avg_var"], 2e-5)
        gain, bias = w[f"{name}/gammas/W"][y], w[f"{name}/betas/W"][y]
        return gain[:, :, None, None] * x + bias[:, :, None, None]

    h = (z @ w["l1/W"].T + w["l1/b"]).reshape(len(z), -1, 4, 4)
    for i in (2, 3, 4):
        b = f"block{i}"
        r = twice(F.relu(cbn(h, f"{b}/b1")))
        r = F.relu(cbn(F.conv2d(r, w[f"{b}/c1/W"], w[f"{b}/c1/b"], padding=1), f"{b}/b2"))
        r = F.conv2d(r, w[f"{b}/c2/W"], w[f"{b}/c2/b"], padding=1)
        h = r + F.conv2d(twice(h), w[f"{b}/c_sc/W"], w[f"{b}/c_sc/b"])
    h = normalise(h, w["b5/avg_mean"], w["b5/avg_var"], 2e-5)
    h = h * w["b5/gamma"][:, None, None] + w["b5/beta"][:, None, None]
    return torch.tanh(F.conv2d(F.relu(h), w["l5/W"], w["l5/b"], padding=1))


def sngan_file(path: Path, **changes: object) -> dict[str, Tensor]:
    weights = randoms(sngan_shapes(4, 6), 2)
    arrays = {name: value.numpy() for name, value in weights.items()}
    for name, value in changes.items():
        arrays.pop(name, None)
        if value is not None:
            arrays[name] = np.asarray(value)
    np.savez(path, **arrays)
    return weights


def test_sngan_gives_the_images_of_chainers_forward_pass(tmp_path: Path) -> None:
    weights = sngan_file(tmp_path / "g.npz")
    generator, recipe = sngan_chainer.read_generator(tmp_path / "g.npz")
    assert recipe == {"channels": 4, "classes": CLASSES, "image_size": 32, "z_dim": 6}
    z, y = inputs(6)
    with torch.no_grad():
        images = generator(z, y)
    expected = sngan_reference(weights, z, y)
    assert expected.std() > 0.1
    torch.testing.assert_close(images, expected, atol=ATOL, rtol=0)


# BigGAN-deep at 128 px, the published state dict.

LAYERS = [
    (16, 16),
    (16, 16),
    (16, 16),
    (16, 8),
    (8, 8),
    (8, 4),
    (4, 4),
    (4, 2),
    None,
    (2, 2),
    (2, 1),
]
UPS = (1, 3, 5, 7, 10)


def biggan_shapes(ch: int, classes: int, z_dim: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the 506 tensors."""
    shapes: dict[str, tuple[int, ...]] = {"embeddings.weight": (z_dim, classes)}

    def spectral(name: str, *shape: int, bias: bool = True) -> None:
        columns = math.prod(shape[1:])
        shapes[f"{name}.weight_orig"] = shape
        shapes.update({f"{name}.weight_u": shape[:1], f"{name}.weight_v": (columns,)})
        if bias:
            shapes[f"{name}.bias"] = shape[:1]

    def statistics(name: str, c: int) -> None:
        shapes.update({f"{name}.running_means": (51, c), f"{name}.running_vars": (51, c)})

    spectral("generator.gen_z", 256 * ch, 2 * z_dim)
    for i, factors in enumerate(LAYERS):
        layer = f"generator.layers.{i}"
        if factors is None:
            c = 2 * ch
            for part, a, b in (("theta", c, c // 8), ("phi", c, c // 8), ("g", c, c // 2)):
                spectral(f"{layer}.snconv1x1_{part}", b, a, 1, 1, bias=False)
            spectral(f"{layer}.snconv1x1_o_conv", c, c // 2, 1, 1, bias=False)
            shapes[f"{layer}.gamma"] = (1,)
            continue
        a, b = (ch * factor for factor in factors)
        ins, outs = [a, a // 4, a // 4, a // 4], [a // 4, a // 4, a // 4, b]
        for k, (c, d, kernel) in enumerate(zip(ins, outs, (1, 3, 3, 1), strict=True)):
            statistics(f"{layer}.bn_{k}", c)
            spectral(f"{layer}.bn_{k}.scale", c, 2 * z_dim, bias=False)
            spectral(f"{layer}.bn_{k}.offset", c, 2 * z_dim, bias=False)
            spectral(f"{layer}.conv_{k}", d, c, kernel, kernel)
    statistics("generator.bn", ch)
    shapes |= {"generator.bn.weight": (ch,), "generator.bn.bias": (ch,)}
    spectral("generator.conv_to_rgb", ch, ch, 3, 3)
    return shapes


def biggan_weights(ch: int = 8, classes: int = CLASSES, z_dim: int = 6) -> dict[str, Tensor]:
    """Random tensors with u and v as some steps of the power iteration leave them."""
    weights = randoms(biggan_shapes(ch, classes, z_dim), 3)
    for name in [name for name in weights if name.endswith("weight_u")]:
        stem = name.removesuffix("_u")
        matrix = weights[f"{stem}_orig"].flatten(1)
        u = weights[name]
        for _ in range(5):
            v = F.normalize(matrix.T @ u, dim=0)
            u = F.normalize(matrix @ v, dim=0)
        weights |= {f"{stem}_u": u, f"{stem}_v": v}
    return weights


def biggan_reference(w: dict[str, Tensor], z: Tensor, y: Tensor, row: int) -> Tensor:
    def weight(name: str) -> Tensor:
        stored = w[f"{name}.weight_orig"]
        u, v = w[f"{name}.weight_u"], w[f"{name}.weight_v"]
        return stored / torch.dot(u, torch.mv(stored.reshape(len(stored), -1), v))

    def standard(x: Tensor, name: str) -> Tensor:
        return normalise(x, w[f"{name}.running_means"][row], w[f"{name}.running_vars"][row], 1e-4)

    def cbn(x: Tensor, name: str) -> Tensor:
        gain = 1 + condition @ weight(f"{name}.scale").T
        bias = condition @ weight(f"{name}.offset").T
        return standard(x, name) * gain[:, :, None, None] + bias[:, :, None, None]

    def conv(x: Tensor, name: str, padding: int = 0) -> Tensor:
        return F.conv2d(x, weight(name), w.get(f"{name}.bias"), padding=padding)

    def attention(x: Tensor, name: str) -> Tensor:
        n, c, side, _ = x.shape
        theta = conv(x, f"{name}.snconv1x1_theta").reshape(n, c // 8, -1)
        phi = F.max_pool2d(conv(x, f"{name}.snconv1x1_phi"), 2).reshape(n, c // 8, -1)
        g = F.max_pool2d(conv(x, f"{name}.snconv1x1_g"), 2).reshape(n, c // 2, -1)
        map_ = torch.softmax(torch.einsum("nci,ncj->nij", theta, phi), dim=2)
        out = torch.einsum("ncj,nij->nci", g, map_).reshape(n, c // 2, side, side)
        return x + w[f"{name}.gamma"] * conv(out, f"{name}.snconv1x1_o_conv")

    one_hot = F.one_hot(y, w["embeddings.weight"].shape[1]).float()
    condition = torch.cat([z, one_hot @ w["embeddings.weight"].T], dim=1)
    h = condition @ weight("generator.gen_z").T + w["generator.gen_z.bias"]
    h = h.reshape(len(z), 4, 4, -1).permute(0, 3, 1, 2)
    for i, factors in enumerate(LAYERS):
        layer = f"generator.layers.{i}"
        if factors is None:
            h = attention(h, layer)
            continue
        r = conv(F.relu(cbn(h, f"{layer}.bn_0")), f"{layer}.conv_0")
        r = F.relu(cbn(r, f"{layer}.bn_1"))
        r = conv(twice(r) if i in UPS else r, f"{layer}.conv_1", padding=1)
        r = conv(F.relu(cbn(r, f"{layer}.bn_2")), f"{layer}.conv_2", padding=1)
        r = conv(F.relu(cbn(r, f"{layer}.bn_3")), f"{layer}.conv_3")
        skip = h[:, : r.shape[1]]
        h = r + (twice(skip) if i in UPS else skip)
    h = standard(h, "generator.bn")
    h = h * w["generator.bn.weight"][:, None, None] + w["generator.bn.bias"][:, None, None]
    return torch.tanh(conv(F.relu(h), "generator.conv_to_rgb", padding=1)[:, :3])


@pytest.fixture(scope="module")
def biggan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    path = tmp_path_factory.mktemp("biggan") / "biggan-deep-128.bin"
    weights = biggan_weights()
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    return path, weights


def test_the_format_is_the_published_one() -> None:
    shapes = biggan_shapes(128, 1000, 128)
    assert len(shapes) == 506
    extra = ("_u", "_v", ".running_means", ".running_vars")
    trained = [math.prod(shape) for name, shape in shapes.items() if not name.endswith(extra)]
    assert sum(trained) == 50_388_609


@pytest.mark.parametrize(("truncation", "row"), [(0.5, 25), (0.58, 29), (1.0, 50), (0.02, 1)])
def test_the_teacher_gives_the_images_of_the_published_forward_pass(
    biggan: tuple[Path, dict[str, Tensor]], truncation: float, row: int
) -> None:
    path, weights = biggan
    generator, statistics = biggan_torch.read_generator(path)
    chosen = biggan_torch.statistics_at(statistics, truncation)
    generator.load_state_dict(chosen, strict=False)
    z, y = inputs(6)
    with torch.no_grad():
        images = generator(z, y)
    expected = biggan_reference(weights, z, y, row)
    assert images.shape == (3, 3, 128, 128) and expected.std() > 0.1
    torch.testing.assert_close(images, expected, atol=1e-4, rtol=0)


def test_statistics_are_interpolated_linearly_between_rows() -> None:
    statistics = {"a.running_mean": torch.arange(51.0)[:, None].repeat(1, 2)}
    for truncation, expected in ((0.0, 0.0), (0.5, 25.0), (0.505, 25.25), (0.99, 49.5), (1, 50.0)):
        found = biggan_torch.statistics_at(statistics, truncation)["a.running_mean"]
        torch.testing.assert_close(found, torch.full((2,), expected))
    with pytest.raises(ValueError, match="not in 0 .. 1"):
        biggan_torch.statistics_at(statistics, 1.1)


def test_the_torch_teacher_is_a_function_of_arrays(
    biggan: tuple[Path, dict[str, Tensor]],
) -> None:
    path, weights = biggan
    sizes = {"z_dim": 6, "image_size": 128, "threads": 1}
    teacher = load_teacher(str(path), classes=8, **sizes)
    z, y = inputs(6, 8)
    first = teacher(z.numpy(), y.numpy(), 0.5)
    other = teacher(z.numpy(), y.numpy(), 1.0)
    assert first.shape == (3, 128, 128, 3) and first.dtype == np.uint8
    assert np.array_equal(first, teacher(z.numpy(), y.numpy(), 0.5))
    assert not np.array_equal(first, other)
    reference = biggan_reference(weights, z, y, 25).permute(0, 2, 3, 1).double().numpy()
    expected = np.floor(np.clip((reference + 1) / 2 * 256, 0, 255))
    assert np.abs(first - expected).max() <= 1 and (first != expected).mean() < 1e-2
    with pytest.raises(ValueError, match="labels must be in 0..7"):
        teacher(z.numpy(), np.array([0, 1, 8]), 0.5)
    with pytest.raises(FloatingPointError, match="NaN"):
        teacher(np.full((1, 6), np.nan), np.array([0]), 0.5)
    for wrong in ({"classes": 11}, {"z_dim": 7}, {"image_size": 64}):
        with pytest.raises(ValueError, match="10 classes, z of 6, images of 128 px"):
            load_teacher(str(path), **({"classes": 8} | sizes | wrong))
    assert len(handle_fingerprint(str(path))) == 64


# What is refused, and how.


def changed(weights: dict[str, Tensor], name: str, value: Tensor | None) -> dict[str, Tensor]:
    weights = dict(weights)
    weights.pop(name, None)
    return weights if value is None else weights | {name: value}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fc.weight", None, "it has no matrix fc.weight"),
        ("fc.weight", torch.zeros(100, 6), "fc.weight has 100 rows, which do not fit 3 blocks"),
        ("fc.bias", None, "1 missing (fc.bias)"),
        ("extra", torch.zeros(1), "1 unknown (extra)"),
        ("bn.weight", torch.zeros(5), "bn.weight has the shape [5], which does not fit"),
        ("bn.bias", torch.zeros(()), "bn.bias has the shape []"),
        ("bn.bias", torch.full((4,), torch.nan), "bn.bias has NaN or infinite values"),
        ("bn.bias", "text", "bn.bias is not an array of numbers"),
        ("blocks.1.cbn1.embed.bias", torch.zeros(15), "has the shape [15]"),
        ("blocks.7.c_sc.bias", torch.zeros(4), "its blocks are not 0, 1, 2"),
    ],
)
def test_a_wrong_student_is_refused(tmp_path: Path, name: str, value: object, message: str) -> None:
    tinygan_file(tmp_path / "m.tar", **{name: value})
    with pytest.raises(ValueError) as caught:
        tinygan_authors.read_student(tmp_path / "m.tar")
    assert message in str(caught.value) and str(tmp_path / "m.tar") in str(caught.value)


@pytest.mark.parametrize("content", [[1, 2], {"G": 3}, {"G": {"a": 1}}, {3: 4}, torch.zeros(2)])
def test_another_content_is_no_student_and_no_teacher(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "m.tar")
    for read in (tinygan_authors.read_student, biggan_torch.read_generator):
        with pytest.raises(ValueError, match=r"m\.tar is not a"):
            read(tmp_path / "m.tar")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("l1/W", None, "it has no matrix l1/W"),
        ("block2/b1/gammas/W", None, "it has no matrix block2/b1/gammas/W"),
        ("l1/W", np.zeros((100, 6)), "l1/W has 100 rows, which do not fit 3 blocks"),
        ("b5/beta", None, "1 missing (b5/beta)"),
        ("optimizer/t", np.zeros(1), "1 unknown (optimizer/t)"),
        ("l5/b", np.zeros(4), "l5/b has the shape [4], which does not fit to_rgb.bias [3]"),
        ("block3/b2/betas/W", np.zeros((9, 8)), "block3/b2/betas/W has the shape [9, 8]"),
        ("b5/avg_var", np.full(4, np.inf), "b5/avg_var has NaN or infinite values"),
        ("b5/N", np.array(None), "holds more than arrays of numbers"),
        ("b5/N", np.array("text"), "holds more than arrays of numbers"),
    ],
)
def test_a_wrong_snapshot_is_refused(
    tmp_path: Path, name: str, value: object, message: str
) -> None:
    sngan_file(tmp_path / "g.npz", **{name: value})
    with pytest.raises(ValueError) as caught:
        sngan_chainer.read_generator(tmp_path / "g.npz")
    assert message in str(caught.value) and str(tmp_path / "g.npz") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("embeddings.weight", None, "1 missing (embeddings.weight)"),
        ("generator.layers.11.gamma", torch.zeros(1), "1 unknown (generator.layers.11.gamma)"),
        ("embeddings.weight", torch.zeros(7), "E(y) or the last batch norm has another shape"),
        ("embeddings.weight", torch.zeros(7, 10), "has the shape [128, 12], which does not fit"),
        ("generator.gen_z.bias", torch.zeros(2047), "gen_z.bias has the shape [2047]"),
        ("generator.layers.2.conv_1.weight_v", torch.zeros(3), "the spectral norm of"),
        ("generator.layers.2.conv_1.weight_u", torch.zeros(32), "NaN or infinite"),
        ("generator.bn.running_means", torch.zeros(8), "running_means has the shape [8]"),
        ("generator.bn.running_means", torch.zeros(0, 8), "running_means has the shape [0, 8]"),
        ("generator.bn.running_means", torch.zeros(50, 8), "statistics of [50, 51] truncations"),
        ("generator.bn.running_vars", -torch.ones(51, 8), "not finite or are negative"),
        ("generator.bn.weight", 3, "generator.bn.weight is not an array of numbers"),
    ],
)
def test_a_wrong_teacher_is_refused(
    biggan: tuple[Path, dict[str, Tensor]],
    tmp_path: Path,
    name: str,
    value: object,
    message: str,
) -> None:
    torch.save(changed(biggan[1], name, value), tmp_path / "b.bin")
    with pytest.raises(ValueError) as caught:
        biggan_torch.read_generator(tmp_path / "b.bin")
    assert message in str(caught.value) and str(tmp_path / "b.bin") in str(caught.value)


READERS = {
    "tinygan": tinygan_authors.read_student,
    "biggan": biggan_torch.read_generator,
    "sngan": sngan_chainer.read_generator,
}


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", ["bare", "saved", "legacy", "member"])
def test_code_in_a_file_is_refused_and_does_not_run(tmp_path: Path, reader: str, form: str) -> None:
    mark, path = tmp_path / "ran", tmp_path / "evil"
    evil = {"G": {"embeding.weight": Touch(mark)}}
    if form == "bare":
        path.write_bytes(pickle.dumps(evil))
    elif form == "member":
        array = np.array([Touch(mark)], dtype=object)
        with open(path, "wb") as file:
            np.savez(file, **{"l1/W": array})
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=form == "saved")
    with pytest.raises(ValueError, match="evil"):
        READERS[reader](path)
    assert not mark.exists()
    Touch(mark).__reduce__()[0](mark)  # the mark would have shown it
    assert mark.exists()


@pytest.mark.parametrize("reader", READERS)
def test_a_truncated_or_foreign_file_is_refused(tmp_path: Path, reader: str) -> None:
    tinygan_file(tmp_path / "tinygan")
    torch.save(biggan_weights(), tmp_path / "biggan")
    sngan_file(tmp_path / "sngan.npz")
    (tmp_path / "sngan.npz").rename(tmp_path / "sngan")
    whole = (tmp_path / reader).read_bytes()
    path = tmp_path / "file"
    parts = [len(whole) * k // 10 for k in range(10)] + [len(whole) - 1, 1, 2, 10]
    for cut in parts:
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="file"):
            READERS[reader](path)
    path.write_text("no weights at all\n")
    with pytest.raises(ValueError, match="file"):
        READERS[reader](path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "nothing")
    with pytest.raises(ValueError, match="file"):
        READERS[reader](path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        READERS[reader](tmp_path / "absent")


# By hand: import, sample, harvest.


@pytest.fixture
def config(tmp_path: Path) -> dict:
    config = yaml.safe_load(Path("config.yaml").read_text())
    config["metrics"] |= {"samples_per_class": 4, "is_splits": 2, "batch": 3}
    return config


def run(tmp_path: Path, config: dict, verb: str, *arguments: object) -> int:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return main([verb, "--config", str(path), *map(str, arguments)])


def test_an_imported_student_is_sampled_like_ours(tmp_path: Path, config: dict) -> None:
    weights = tinygan_file(tmp_path / "model_30.tar")
    model, out = tmp_path / "model", tmp_path / "images"
    assert run(tmp_path, config, "import-tinygan", tmp_path / "model_30.tar", "--out", model) == 0
    card = read_card(model)
    assert card["truncation"] == 0.5 and card["imported_from"]["file"] == "model_30.tar"
    draw = ("sample", "--model", model, "--classes", "002-003", "--out", out)
    assert run(tmp_path, config, *draw) == 0
    shard = open_shard(out, verify=True)
    assert shard.labels.tolist() == [2] * 4 + [3] * 4
    assert np.abs(shard.z).max() <= 1 and shard.manifest["source"] == "tinygan_authors"
    expected = tinygan_reference(weights, torch.tensor(shard.z), torch.tensor(shard.labels))
    expected = np.floor((expected.permute(0, 2, 3, 1).numpy() + 1) / 2 * 256).clip(0, 255)
    assert np.abs(shard.images - expected).max() <= 1
    with pytest.raises(SystemExit):
        run(tmp_path, config, "import-tinygan", "--out", model)


def test_an_imported_sngan_is_sampled_with_an_untruncated_normal(
    tmp_path: Path, config: dict
) -> None:
    weights = sngan_file(tmp_path / "g.npz")
    model, out = tmp_path / "model", tmp_path / "images"
    assert run(tmp_path, config, "import-sngan", tmp_path / "g.npz", "--out", model) == 0
    assert type(load_generator(model)).__module__ == "tinygan.models.sngan"
    config["metrics"]["samples_per_class"] = 500
    draw = ("sample", "--model", model, "--classes", "004-004", "--out", out)
    assert run(tmp_path, config, *draw) == 0
    shard = open_shard(out)
    assert 0.97 < shard.z.std() < 1.03 and np.abs(shard.z).max() > 2.5  # 3,000 numbers
    z, y = torch.tensor(shard.z[:5]), torch.tensor(shard.labels[:5])
    expected = sngan_reference(weights, z, y).permute(0, 2, 3, 1).numpy()
    expected = np.floor((expected + 1) / 2 * 256).clip(0, 255)
    assert np.abs(shard.images[:5] - expected).max() <= 1
    assert shard.manifest["provenance"]["truncation"] is None


def test_a_model_of_fewer_classes_is_refused(
    tmp_path: Path, config: dict, capsys: pytest.CaptureFixture
) -> None:
    sngan_file(tmp_path / "g.npz")
    run(tmp_path, config, "import-sngan", tmp_path / "g.npz", "--out", tmp_path / "model")
    draw = ("sample", "--model", tmp_path / "model", "--classes", "009-010", "--out", "x")
    assert run(tmp_path, config, *draw) == 1
    assert "knows 10 classes, but class 10 is asked for" in capsys.readouterr().err


def test_a_torch_teacher_is_harvested_into_the_same_shards(
    tmp_path: Path, config: dict, capsys: pytest.CaptureFixture
) -> None:
    handle = tmp_path / "b.bin"
    weights = biggan_weights(z_dim=128)
    torch.save(weights, handle)
    config |= {"image_size": 128}
    config["loss"]["feature"] = [0.1] * 5
    config["teacher"] |= {"kind": "torch", "handle": str(handle), "truncation": 0.5, "batch": 2}
    config["teacher"]["sha256"] = handle_fingerprint(str(handle))
    out = tmp_path / "pairs"
    harvest = ("harvest", "--split", "evaluation", "--classes", "001-001", "--out", out)
    assert run(tmp_path, config, *harvest) == 0
    shard = open_shard(out, verify=True)
    assert shard.images.shape == (4, 128, 128, 3) and shard.z.shape == (4, 128)
    assert shard.manifest["provenance"]["teacher"] == config["teacher"]["sha256"]
    y = torch.tensor(shard.labels)
    expected = biggan_reference(weights, torch.tensor(shard.z), y, 25).permute(0, 2, 3, 1)
    expected = np.floor((expected.numpy() + 1) / 2 * 256).clip(0, 255)
    assert np.abs(shard.images - expected).max() <= 1
    config["teacher"]["sha256"] = "0" * 64
    assert run(tmp_path, config, *harvest) == 1
    assert f"but the config records {'0' * 64}" in capsys.readouterr().err
    del config["teacher"]["sha256"]
    config["teacher"]["handle"] = "absent.bin"
    assert run(tmp_path, config, *harvest) == 1
    assert "no weights in 'absent.bin'" in capsys.readouterr().err
