"""Stand-ins for teachers, and one harvest of them.

As a script it writes a module of the published sizes, in a process of its own for TensorFlow:

    python tests/helpers/teachers.py FOLDER
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from tinygan.data.shards import Shard, open_shard
from tinygan.teacher import Teacher
from tinygan.teacher.harvest import harvest

PUBLISHED = "https://tfhub.dev/deepmind/biggan-deep-128/1"
PUBLISHED_SIZES = (1000, 128, 128)


def write_module(
    path: Path,
    *,
    sizes: tuple[int, int, int],
    key: str = "default",
    output: str = "default",
    z_name: str = "z",
    z_type: str = "float32",
    image_type: str = "float32",
    scale: float = 1.0,
) -> None:
    """Write a TF1-format module whose images are -1 + scale * class / 512 + truncation * z[0].

    Args:
        path: its folder.
        sizes: classes, length of z, side of the images.
    """
    import tensorflow as tf

    v1 = tf.compat.v1
    classes, z_dim, side = sizes
    with tf.Graph().as_default(), v1.Session() as session:
        z = v1.placeholder(z_type, [None, z_dim])
        y = v1.placeholder(tf.float32, [None, classes])
        t = v1.placeholder(tf.float32, [])
        shade = tf.linalg.matvec(y, tf.range(classes, dtype=tf.float32)) / 512 * scale - 1
        shade += t * tf.cast(z[:, 0], tf.float32)
        images = tf.cast(shade[:, None, None, None] * tf.ones([1, side, side, 3]), image_type)
        inputs = {z_name: z, "y": y, "truncation": t}
        describe = v1.saved_model.build_tensor_info
        signature = v1.saved_model.build_signature_def(
            {k: describe(v) for k, v in inputs.items()}, {output: describe(images)}, ""
        )
        builder = v1.saved_model.builder.SavedModelBuilder(str(path))
        builder.add_meta_graph_and_variables(session, [], signature_def_map={key: signature})
        builder.save()
    (path / "tfhub_module.pb").write_bytes(b"\x08\x03")


def write_published(cache: Path) -> None:
    """Write a module of the published sizes into TF-Hub's cache, as if downloaded from its URL."""
    path = cache / hashlib.sha1(PUBLISHED.encode()).hexdigest()
    write_module(path, sizes=PUBLISHED_SIZES)


def painter(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
    """Stand-in for a teacher: the whole image shows z, label and truncation."""
    values = (100 * np.abs(z[:, :1]) + 10 * labels[:, None] + truncation).astype(np.uint8)
    return np.broadcast_to(values[:, None, None], (len(z), 4, 4, 3)).copy()


def replace_module(monkeypatch: pytest.MonkeyPatch, classes: int) -> list[list[int]]:
    """Let every TF-Hub module be one of so many classes whose images of 32 px show z and label.

    Returns:
        a list to which each call appends its labels.
    """
    calls: list[list[int]] = []

    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        calls.append(labels.tolist())
        shades = np.abs(z[:, :1]) * 40 + labels[:, None] % 90 + 90
        return np.broadcast_to(shades.astype(np.uint8)[:, None, None], (len(z), 32, 32, 3)).copy()

    def load_teacher(handle: str, *, classes: int, **options: object) -> Teacher:
        assert classes == expected
        return teacher

    expected = classes
    monkeypatch.setattr("tinygan.teacher.tfhub.load_teacher", load_teacher)
    return calls


def gather(folder: Path, classes: range, teacher: Teacher = painter, **options: object) -> Shard:
    settings = {"split": "pairs", "count": 7, "truncation": 0.5, "seed": 3, "z_dim": 6, "batch": 4}
    settings |= options
    harvest(teacher, classes=classes, folder=folder, provenance={"x": 1}, **settings)
    return open_shard(folder, verify=True)


if __name__ == "__main__":
    write_module(Path(sys.argv[1]), sizes=PUBLISHED_SIZES)
