"""Shards of the classes cat, dog and cow, whose shades tell their class and row."""

from pathlib import Path

import numpy as np

from helpers.command_line import real_files
from tinygan.classes.imagenet import wnid_of_name
from tinygan.data.shards import Shard, write_shard

WNIDS = list(wnid_of_name().values())


CATS = {"classes": ["cat", "dog"]}


DOGS = {"classes": ["dog", "cat"]}


FOLDER = {"image_size": 32, "real": real_files("nowhere")}


IMAGENET = {"real": real_files("nowhere", "imagenet")}


TABBY = {"classes": ["n02123045", "n02099601"]} | IMAGENET


def pixels(*shades: int) -> np.ndarray:
    """One image of 32 px for each shade."""
    return np.repeat(np.array(shades, np.uint8), 32 * 32 * 3).reshape(-1, 32, 32, 3)


def store(folder: Path, names: list[str] | None, z_dim: int = 0, each: int = 3) -> Path:
    """Write a shard whose images of "cat" have the shades 10, 11, .., of "dog" 20, 21, .."""
    first = {"cat": 10, "dog": 20, "cow": 30}
    shades = [first[name] + row for name in names or ["cat", "dog"] for row in range(each)]
    labels = np.repeat(np.arange(len(shades) // each), each)
    z = np.random.default_rng(0).normal(size=(len(labels), z_dim)) if z_dim else None
    write_shard(folder, pixels(*shades), labels, z, source="x", provenance={}, names=names)
    return folder


def shades(shard: Shard) -> list[int]:
    return shard.images[:, 0, 0, 0].tolist()
