"""SNGAN-projection's generator as a Chainer snapshot (``.npz``) -> our `sngan.Generator`.

Names on the left are theirs, i counts the blocks from 0:

    l1/W, l1/b                                first
    block{i + 2}/c1/*, c2/*, c_sc/*           blocks.i.conv1, conv2, shortcut
    block{i + 2}/b1/gammas/W, betas/W         blocks.i.norm1.gain, bias      [classes, C]
    block{i + 2}/b1/avg_mean, avg_var, N      blocks.i.norm1.norm            b2: norm2
    b{B + 2}/gamma, beta, avg_mean, ...       norm
    l{B + 2}/W, l{B + 2}/b                    to_rgb

with B blocks, five at 128 px, so that the last two are b7 and l7.
"""

import re
from pathlib import Path

from torch import Tensor

from tinygan.models.converters.foreign import Origin, as_it_is, check_names, fill, read_npz
from tinygan.models.sngan import Generator

_WHAT = "an SNGAN-projection generator of Chainer"


def read_generator(path: Path) -> tuple[Generator, dict[str, int]]:
    """Read the generator; channels and sizes follow from the names and shapes.

    Returns:
        the generator in evaluation mode, and the keyword arguments that build it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a snapshot: other names or shapes, damaged, or pickles in it.
    """
    found = read_npz(path)
    recipe = _recipe(path, found)
    generator = Generator(**recipe)
    origins = _origins(len(generator.blocks))
    check_names(path, _WHAT, found, {foreign for foreign, _ in origins.values()})
    fill(path, generator, found, origins)
    return generator.eval(), recipe


def _recipe(path: Path, found: dict[str, Tensor]) -> dict[str, int]:
    shapes = {}
    for name in ("l1/W", "block2/b1/gammas/W"):
        if name not in found or found[name].ndim != 2:
            raise ValueError(
                f"{path} is not {_WHAT}: it has no matrix {name} (a snapshot of the generator "
                "alone is needed, with class-conditional batch norm)"
            )
        shapes[name] = found[name].shape
    blocks = len({m[0] for name in found if (m := re.match(r"block\d+/", name))})
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
        ours, theirs = f"blocks.{i}", f"block{i + 2}"
        convs |= {f"{ours}.conv1": f"{theirs}/c1", f"{ours}.conv2": f"{theirs}/c2"}
        convs[f"{ours}.shortcut"] = f"{theirs}/c_sc"
        for k in (1, 2):
            norm, cbn = f"{ours}.norm{k}", f"{theirs}/b{k}"
            names |= {f"{norm}.gain.weight": f"{cbn}/gammas/W"}
            names |= {f"{norm}.bias.weight": f"{cbn}/betas/W"}
            names |= {f"{norm}.norm.{a}": f"{cbn}/{b}" for a, b in statistics.items()}
    for ours, theirs in convs.items():
        names |= {f"{ours}.weight": f"{theirs}/W", f"{ours}.bias": f"{theirs}/b"}
    last = {"weight": "gamma", "bias": "beta"} | statistics
    names |= {f"norm.{a}": f"b{blocks + 2}/{b}" for a, b in last.items()}
    return {ours: (theirs, as_it_is) for ours, theirs in names.items()}
