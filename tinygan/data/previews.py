"""The first images of each class, which stay for figures when the others are not kept."""

from pathlib import Path

import numpy as np

from tinygan.data.shard_writer import ShardWriter
from tinygan.data.shards import Shard, new_shard


class Previews:
    """Appends the first images of each class to a shard; see `ShardWriter.append`.

    Args:
        writer: of the shard, see `tinygan.data.shards.new_shard`.
        count: images per class, at most.
    """

    def __init__(self, writer: ShardWriter, count: int) -> None:
        self._writer, self._left, self._count = writer, {}, count

    def append(self, images: np.ndarray, labels: np.ndarray, z: np.ndarray | None = None) -> None:
        """Take some images in order of class, see `ShardWriter.append`."""
        keep = np.zeros(len(labels), dtype=bool)
        for label in np.unique(labels).tolist():
            left = self._left.get(label, self._count)
            rows = np.flatnonzero(labels == label)[:left]
            keep[rows] = True
            self._left[label] = left - len(rows)
        if keep.any():
            self._writer.append(images[keep], labels[keep], None if z is None else z[keep])


def write_previews(shard: Shard, folder: Path, count: int) -> None:
    """Write the first `count` images of each class of a shard as a shard of their own."""
    about = {key: shard.manifest[key] for key in ("source", "provenance")}
    with new_shard(folder, names=shard.class_names, **about) as writer:
        Previews(writer, count).append(shard.images, shard.labels, shard.z)
