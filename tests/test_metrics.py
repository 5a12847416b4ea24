"""The metrics against independent references: definitions, SVD, matrix square root, a package."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from PIL import Image

from tinygan.files import read_json, sha256
from tinygan.metrics import efficientnet_lite
from tinygan.metrics.features import (
    Features,
    extract,
    features_of,
    read_features,
    write_features,
)
from tinygan.metrics.frechet import frechet_distance, mean_and_covariance
from tinygan.metrics.inception_score import inception_score
from tinygan.metrics.scores import score, split_floor, write_scores

IMAGENET = Path(__file__).parents[2] / "shared/data/imagenet-sample"


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def with_moments(mean: np.ndarray, deviations: np.ndarray, seed: int) -> np.ndarray:
    """Samples [4 d, d] whose mean and diagonal covariance are exactly these."""
    d = len(mean)
    raw = normal(4 * d, d, seed=seed)
    orthonormal, _ = np.linalg.qr(raw - raw.mean(axis=0))
    return mean + orthonormal * deviations * np.sqrt(4 * d - 1)


def by_svd(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, with the cross term as the nuclear norm of S1^(1/2) S2^(1/2)."""
    roots, distance = [], np.square(x.mean(0) - y.mean(0)).sum()
    for a in (x, y):
        covariance = np.atleast_2d(np.cov(a, rowvar=False))
        distance += np.trace(covariance)
        values, vectors = np.linalg.eigh(covariance)
        roots.append(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)
    return distance - 2 * np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()


def test_mean_and_covariance_agree_with_numpy():
    x = normal(50, 7).astype(np.float32)
    mean, covariance = mean_and_covariance(x)
    assert mean.dtype == covariance.dtype == np.float64
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(x.astype(np.float64), rowvar=False), rtol=1e-10)


def test_frechet_distance_of_diagonal_gaussians_is_the_closed_form():
    rng = np.random.default_rng(1)
    mean_x, mean_y, s_x, s_y = rng.uniform(0.1, 3, size=(4, 12))
    expected = np.square(mean_x - mean_y).sum() + np.square(s_x - s_y).sum()
    x, y = with_moments(mean_x, s_x, 2), with_moments(mean_y, s_y, 3)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-10)


# n < d, n = d, n > d on either side, and both sides short.
@pytest.mark.parametrize(
    ("n", "m", "d"), [(30, 80, 6), (5, 80, 20), (20, 15, 20), (4, 9, 20), (2, 2, 5), (60, 4, 1)]
)
def test_frechet_distance_agrees_with_svd_of_the_roots_and_is_symmetric(n, m, d):
    x, y = normal(n, d), 1.5 * normal(m, d, seed=1) + 0.3
    # The reference squares and roots, which costs half the digits where a covariance is singular.
    assert frechet_distance(x, y) == pytest.approx(by_svd(x, y), rel=1e-6)
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x), rel=1e-12)


def test_frechet_distance_agrees_with_sqrtm_at_full_rank():
    x = normal(300, 10) @ normal(10, 10, seed=1)
    y = normal(200, 10, seed=2) @ normal(10, 10, seed=3) + 0.5
    (m1, s1), (m2, s2) = mean_and_covariance(x), mean_and_covariance(y)
    root = np.real(scipy.linalg.sqrtm(s1 @ s2))
    expected = np.square(m1 - m2).sum() + np.trace(s1 + s2 - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_rank_one_sets_is_that_of_their_one_direction():
    u, a, b = normal(8), normal(20), 3 * normal(40, seed=1)
    u /= np.linalg.norm(u)
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(np.outer(a, u), np.outer(b, u)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shape", [(200, 30), (30, 200), (30, 30)])
def test_frechet_distance_to_itself_is_zero(shape):
    x = 10 * np.maximum(normal(*shape), 0).astype(np.float32)
    assert 0 <= frechet_distance(x, x) < 1e-6
    assert 0 <= frechet_distance(x, np.flip(x, axis=0)) < 1e-6


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (normal(1, 3), normal(5, 3), "at least 2 samples"),
        (normal(5, 3), normal(0, 3), "at least 2 samples"),
        (normal(5, 3), np.full((5, 3), np.nan), "NaN"),
        (normal(5, 3), np.full((5, 3), np.inf), "NaN or infinity"),
        (normal(5, 3), normal(5, 4), "3 and 4 dimensions"),
        (normal(5), normal(5, 4), r"\[N, d\]"),
    ],
)
def test_frechet_distance_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(x, y)


def test_mean_and_covariance_refuse_one_sample_and_nan():
    for x in (normal(1, 3), np.full((4, 3), np.nan)):
        with pytest.raises(ValueError):
            mean_and_covariance(x)


def test_inception_score_agrees_with_its_definition():
    logits = 3 * normal(23, 7)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    values = []
    for part in (p[0::3], p[1::3], p[2::3]):
        marginal = part.mean(0)
        divergences = [sum(q * np.log(q / marginal)) for q in part]
        values.append(np.exp(np.mean(divergences)))
    assert inception_score(logits, 3) == pytest.approx((np.mean(values), np.std(values)), rel=1e-12)


def test_inception_score_of_certain_balanced_classes_is_their_number():
    # Ordered by class: contiguous splits would score 1, and float32 softmax would overflow.
    logits = np.repeat(np.eye(5, dtype=np.float32) * 1e4, 40, axis=0)
    assert inception_score(logits, 4) == pytest.approx((5, 0))
    assert inception_score(np.zeros((8, 5)), 2) == pytest.approx((1, 0))


@pytest.mark.parametrize(
    ("logits", "splits", "message"),
    [
        (normal(5, 3), 6, "6 splits"),
        (normal(5, 3), 0, "0 splits"),
        (np.full((5, 3), np.nan), 1, "NaN"),
        (normal(5), 1, r"\[N, K\]"),
    ],
)
def test_inception_score_refuses(logits, splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(logits, splits)


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
        with pytest.raises(ValueError, match=f"{name} does not hold the weights"):
            efficientnet_lite.load(tmp_path / name)


def test_extract_does_not_depend_on_the_batch():
    images = pixels(5, 32)
    whole = extract(images, side=64, batch=5, threads=1)
    parts = extract(images, side=64, batch=2, threads=1)
    for a, b in zip(whole, parts, strict=True):
        assert a.dtype == np.float32
        # Kernels differ with the batch, so float32 sums are rounded differently.
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)


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
    features, _ = extract(image, side=64, batch=1, threads=1)
    np.testing.assert_allclose(features, network(x)[0].numpy(), atol=1e-4)


def test_extract_reads_memory_maps_and_refuses_other_arrays(tmp_path):
    images = pixels(2, 32)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    a, b = (extract(i, side=32, batch=1, threads=1)[0] for i in (images, mapped))
    np.testing.assert_array_equal(a, b)
    for bad in (images.astype(np.float32), images[0], images[..., :1], images[:0]):
        with pytest.raises(ValueError, match="uint8"):
            extract(bad, side=32, batch=1, threads=1)
    with pytest.raises(ValueError, match="at least 1"):
        extract(images, side=32, batch=0, threads=1)


def made_up(classes: list[int], per_class: int, seed: int = 0, shift: float = 0.0) -> Features:
    labels = np.repeat(np.array(classes, dtype=np.int64), per_class)
    features = (normal(len(labels), 6, seed=seed) + shift).astype(np.float32)
    logits = normal(len(labels), 4, seed=seed + 1).astype(np.float32)
    return Features(features, logits, labels, "made_up", "0" * 64)


def assert_same(a: Features, b: Features) -> None:
    for name in ("features", "logits", "labels"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    assert (a.extractor, a.extractor_sha256) == (b.extractor, b.extractor_sha256)


def test_features_survive_files_and_come_back_in_order_of_class(tmp_path):
    whole = made_up([0, 1, 2, 3], 5)
    paths = [tmp_path / "new" / "000-001.npz", tmp_path / "002-003.npz"]
    write_features(paths[0], whole.take(whole.labels < 2))
    write_features(paths[1], whole.take(whole.labels >= 2))
    assert_same(read_features(paths), whole)
    assert_same(read_features(reversed(paths)), whole)
    with np.load(paths[0], allow_pickle=False) as file:
        assert file["extractor"].shape == () and str(file["extractor"]) == "made_up"


def test_features_of_images_name_their_extractor():
    found = features_of(pixels(2, 32), np.array([3, 4]), side=32, batch=2, threads=1)
    assert found.extractor == "efficientnet_lite0" and found.labels.dtype == np.int64
    assert found.extractor_sha256 == sha256(efficientnet_lite.weights_file())


def test_read_features_refuses_what_does_not_belong_together(tmp_path):
    first, second = made_up([0], 3), made_up([1], 3)
    path, other = tmp_path / "a.npz", tmp_path / "b.npz"
    write_features(path, first)
    with pytest.raises(ValueError, match="no feature file"):
        read_features([])
    with pytest.raises(FileNotFoundError):
        read_features([tmp_path / "none.npz"])
    with pytest.raises(ValueError, match="class 0 is in"):
        read_features([path, path])
    for bad in (
        replace(second, extractor="another"),
        replace(second, extractor_sha256="1" * 64),
        replace(second, features=second.features[:, :5]),
    ):
        write_features(other, bad)
        with pytest.raises(ValueError, match="cannot be compared"):
            read_features([path, other])
    other.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="not a whole feature file"):
        read_features([other])
    np.savez(other, features=first.features)
    with pytest.raises(ValueError, match="not a whole feature file"):
        read_features([other])


def test_features_refuse_unequal_rows_and_none():
    good = made_up([0], 3)
    with pytest.raises(ValueError, match=r"\[N, D\]"):
        replace(good, labels=good.labels[:2])
    with pytest.raises(ValueError, match="no images"):
        good.take(np.zeros(3, dtype=bool))


def test_score_holds_every_measure(tmp_path):
    images, real = made_up([0, 1, 2], 8, shift=1.0), made_up([0, 1, 2], 11, seed=5)
    names = ["bear", "bird", "cat"]
    scores, rows = score("dw", images, real, names, 4, {"side": 64, "seed": 0})
    expected = [
        by_svd(images.features[images.labels == c], real.features[real.labels == c])
        for c in range(3)
    ]
    assert [row["intra_fid"] for row in rows] == pytest.approx(expected, rel=1e-5)
    assert [(row["class"], row["name"]) for row in rows] == list(enumerate(names))
    assert scores["intra_fid"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert scores["intra_fid_std"] == pytest.approx(np.std(expected), rel=1e-5)
    assert scores["fid"] == pytest.approx(by_svd(images.features, real.features), rel=1e-5)
    inception = scores["inception_score"], scores["inception_score_std"]
    assert inception == inception_score(images.logits, 4)
    assert scores["source"] == "dw" and scores["extractor"] == "made_up"
    assert (scores["samples"], scores["real_samples"]) == (24, 33)
    assert (scores["side"], scores["seed"]) == (64, 0)

    write_scores(tmp_path / "s" / "dw.json", tmp_path / "i" / "dw.csv", scores, rows)
    assert read_json(tmp_path / "s" / "dw.json") == scores
    with open(tmp_path / "i" / "dw.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["class", "name", "intra_fid"]
    assert [float(row["intra_fid"]) for row in table] == [row["intra_fid"] for row in rows]


@pytest.mark.parametrize(
    ("images", "real", "message"),
    [
        (made_up([0], 5), made_up([0, 1], 5), "dw images lack 1 classes: bird"),
        (made_up([0, 1], 5), made_up([1], 5), "real images lack 1 classes: bear"),
        (made_up([0, 1, 2], 5), made_up([0, 1], 5), r"labels \[2\]"),
        (made_up([0, 1], 1), made_up([0, 1], 5), r"class 0 \(bear\): .* at least 2 samples"),
        (replace(made_up([0, 1], 5), extractor="b"), made_up([0, 1], 5), "cannot be compared"),
    ],
)
def test_score_refuses(images, real, message):
    with pytest.raises(ValueError, match=message):
        score("dw", images, real, ["bear", "bird"], 1, {})


def test_score_refuses_provenance_that_names_a_score():
    with pytest.raises(ValueError, match=r"\['fid'\]"):
        score("dw", made_up([0], 5), made_up([0], 5), ["bear"], 1, {"fid": 0.0})


def test_split_floor_deals_each_class_into_even_and_odd_rows():
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    rows = np.arange(8, dtype=np.float32)[:, None]
    even, odd = split_floor(Features(rows, rows, labels, "made_up", ""))
    assert even.features[:, 0].tolist() == [0, 2, 3, 5, 7] and even.labels.tolist() == [
        0,
        0,
        1,
        1,
        1,
    ]
    assert odd.features[:, 0].tolist() == [1, 4, 6] and odd.labels.tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match="halved"):
        split_floor(made_up([0, 1], 1))


@pytest.mark.skipif(not IMAGENET.is_dir(), reason="the ImageNet sample is not here")
def test_network_names_most_of_the_imagenet_sample():
    with open(IMAGENET / "classes.tsv", newline="") as file:
        index = {row["wnid"]: int(row["index"]) for row in csv.DictReader(file, delimiter="\t")}
    images, labels = [], []
    for path in sorted(IMAGENET.glob("train/*/*.JPEG")):
        image = Image.open(path).convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize([round(scale * size) for size in image.size], Image.Resampling.BICUBIC)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        images.append(np.asarray(image.crop((left, top, left + 224, top + 224))))
        labels.append(index[path.parent.name])
    _, logits = extract(np.stack(images), side=224, batch=30, threads=1)
    assert np.mean(logits.argmax(1) == labels) > 0.7
