"""The published PyTorch weights of BigGAN-deep at 128 px -> our `biggan_deep.Generator`.

A state dict of 506 tensors. Names on the left are theirs; the modules of ``generator.layers`` are
ours of ``blocks``, ten blocks and, as number 8, the attention:

    embeddings.weight [128, 1000]     embedding.weight, transposed
    generator.gen_z                   first; theirs gives H x W x C, ours C x H x W
    layers.i.bn_k.scale, offset       blocks.i.norms.k.gain, bias
    layers.i.bn_k.running_means       blocks.i.norms.k.norm.running_mean; running_vars alike
    layers.i.conv_k                   blocks.i.convs.k
    layers.8.snconv1x1_theta, phi, g, o_conv, gamma      blocks.8.theta, phi, g, o, gamma
    generator.bn                      norm
    generator.conv_to_rgb             to_rgb: the first 3 of its outputs, the others are unused

Every weight but E(y)'s and the last batch norm's is kept with its spectral norm, as
``weight_orig``, ``weight_u`` and ``weight_v``: W = weight_orig / (u^T weight_orig v), all outputs
of a convolution together. Batch-norm statistics have 51 rows, for the truncations 0, 0.02 .. 1.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from tinygan.models.biggan_deep import Generator
from tinygan.models.converters.foreign import (
    Origin,
    as_it_is,
    check_names,
    fill,
    read_torch,
    strip_module,
)

_WHAT = "a state dict of BigGAN-deep at 128 px"
_FACTORS = (16, 16, 8, 4, 2, 1)  # widths at 4 px .. 128 px, in units of ch
_ATTENTION = 8
_BLOCKS = [i for i in range(11) if i != _ATTENTION]
_PLAIN = ("embeddings.weight", "generator.bn.weight")  # the weights without spectral norm
_EPSILON = 1e-4


def read_generator(path: Path) -> tuple[Generator, dict[str, Tensor]]:
    """Read the generator, its spectral norms folded into the weights.

    The number of classes, the length of z and the width follow from the shapes.

    Returns:
        the generator in evaluation mode, with the batch-norm statistics of truncation 1; and the
        statistics of all truncations: for each batch norm ``name``, ``name.running_mean`` and
        ``name.running_var``, float [rows, C], row r for the truncation r / (rows - 1).

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a state dict: other names or shapes, damaged, or code in it.
    """
    found = read_torch(path)
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise ValueError(f"{path} is not {_WHAT}")
    found = strip_module(found)
    origins = _origins()
    check_names(path, _WHAT, found, _stored(foreign for foreign, _ in origins.values()))
    found = _fold(path, found)
    embedding, last = found["embeddings.weight"], found["generator.bn.weight"]
    if embedding.ndim != 2 or last.ndim != 1:
        raise ValueError(f"{path} is not {_WHAT}: E(y) or the last batch norm has another shape")
    (z_dim, classes), channels = embedding.shape, len(last)
    widths = [channels * factor for factor in _FACTORS]
    generator = Generator(classes, z_dim, z_dim, widths, attention=64, epsilon=_EPSILON)
    fill(path, generator, found, origins)
    statistics = {
        name: found[foreign]
        for name, (foreign, _) in origins.items()
        if name.endswith((".running_mean", ".running_var"))
    }
    _check_statistics(path, statistics)
    return generator.eval(), statistics


def statistics_at(statistics: Mapping[str, Tensor], truncation: float) -> dict[str, Tensor]:
    """Return the batch-norm statistics [C] of one truncation in 0 .. 1.

    Between two kept truncations they are interpolated linearly. (The published PyTorch code gives
    the nearer row the smaller weight there, which looks like a slip; on the kept truncations, such
    as 0.5, both are the same.)
    """
    if not 0 <= truncation <= 1:
        raise ValueError(f"truncation {truncation} is not in 0 .. 1")
    rows = len(next(iter(statistics.values())))
    # Rounded, so that 0.58 * 50 = 28.999999999999996 is row 29.
    position = round(truncation * (rows - 1), 9)
    low = min(int(position), rows - 2)
    return {
        name: torch.lerp(values[low], values[low + 1], position - low)
        for name, values in statistics.items()
    }


def _origins() -> dict[str, Origin]:
    names = {}
    for part in ("weight", "bias"):
        names[f"norm.{part}"] = f"generator.bn.{part}"
    norms = {"norm": "generator.bn"}
    for i in _BLOCKS:
        ours, theirs = f"blocks.{i}", f"generator.layers.{i}"
        for k in range(4):
            norms[f"{ours}.norms.{k}.norm"] = f"{theirs}.bn_{k}"
            names[f"{ours}.norms.{k}.gain.weight"] = f"{theirs}.bn_{k}.scale.weight"
            names[f"{ours}.norms.{k}.bias.weight"] = f"{theirs}.bn_{k}.offset.weight"
            for part in ("weight", "bias"):
                names[f"{ours}.convs.{k}.{part}"] = f"{theirs}.conv_{k}.{part}"
    ours, theirs = f"blocks.{_ATTENTION}", f"generator.layers.{_ATTENTION}"
    for part, named in (("theta", "theta"), ("phi", "phi"), ("g", "g"), ("o", "o_conv")):
        names[f"{ours}.{part}.weight"] = f"{theirs}.snconv1x1_{named}.weight"
    names[f"{ours}.gamma"] = f"{theirs}.gamma"
    origins: dict[str, Origin] = {name: (foreign, as_it_is) for name, foreign in names.items()}
    for ours, theirs in norms.items():
        for one, all_rows in (("running_mean", "running_means"), ("running_var", "running_vars")):
            origins[f"{ours}.{one}"] = (f"{theirs}.{all_rows}", lambda rows: rows[-1:].squeeze(0))
    for part in ("weight", "bias"):
        origins[f"first.{part}"] = (f"generator.gen_z.{part}", _channels_first)
        origins[f"to_rgb.{part}"] = (f"generator.conv_to_rgb.{part}", lambda outputs: outputs[:3])
    return origins | {"embedding.weight": ("embeddings.weight", lambda table: table.T)}


def _channels_first(rows: Tensor) -> Tensor:
    """Reorder the rows [16 C, ...] of the first layer from H x W x C to C x H x W."""
    if len(rows) % 16:
        return rows
    return rows.unflatten(0, (16, -1)).transpose(0, 1).flatten(0, 1)


def _stored(names: Iterable[str]) -> set[str]:
    """Return the names in the file for names without spectral norm."""
    stored = set()
    for name in names:
        spectral = name.endswith(".weight") and name not in _PLAIN
        stored |= {f"{name}_{part}" for part in ("orig", "u", "v")} if spectral else {name}
    return stored


def _fold(path: Path, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Divide every weight by its spectral norm."""
    folded = {}
    for name, value in found.items():
        if name.endswith(".weight_orig"):
            stem = name.removesuffix("_orig")
            u, v = found[f"{stem}_u"], found[f"{stem}_v"]
            if value.ndim < 2 or u.shape != value.shape[:1] or v.shape != (value[0].numel(),):
                raise ValueError(
                    f"{path}: the spectral norm of {stem} {list(value.shape)} has the shapes "
                    f"{list(u.shape)} and {list(v.shape)}"
                )
            folded[stem] = value / (u @ value.flatten(1) @ v)
        elif not name.endswith((".weight_u", ".weight_v")):
            folded[name] = value
    return folded


def _check_statistics(path: Path, statistics: Mapping[str, Tensor]) -> None:
    rows = {len(values) for values in statistics.values()}
    if len(rows) != 1 or min(rows) < 2:
        raise ValueError(
            f"{path}: batch-norm statistics of {sorted(rows)} truncations, expected one number of "
            "at least 2 in every layer"
        )
    for name, values in statistics.items():
        if not torch.isfinite(values).all() or (name.endswith("var") and (values < 0).any()):
            raise ValueError(f"{path}: the statistics of {name} are not finite or are negative")
