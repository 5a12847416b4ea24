"""The metrics against independent references: definitions, SVD, matrix square root."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg

from tinygan.files import read_json
from tinygan.metrics.features import (
    Features,
    read_features,
    write_features,
)
from tinygan.metrics.frechet import frechet_distance, mean_and_covariance
from tinygan.metrics.inception_score import inception_score
from tinygan.metrics.scores import score, split_floor, write_scores


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


def made_up(classes: list[int], per_class: int, seed: int = 0, shift: float = 0.0) -> Features:
    labels = np.repeat(np.array(classes, dtype=np.int64), per_class)
    features = (normal(len(labels), 6, seed=seed) + shift).astype(np.float32)
    logits = normal(len(labels), 4, seed=seed + 1).astype(np.float32)
    return Features(features, logits, labels, "made_up", "0" * 64)


def assert_same(a: Features, b: Features) -> None:
    for name in ("features", "logits", "labels"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    names = ("extractor", "extractor_sha256", "side")
    assert [getattr(a, name) for name in names] == [getattr(b, name) for name in names]


def test_features_survive_files_and_come_back_in_order_of_class(tmp_path):
    whole = made_up([0, 1, 2, 3], 5)
    paths = [tmp_path / "new" / "000-001.npz", tmp_path / "002-003.npz"]
    write_features(paths[0], whole.take(whole.labels < 2))
    write_features(paths[1], whole.take(whole.labels >= 2))
    assert_same(read_features(paths), whole)
    assert_same(read_features(reversed(paths)), whole)
    sized = replace(whole, side=64)
    write_features(paths[0], sized)
    assert_same(read_features(paths[:1]), sized)
    with np.load(paths[0], allow_pickle=False) as file:
        assert file["extractor"].shape == () and str(file["extractor"]) == "made_up"


def test_read_features_refuses_what_does_not_belong_together(tmp_path):
    first, second = replace(made_up([0], 3), side=64), made_up([1], 3)
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
        replace(second, side=32),
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
