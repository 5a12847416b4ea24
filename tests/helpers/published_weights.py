"""Files in the published formats, with random weights: the same names and shapes."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

CLASSES = 10
# BigGAN-deep's blocks: channels in and out in units of ch, the attention, and which ones double.
LAYERS = [
    (16, 16), (16, 16), (16, 16), (16, 8), (8, 8), (8, 4), (4, 4), (4, 2), None, (2, 2), (2, 1),
]  # fmt: skip
UPS = (1, 3, 5, 7, 10)


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


def tinygan_shapes(
    kind: str, widths: Sequence[int], classes: int, z_dim: int, embedding: int
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a generator with these widths at 4 px, 8 px and so on."""
    first, ch = 16 * widths[0], widths[-1]
    shapes: dict[str, tuple[int, ...]] = {"embeding.weight": (classes, embedding)}
    shapes |= {"fc.weight": (first, z_dim), "fc.bias": (first,)}
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


def tinygan_file(path: Path, kind: str = "dw", **changes: Tensor | None) -> dict[str, Tensor]:
    """Write a checkpoint as the authors' code does; a change of None leaves the tensor out."""
    weights = randoms(tinygan_shapes(kind, (16, 16, 8, 4), CLASSES, 6, 5), 1)
    for name, value in changes.items():
        weights.pop(name, None)
        if value is not None:
            weights[name] = value
    optimizer = {"state": {0: {"step": 3}}, "param_groups": [{"lr": 2e-4, "params": [0]}]}
    content = {"G": weights, "D": {"fc_src.bias": torch.zeros(1)}, "g_optimizer": optimizer}
    torch.save(content, path, _use_new_zipfile_serialization=False)  # as PyTorch 1.2 wrote it
    return weights


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


def sngan_file(path: Path, **changes: object) -> dict[str, Tensor]:
    weights = randoms(sngan_shapes(4, 6), 2)
    arrays = {name: value.numpy() for name, value in weights.items()}
    for name, value in changes.items():
        arrays.pop(name, None)
        if value is not None:
            arrays[name] = np.asarray(value)
    np.savez(path, **arrays)
    return weights


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
