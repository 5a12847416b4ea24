"""A Chainer snapshot (``.npz``) of SNGAN-projection -> `tinygan.models.sngan.Generator`.

Published names are on the left, this project's on the right; i counts the blocks from 0:

    l1/W, l1/b                                first
    block{i + 2}/c1/*, c2/*, c_sc/*           blocks.i.conv1, conv2, shortcut
    block{i + 2}/b1/gammas/W, betas/W         blocks.i.norm1.gain, bias      [classes, C]
    block{i + 2}/b1/avg_mean, avg_var, N      blocks.i.norm1.norm            b2: norm2
    b{B + 2}/gamma, beta, avg_mean, ...       norm
    l{B + 2}/W, l{B + 2}/b                    to_rgb

with B the number of blocks: five at 128 px, so the last two are b7 and l7.
"""

import re
from pathlib import Path

from torch import Tensor

from tinygan.models.converters.foreign import Origin, check_names, fill, read_npz, unchanged
from tinygan.models.sngan import Generator

_WHAT = "an SNGAN-projection generator of Chainer"


def read_generator(path: Path) -> tuple[Generator, dict[str, int]]:
    """Read the generator; channels and sizes follow from the names and shapes.

    Returns:
        the generator in evaluation mode, and the keyword arguments that build it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a snapshot: wrong names or shapes, damaged, or it contains pickles.
    """
    arrays = read_npz(path)
    recipe = _recipe(path, arrays)
    generator = Generator(**recipe)
    origins = _origins(len(generator.blocks))
    check_names(path, _WHAT, arrays, {foreign for foreign, _ in origins.values()})
    fill(path, generator, arrays, origins)
    return generator.eval(), recipe


def _recipe(path: Path, arrays: dict[str, Tensor]) -> dict[str, int]:
    shapes = {}
    for name in ("l1/W", "block2/b1/gammas/W"):
        if name not in arrays or arrays[name].ndim != 2:
            raise ValueError(
                f"{path} is not {_WHAT}: it has no matrix {name} (a snapshot of the generator "
                "alone is needed, with class-conditional batch norm)"
            )
        shapes[name] = arrays[name].shape
    blocks = len({m[0] for name in arrays if (m := re.match(r"block\d+/", name))})
    (first, z_dim), (classes, _) = shapes["l1/W"], shapes["block2/b1/gammas/W"]
    if first % (16 * 2 ** (blocks - 1)):
        raise ValueError(f"{path}: l1/W has {first} rows, which do not fit {blocks} blocks")
    return {
        "channels": first // (16 * 2 ** (blocks - 1)),
        "classes": classes,
        "image_size": 4 * 2**blocks,
        "z_dim": z_dim,
    }


def _origins(blocks: int) -> dict[str, Origin]:
    names = {}
    statistics = {
        "running_mean": "avg_mean",
        "running_var": "avg_var",
        "num_batches_tracked": "N",
    }
    convs = {"first": "l1", "to_rgb": f"l{blocks + 2}"}
    for i in range(blocks):
        block, foreign = f"blocks.{i}", f"block{i + 2}"
        convs |= {f"{block}.conv1": f"{foreign}/c1", f"{block}.conv2": f"{foreign}/c2"}
        convs[f"{block}.shortcut"] = f"{foreign}/c_sc"
        for k in (1, 2):
            norm, cbn = f"{block}.norm{k}", f"{foreign}/b{k}"
            names |= {f"{norm}.gain.weight": f"{cbn}/gammas/W"}
            names |= {f"{norm}.bias.weight": f"{cbn}/betas/W"}
            names |= {f"{norm}.norm.{a}": f"{cbn}/{b}" for a, b in statistics.items()}
    for conv, foreign in convs.items():
        names |= {f"{conv}.weight": f"{foreign}/W", f"{conv}.bias": f"{foreign}/b"}
    last = {"weight": "gamma", "bias": "beta"} | statistics
    names |= {f"norm.{a}": f"b{blocks + 2}/{b}" for a, b in last.items()}
    return {name: (foreign, unchanged) for name, foreign in names.items()}
