"""The published PyTorch weights of BigGAN-deep at 128 px -> `tinygan.models.biggan_deep.Generator`.

A state dict of 506 tensors. Published names are on the left, this project's on the right. The
modules of ``generator.layers`` become ``blocks``: ten blocks and, as number 8, the attention:

    embeddings.weight [128, 1000]     embedding.weight, transposed
    generator.gen_z                   first; outputs reordered from H x W x C to C x H x W
    layers.i.bn_k.scale, offset       blocks.i.norms.k.gain, bias
    layers.i.bn_k.running_means       blocks.i.norms.k.norm.running_mean; running_vars alike
    layers.i.conv_k                   blocks.i.convs.k
    layers.8.snconv1x1_theta, phi, g, o_conv, gamma      blocks.8.theta, phi, g, o, gamma
    generator.bn                      norm
    generator.conv_to_rgb             to_rgb: the first 3 of its outputs, the others are unused

Every weight but E(y)'s and the last batch norm's is stored with its spectral norm, as
``weight_orig``, ``weight_u`` and ``weight_v``: W = weight_orig / (u^T weight_orig v), over all
outputs of a convolution. Batch-norm statistics have 51 rows, for the truncations 0, 0.02 .. 1.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from tinygan.models.biggan_deep import Generator
from tinygan.models.converters.foreign import (
    Origin,
    check_names,
    fill,
    read_torch,
    strip_module,
    unchanged,
)

_WHAT = "a state dict of BigGAN-deep at 128 px"
_FACTORS = (16, 16, 8, 4, 2, 1)  # widths at 4 px .. 128 px, in units of ch
_ATTENTION = 8
_BLOCKS = [i for i in range(11) if i != _ATTENTION]
_PLAIN = ("embeddings.weight", "generator.bn.weight")  # the weights without spectral norm
_EPSILON = 1e-4


def read_generator(path: Path) -> tuple[Generator, dict[str, Tensor]]:
    """Read the generator, its spectral norms folded into the weights.

    The number of classes, the length of z and the widths follow from the shapes.

    Returns:
        the generator in evaluation mode, with the batch-norm statistics of truncation 1; and the
        statistics of all truncations: for each batch norm ``name``, ``name.running_mean`` and
        ``name.running_var``, float [rows, C], row r for the truncation r / (rows - 1).

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a state dict: wrong names or shapes, damaged, or it contains code.
    """
    state = read_torch(path)
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError(f"{path} is not {_WHAT}")
    state = strip_module(state)
    origins = _origins()
    check_names(path, _WHAT, state, _stored(foreign for foreign, _ in origins.values()))
    state = _fold(path, state)
    embedding, last = state["embeddings.weight"], state["generator.bn.weight"]
    if embedding.ndim != 2 or last.ndim != 1:
        raise ValueError(f"{path} is not {_WHAT}: E(y) or the last batch norm has another shape")
    (z_dim, classes), channels = embedding.shape, len(last)
    widths = [channels * factor for factor in _FACTORS]
    generator = Generator(classes, z_dim, z_dim, widths, attention=64, epsilon=_EPSILON)
    fill(path, generator, state, origins)
    statistics = {
        name: state[foreign]
        for name, (foreign, _) in origins.items()
        if name.endswith((".running_mean", ".running_var"))
    }
    _check_statistics(path, statistics)
    return generator.eval(), statistics


def statistics_at(statistics: Mapping[str, Tensor], truncation: float) -> dict[str, Tensor]:
    """Return the batch-norm statistics [C] for one truncation in 0 .. 1.

    Between two stored truncations they are interpolated linearly. (The published PyTorch code gives
    the nearer row the smaller weight, which looks like a mistake; at the stored truncations, such
    as 0.5, both agree.)

    Raises:
        ValueError: the truncation is out of range.
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
        block, layer = f"blocks.{i}", f"generator.layers.{i}"
        for k in range(4):
            norms[f"{block}.norms.{k}.norm"] = f"{layer}.bn_{k}"
            names[f"{block}.norms.{k}.gain.weight"] = f"{layer}.bn_{k}.scale.weight"
            names[f"{block}.norms.{k}.bias.weight"] = f"{layer}.bn_{k}.offset.weight"
            for part in ("weight", "bias"):
                names[f"{block}.convs.{k}.{part}"] = f"{layer}.conv_{k}.{part}"
    block, layer = f"blocks.{_ATTENTION}", f"generator.layers.{_ATTENTION}"
    for part, foreign in (("theta", "theta"), ("phi", "phi"), ("g", "g"), ("o", "o_conv")):
        names[f"{block}.{part}.weight"] = f"{layer}.snconv1x1_{foreign}.weight"
    names[f"{block}.gamma"] = f"{layer}.gamma"
    origins: dict[str, Origin] = {name: (foreign, unchanged) for name, foreign in names.items()}
    for norm, bn in norms.items():
        for one, all_rows in (("running_mean", "running_means"), ("running_var", "running_vars")):
            origins[f"{norm}.{one}"] = (f"{bn}.{all_rows}", lambda rows: rows[-1:].squeeze(0))
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
    """Return the names in the file, where weights with spectral norm are three tensors."""
    stored = set()
    for name in names:
        spectral = name.endswith(".weight") and name not in _PLAIN
        stored |= {f"{name}_{part}" for part in ("orig", "u", "v")} if spectral else {name}
    return stored


def _fold(path: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Divide every weight by its spectral norm."""
    folded = {}
    for name, value in state.items():
        if name.endswith(".weight_orig"):
            stem = name.removesuffix("_orig")
            u, v = state[f"{stem}_u"], state[f"{stem}_v"]
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
