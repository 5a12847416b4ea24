"""inception_tf on a small frozen graph with the real one's tensor names; TensorFlow in children.

Its pool_3 is the resized input itself, so that what reaches the network can be compared to the bit.
"""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch  # noqa: F401  (the extractor must run beside it)
from helpers.inception_files import tarball

from tinygan.features import inception_tf
from tinygan.features.extract import extract, open_extractor
from tinygan.features.extractor import Extractor
from tinygan.features.inception_graph import MEMBER, local_file
from tinygan.features.inception_tf import open_inception
from tinygan.files import sha256

pytestmark = pytest.mark.slow

BUILD = """
import sys
import numpy as np
import tensorflow as tf
v1 = tf.compat.v1
for name, inputs, outputs in (
    ("good", "Mul", ("pool_3", "logits")),
    ("renamed", "images", ("pool_3", "logits")),
):
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 299, 299, 3], name=inputs)
        tf.reshape(x, [-1, 1, 1, 299 * 299 * 3], name=outputs[0])
        weights = np.random.default_rng(0).normal(size=(3, 1008)).astype(np.float32)
        tf.matmul(tf.reduce_mean(x, [1, 2]), tf.constant(weights), name=outputs[1])
        open(sys.argv[1] + f"/{name}.pb", "wb").write(graph.as_graph_def().SerializeToString())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def packed(folder: Path) -> Path:
    content = (folder / "good.pb").read_bytes()
    return tarball(folder / "frozen_inception_v1_2015_12_05.tar.gz", content)


@pytest.fixture(scope="module")
def extractor(packed: Path) -> Extractor:
    with open_extractor("inception_tf", input_size=64, threads=1, graph=str(packed)) as opened:
        yield opened


def tf1_bilinear(x: np.ndarray, side: int) -> np.ndarray:
    """TF1's resize_bilinear, from its definition, in float32: source = target * in / out.

    There is no half-pixel shift; the pixel below and right of the last is the last again.
    """

    def weights(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        source = np.arange(side, dtype=np.float32) * (np.float32(size) / np.float32(side))
        low = np.floor(source).astype(int)
        return low, np.minimum(low + 1, size - 1), source - low.astype(np.float32)

    (top, bottom, dy), (left, right, dx) = weights(x.shape[1]), weights(x.shape[2])
    dx, dy = dx[None, None, :, None], dy[None, :, None, None]
    above, below = x[:, top], x[:, bottom]
    above = above[:, :, left] + (above[:, :, right] - above[:, :, left]) * dx
    below = below[:, :, left] + (below[:, :, right] - below[:, :, left]) * dx
    return above + (below - above) * dy


# Enlarged, shrunk, already right, and not square; 3, 2, 1 and 2 images.
@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 128, 128), (1, 299, 299), (2, 400, 310)])
def test_the_network_sees_tf1s_bilinear_resize_to_the_bit(extractor, shape):
    images = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    scaled = images.astype(np.float32) / np.float32(127.5) - np.float32(1)
    features, logits = extractor.run(images)
    seen = features.reshape(-1, 299, 299, 3)
    np.testing.assert_array_equal(seen, tf1_bilinear(scaled, 299))
    assert seen.min() >= -1 and seen.max() <= 1
    weights = np.random.default_rng(0).normal(size=(3, 1008)).astype(np.float32)
    expected = seen.mean((1, 2), dtype=np.float64) @ weights
    assert logits.shape == (len(images), 1000) and logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected[:, :1000], atol=1e-5)


def test_white_is_plus_one_and_black_is_minus_one(extractor):
    images = np.zeros((2, 5, 5, 3), np.uint8)
    images[1] = 255
    features, _ = extract(images, extractor, batch=1)
    assert np.all(features[0] == -1) and np.all(features[1] == 1)


def test_extractor_is_identified_by_its_graph_and_the_file_is_recorded(extractor, folder, packed):
    assert (extractor.name, extractor.input_size) == ("inception_tf", 299)
    assert extractor.sha256 == sha256(folder / "good.pb")
    record = packed.with_name(packed.name + ".sha256")
    assert record.read_text() == f"{sha256(packed)}  {packed.name}\n"


def test_a_file_that_has_changed_since_its_first_use_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(b"other bytes")
    (tmp_path / "graph.pb.sha256").write_text("0" * 64 + "  graph.pb\n")
    with pytest.raises(ValueError, match="the file has changed.*delete the record"):
        open_inception(str(path), 1).__enter__()


def test_a_url_is_downloaded_once(packed, tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path / "cache"))
    (source := tmp_path / "graph.tar.gz").write_bytes(packed.read_bytes())
    cached = tmp_path / "cache" / "graph.tar.gz"
    assert local_file(source.as_uri()) == cached
    assert cached.read_bytes() == source.read_bytes()
    source.unlink()
    assert local_file(source.as_uri()) == cached
    with pytest.raises(OSError, match="cannot download .*none.pb.*give its path"):
        open_inception((tmp_path / "none.pb").as_uri(), 1).__enter__()
    assert list(cached.parent.iterdir()) == [cached]


def test_other_files_are_refused_and_leave_no_record(folder, packed, tmp_path):
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    wrong = tarball(tmp_path / "wrong.tar.gz", b"", member="classify_image_graph_def.pb")
    (tmp_path / "text.pb").write_text("<html>moved</html>")
    for path, message in (
        (tmp_path / "none.tar.gz", "no Inception graph .*none.tar.gz"),
        (cut, "cut.tar.gz is damaged"),
        (wrong, f"wrong.tar.gz has no {MEMBER}"),
        (tmp_path / "text.pb", "text.pb is an HTML page and not the file itself"),
        (folder / "renamed.pb", "renamed.pb: not the Inception graph with Mul:0"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            open_inception(str(path), 1).__enter__()
        assert not path.with_name(path.name + ".sha256").exists()


def test_the_exit_code_of_a_dead_child_is_reported(folder):
    others = set(multiprocessing.active_children())
    with open_inception(str(folder / "good.pb"), 1) as extractor:
        (child,) = set(multiprocessing.active_children()) - others
        child.kill()
        with pytest.raises(RuntimeError, match="process ended with exit code -9"):
            extractor.run(np.zeros((1, 8, 8, 3), np.uint8))


def test_tensorflow_refuses_to_share_a_process_with_torch():
    ours, _ = multiprocessing.Pipe()
    with pytest.raises(RuntimeError, match="must not share a process"):
        inception_tf._serve(ours, 1, "cpu")
