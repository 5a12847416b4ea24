"""EfficientNet-Lite0 against the reference package, and what every extractor must do."""

import copy
import csv
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.paths import PHOTOGRAPHS
from PIL import Image

from tinygan.code import names_in
from tinygan.features import efficientnet_lite
from tinygan.features.extract import extract, features_of, open_extractor
from tinygan.features.extractor import (
    INCEPTION,
    Extractor,
    asset_of,
    environment_of,
    outputs_of,
)
from tinygan.files import sha256


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.set_num_threads(1)
    return efficientnet_lite.load()[0]


def pixels(count: int, side: int, seed: int = 0) -> np.ndarray:
    """Random images [count, side, side, 3] with structure at several scales."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 4, 4, 3))
    fine = rng.integers(-40, 41, (count, side, side, 3))
    steps = np.arange(side) * 4 // side
    return np.clip(coarse[:, steps][:, :, steps] + fine, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [64, 96, 75])
def test_network_agrees_with_the_reference_package(network, side):
    package = pytest.importorskip("efficientnet_lite_pytorch")
    # Without an image size the package pads by the size of each input, as TensorFlow does.
    reference = package.EfficientNet.from_name("efficientnet-lite0", image_size=None)
    reference.load_state_dict(torch.load(efficientnet_lite.weights_file(), weights_only=True))
    reference.eval()
    x = torch.from_numpy(pixels(3, side)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        features, logits = network(x)
        expected = reference.extract_features((x - 127) / 128).mean((2, 3))
        expected_logits = reference._fc(expected)
    assert features.shape == (3, 1280) and logits.shape == (3, 1000)
    torch.testing.assert_close(features, expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(logits, expected_logits, rtol=0, atol=1e-4)


def test_network_is_frozen_and_named_by_the_hash_of_its_file(network):
    _, digest = efficientnet_lite.load()
    assert digest == sha256(efficientnet_lite.weights_file())
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert len(network.state_dict()) == 296


def test_load_refuses_a_file_of_other_keys_or_no_weights(tmp_path):
    weights = torch.load(efficientnet_lite.weights_file(), weights_only=True)
    weights["_fc.other"] = weights.pop("_fc.bias")
    torch.save(weights, tmp_path / "keys.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for name in ("keys.pth", "list.pth", "text.pth"):
        with pytest.raises(ValueError, match=f"{name} does not have the weights"):
            efficientnet_lite.load(tmp_path / name)


def efficientnet(images: object, side: int, batch: int = 50) -> tuple[np.ndarray, np.ndarray]:
    with open_extractor("efficientnet_lite0", input_size=side, threads=1) as extractor:
        return extract(images, extractor, batch=batch)


@pytest.mark.slow
def test_features_do_not_depend_on_the_batch_nor_on_the_neighbours():
    images = pixels(60, 32)
    whole = efficientnet(images, 64, batch=60)
    for batch in (1, 7, 26):
        for a, b in zip(whole, efficientnet(images, 64, batch), strict=True):
            assert a.dtype == np.float32
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    for a, b in zip(whole, efficientnet(images[::-1], 64), strict=True):
        np.testing.assert_allclose(a, b[::-1], rtol=0, atol=1e-5)


def test_folding_the_norms_changes_no_more_than_rounding_does(network):
    x = torch.from_numpy(pixels(3, 64)).permute(0, 3, 1, 2).float()
    exact = copy.deepcopy(network).double()(x.double())
    folded = efficientnet_lite.fold_norms(copy.deepcopy(network))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    for out, plain, reference in zip(folded(x), network(x), exact, strict=True):
        error, usual = (float((y - reference).abs().max()) for y in (out, plain))
        assert error < 1e-4 and usual < 1e-4


def test_extract_resizes_bilinearly_with_half_pixel_centres(network):
    image = pixels(1, 32)
    # Doubling with half-pixel centres mixes each pixel with its neighbour 3 : 1, edges repeated.
    padded = np.pad(image[0].astype(float), ((1, 1), (1, 1), (0, 0)), mode="edge")
    large = np.empty((66, 66, 3))
    rows = np.empty((66, 34, 3))
    rows[1:-1:2] = 0.75 * padded[1:-1] + 0.25 * padded[:-2]
    rows[2:-1:2] = 0.75 * padded[1:-1] + 0.25 * padded[2:]
    large[:, 1:-1:2] = 0.75 * rows[:, 1:-1] + 0.25 * rows[:, :-2]
    large[:, 2:-1:2] = 0.75 * rows[:, 1:-1] + 0.25 * rows[:, 2:]
    x = torch.from_numpy(large[1:-1, 1:-1]).permute(2, 0, 1)[None].float()
    features, _ = efficientnet(image, 64)
    np.testing.assert_allclose(features, network(x)[0].numpy(), atol=1e-4)


def test_extract_reads_memory_maps_and_refuses_other_arrays(tmp_path):
    images = pixels(2, 32)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    a, b = (efficientnet(i, 32, batch=1)[0] for i in (images, mapped))
    np.testing.assert_array_equal(a, b)
    for bad in (images.astype(np.float32), images[0], images[..., :1], images[:0]):
        with pytest.raises(ValueError, match="uint8"):
            efficientnet(bad, 32)
    with pytest.raises(ValueError, match="at least 1"):
        efficientnet(images, 32, batch=0)
    with pytest.raises(ValueError, match="at least 1"):
        efficientnet(images, 0)


def test_images_of_many_sizes_come_back_in_their_order():
    large, small = pixels(3, 48), pixels(2, 32, seed=1)
    mixed = [small[0], large[0], large[1], small[1], large[2]]
    found = efficientnet(mixed, 32, batch=4)[0]
    expected = [efficientnet(image[None], 32)[0][0] for image in mixed]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_an_extractor_may_be_anything_that_maps_images_to_rows():
    def run(images):
        means = images.mean((1, 2), dtype=np.float32)
        return means, -means

    features, logits = extract(pixels(5, 8), Extractor("mean", "", 8, "none", run), batch=2)
    np.testing.assert_array_equal(features, pixels(5, 8).mean((1, 2), dtype=np.float32))
    np.testing.assert_array_equal(logits, -features)


def test_an_unknown_extractor_is_refused_with_the_known_ones():
    with (
        pytest.raises(ValueError, match="'vgg'.*dinov2_vitl14, efficientnet_lite0, inception"),
        open_extractor("vgg", input_size=64, threads=1),
    ):
        pass


def test_the_extractors_of_the_inception_graph_are_named_after_it():
    names = [name for name in names_in("tinygan.features.extractors") if "inception" in name]
    assert list(INCEPTION) == [name for name in names if asset_of(name) is None]
    assert {outputs_of(name) for name in INCEPTION} == {(2048, 1000)}
    assert [environment_of(name) for name in INCEPTION] == ["teacher", "torch"]


def test_reading_features_starts_neither_torch_nor_tensorflow():
    code = (
        "import sys, tinygan.features.files, tinygan.features.inception_tf; "
        "import tinygan.features.inception_graph, tinygan.features.graph_def; "
        "import tinygan.evaluation.scores; "
        "print({'torch', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_features_of_images_name_their_extractor():
    found = features_of(pixels(2, 32), np.array([3, 4]), input_size=32, batch=2, threads=1)
    assert (found.extractor, found.input_size) == ("efficientnet_lite0", 32)
    assert found.labels.dtype == np.int64
    assert found.extractor_sha256 == sha256(efficientnet_lite.weights_file())


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the ImageNet sample is not here")
def test_network_classifies_most_of_the_imagenet_sample():
    with open(PHOTOGRAPHS / "classes.tsv", newline="") as file:
        index = {row["wnid"]: int(row["index"]) for row in csv.DictReader(file, delimiter="\t")}
    images, labels = [], []
    for path in sorted(PHOTOGRAPHS.glob("train/*/*.JPEG")):
        image = Image.open(path).convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize([round(scale * size) for size in image.size], Image.Resampling.BICUBIC)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        images.append(np.asarray(image.crop((left, top, left + 224, top + 224))))
        labels.append(index[path.parent.name])
    _, logits = efficientnet(np.stack(images), 224)
    assert np.mean(logits.argmax(1) == labels) > 0.7
