"""inception_torch against inception_tf on stand-ins for the Inception graph.

TensorFlow runs once, in a process of its own, see `helpers.inception_graphs`.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.compared_folders import write
from helpers.inception_files import tarball
from helpers.paths import TESTS

from tinygan.cli import main
from tinygan.features import inception_torch
from tinygan.features.extract import extract, open_extractor
from tinygan.features.inception_graph import MEMBER, RESIZE
from tinygan.files import sha256

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graphs, an eighth as wide as the published one, and what TensorFlow computes."""
    folder = tmp_path_factory.mktemp("graphs")
    words = [sys.executable, str(TESTS / "helpers/inception_graphs.py"), str(folder), "0.125"]
    subprocess.run(words, check=True, capture_output=True)
    return folder


def run(path: Path, images: np.ndarray, batch: int = 100) -> tuple[np.ndarray, np.ndarray]:
    with open_extractor("inception_torch", input_size=64, threads=1, graph=str(path)) as extractor:
        return extract(images, extractor, batch=batch)


# The largest difference here is 1e-6 of the largest value.
@pytest.mark.parametrize("name", ["inception", "operations"])
def test_features_and_logits_are_those_of_tensorflow(folder, name):
    with np.load(folder / f"{name}.npz") as results:
        images, expected = results["images0"], (results["features0"], results["logits0"])
    for found, reference in zip(run(folder / f"{name}.pb", images), expected, strict=True):
        assert found.shape == reference.shape and found.dtype == np.float32
        largest = np.abs(reference).max()
        assert largest > 0.5 and np.ptp(reference, axis=0).max() > 0.01
        np.testing.assert_allclose(found, reference, rtol=0, atol=1e-5 * largest)


def test_the_network_sees_what_tensorflow_resizes_to_the_bit(folder):
    with np.load(folder / "resize.npz") as expected:
        for i in range(4):
            features, logits = run(folder / "resize.pb", expected[f"images{i}"])
            np.testing.assert_array_equal(features, expected[f"features{i}"])
            np.testing.assert_allclose(logits, expected[f"logits{i}"], rtol=0, atol=1e-5)


def test_features_do_not_depend_on_the_batch_nor_on_the_neighbours(folder):
    images = np.random.default_rng(2).integers(0, 256, (13, 40, 40, 3), dtype=np.uint8)
    whole = run(folder / "inception.pb", images)
    for batch, order in ((1, 1), (4, 1), (13, -1)):
        for a, b in zip(whole, run(folder / "inception.pb", images[::order], batch), strict=True):
            np.testing.assert_allclose(a, b[::order], rtol=0, atol=1e-5)


def test_the_extractor_is_identified_by_its_graph_with_and_without_the_tarball(folder):
    path = folder / "operations.pb"
    packed = tarball(folder / "frozen_inception_v1_2015_12_05.tar.gz", path.read_bytes())
    images = np.zeros((1, 8, 8, 3), np.uint8)
    for file in (path, packed):
        extractor = inception_torch.open_inception(str(file), 1)
        assert (extractor.name, extractor.input_size) == ("inception_torch", 299)
        assert (extractor.sha256, extractor.resize) == (sha256(path), RESIZE)
        record = file.with_name(f"{file.name}.sha256")
        assert record.read_text() == f"{sha256(file)}  {file.name}\n"
        np.testing.assert_array_equal(extractor.run(images)[0], run(path, images)[0])
    path.with_name("copy.pb").write_bytes(path.read_bytes())
    path.with_name("copy.pb.sha256").write_text("0" * 64 + "  copy.pb\n")
    with pytest.raises(ValueError, match=r"copy.pb.sha256 says otherwise: the file has changed"):
        run(path.with_name("copy.pb"), images)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"\x12\x04Relu", b"\x12\x04Tanh", "the operation Tanh of node a: use metrics.extractor"),
        (b"\x12\x05VALID", b"\x12\x05OTHER", "padding OTHER of node c/Conv2D: use metrics"),
        (b"pool_3", b"pool_4", r"not the Inception graph \(it has no node pool_3\)"),
        (b"\x0a\x03Mul\x12", b"\x0a\x03Max\x12", r"not the Inception graph \(it has no node Mul\)"),
        (b"\x1a\x03Mul", b"\x1a\x03one", r"not the Inception graph \(no output depends on Mul\)"),
        (b"\x1a\x03Mul", b"\x1a\x03p:1", "p:1 is not the first output of its node"),
    ],
)
def test_other_graphs_are_refused(folder, tmp_path, old, new, message):
    content = (folder / "operations.pb").read_bytes()
    assert old in content
    (path := tmp_path / "graph.pb").write_bytes(content.replace(old, new))
    with pytest.raises(ValueError, match=f"graph.pb: .*{message}") as caught:
        inception_torch.open_inception(str(path), 1)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_files_are_refused(folder, tmp_path):
    content = (folder / "operations.pb").read_bytes()
    packed = tarball(tmp_path / "packed.tar.gz", content).read_bytes()
    for name, data, message in (
        ("cut.pb", content[:-10], r"cut.pb: not a frozen TensorFlow graph \(it is cut off\)"),
        ("noise.pb", bytes(range(1, 256)), "noise.pb: not a frozen TensorFlow graph"),
        ("page.pb", b"<html>moved</html>", "page.pb is an HTML page and not the file itself"),
        ("cut.tar.gz", packed[: len(packed) // 2], "cut.tar.gz is damaged"),
        ("other.tar.gz", None, f"other.tar.gz has no {MEMBER}"),
    ):
        path = tmp_path / name
        if data:
            path.write_bytes(data)
        else:
            tarball(path, content, member="classify_image_graph_def.pb")
        with pytest.raises(ValueError, match=message):
            inception_torch.open_inception(str(path), 1)
    with pytest.raises(FileNotFoundError, match="no Inception graph .*none.pb"):
        inception_torch.open_inception(str(tmp_path / "none.pb"), 1)


def test_two_folders_are_scored_with_it(folder, tmp_path, capsys):
    rng = np.random.default_rng(3)
    for name in "ab":
        write(tmp_path / name, rng.integers(0, 256, (10, 16, 16, 3), dtype=np.uint8))
    paths = [str(tmp_path / name) for name in "ab"]
    options = ["--extractor", "inception_torch", "--graph", str(folder / "inception.pb")]
    assert main(["score", *paths, *options, "--splits", "2", "--device", "cpu"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["extractor"], scores["input_size"]) == ("inception_torch", 299)
    assert scores["extractor_sha256"] == sha256(folder / "inception.pb")
    assert scores["scores"]["fid"]["value"] > 0 and scores["a"]["inception_score"]["value"] >= 1
