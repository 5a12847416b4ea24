"""All scores of a source, by their definitions, and their files."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from helpers.command_line import mini, start_tinygan, write_config
from helpers.metrics_reference import (
    frechet_by_sqrtm,
    frechet_by_svd,
    inception_score_by_definition,
    kid_by_definition,
    made_up,
    prdc_by_definition,
)
from helpers.paths import ROOT
from scipy.special import stdtrit

from tinygan.evaluation.parts import read_moments, read_parts, real_vs_real
from tinygan.evaluation.scores import METRICS, score, write_scores
from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features, write_features
from tinygan.files import read_json
from tinygan.metrics.copies import authentic
from tinygan.metrics.fd_infinity import fd_infinity
from tinygan.metrics.fid import Gaussian, frechet_distance
from tinygan.metrics.mmd import mmd_rbf
from tinygan.metrics.vendi import vendi
from tinygan.seeding import stream

SCORES = (
    "inception_score",
    "fid",
    "intra_fid",
    "kid",
    "precision",
    "recall",
    "density",
    "coverage",
    "mmd_rbf",
    "vendi",
    "authenticity",
    "copies",
)
NAMES = ["bear", "bird", "cat"]
FEW = Settings(is_splits=4, prdc_k=3, jackknife_groups=4)


def test_every_score_is_that_of_its_definition(tmp_path):
    images, real = made_up([0, 1, 2], 8, shift=1.0), made_up([0, 1, 2], 11, seed=5)
    scores, rows = score("dw", [(images, real)], NAMES, FEW, {"seed": 0})
    x, y = images.features.astype(float), real.features.astype(float)
    expected = [frechet_by_svd(x[images.labels == c], y[real.labels == c]) for c in range(3)]
    assert [row["intra_fid"] for row in rows] == pytest.approx(expected, rel=1e-5)
    assert [(row["class"], row["name"]) for row in rows] == list(enumerate(NAMES))
    assert scores["intra_fid"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert scores["intra_fid_std"] == pytest.approx(np.std(expected), rel=1e-5)
    assert scores["fid"] == pytest.approx(frechet_by_svd(x, y), rel=1e-6)
    inception = scores["inception_score"], scores["inception_score_std"]
    by_definition = inception_score_by_definition(images.logits.astype(float), 4)
    assert inception == pytest.approx(by_definition, rel=1e-9)
    assert scores["kid"] == pytest.approx(kid_by_definition(x, y), rel=1e-9)
    for name, value in prdc_by_definition(x, y, 3).items():
        assert scores[name] == pytest.approx(value, abs=1e-12)
    drawn = fd_infinity(x, Gaussian.of(y), stream(FEW.seed, "metrics/fd_infinity"))
    assert scores["fd_infinity"] == pytest.approx(drawn, rel=1e-6)
    assert scores["mmd_rbf"] == pytest.approx(mmd_rbf(x, y), rel=1e-9)
    assert scores["vendi"] == pytest.approx(vendi(x), rel=1e-9)
    per_class = [vendi(x[images.labels == c]) for c in range(3)]
    assert scores["intra_vendi"] == pytest.approx(np.mean(per_class), rel=1e-9)
    assert scores["authenticity"] == authentic(x, y).mean()
    for name in SCORES:
        assert scores[f"{name}_low"] <= scores[name] <= scores[f"{name}_high"]
    for name in ("fd_infinity", "intra_vendi"):
        assert scores[f"{name}_low"] is scores[f"{name}_high"] is None
    for row in rows:
        assert row["low"] < row["intra_fid"] < row["high"]
    # Independent classes: the mean's interval is narrower than the classes' own.
    widths = [row["high"] - row["low"] for row in rows]
    assert scores["intra_fid_high"] - scores["intra_fid_low"] < np.mean(widths)
    assert (scores["source"], scores["extractor"], scores["input_size"]) == ("dw", "made_up", 64)
    assert (scores["samples"], scores["overall_samples"], scores["real_samples"]) == (24, 24, 33)
    assert (scores["seed"], scores["fid_mode"]) == (0, "exact")

    files = (tmp_path / "s" / "dw.json", tmp_path / "i" / "dw.csv", tmp_path / "m" / "dw.json")
    write_scores(*files, scores, rows)
    compared = read_json(files[2])
    assert list(compared) == ["fid", "intra_fid", "is", "kid"]
    for name, value in ((METRICS[key], value) for key, value in compared.items()):
        assert value == pytest.approx(scores[name], rel=1e-5) and len(f"{value:g}") <= 8
    assert read_json(tmp_path / "s" / "dw.json") == scores
    with open(tmp_path / "i" / "dw.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["class", "name", "intra_fid", "low", "high"]
    assert [float(row["intra_fid"]) for row in table] == [row["intra_fid"] for row in rows]


@pytest.mark.parametrize("planted", [0, 3, 12])
def test_copies_of_any_real_image_of_the_class_are_counted(planted):
    """Of real images that were not drawn for the scores that compare pairs, too."""
    images, real = made_up([0, 1], 60, shift=1.0), made_up([0, 1], 200, seed=5)
    wide = np.random.default_rng(0).normal(size=(2, 520, 40)).astype(np.float32)
    images = replace(images, features=wide[0, :120])
    real = replace(real, features=wide[1, :400])
    images.features[:planted] = real.features[150 : 150 + planted]
    scores, _ = score("x", [(images, real)], NAMES[:2], replace(FEW, pairwise_samples=120), {})
    assert scores["copies"] == planted / 120
    assert scores["copies_low"] <= scores["copies"] < scores["copies_high"]
    # Those of another class are not looked for.
    images.features[60 : 60 + planted] = real.features[150 : 150 + planted]
    again, _ = score("x", [(images, real)], NAMES[:2], replace(FEW, pairwise_samples=120), {})
    assert again["copies"] == scores["copies"]


def by_class(features: Features, *cuts: int) -> list[Features]:
    """Cut features at some classes."""
    edges = [0, *cuts, 1000]
    return [
        features.take((features.labels >= low) & (features.labels < high))
        for low, high in zip(edges, edges[1:], strict=False)
    ]


def test_scores_depend_neither_on_threads_nor_on_class_ranges():
    images, real = made_up([0, 1, 2], 12, shift=1.0), made_up([0, 1, 2], 15, seed=5)
    whole = score("dw", [(images, real)], NAMES, FEW, {})
    assert score("dw", [(images, real)], NAMES, replace(FEW, threads=3), {}) == whole
    for cuts in ((1,), (2,), (1, 2)):
        parts = zip(by_class(images, *cuts), by_class(real, *cuts), strict=True)
        assert score("dw", parts, NAMES, replace(FEW, threads=2), {}) == whole
    assert score("dw", [(images, real)], NAMES, replace(FEW, seed=1), {}) != whole


def test_overall_scores_take_their_share_of_every_class():
    images, real = made_up([0, 1, 2], 30, shift=1.0), made_up([0, 1, 2], 25, seed=5)
    images.features[:, 0] = np.arange(90)  # to know the images again
    few = replace(FEW, overall_samples=31, pairwise_samples=20)
    scores, _ = score("dw", [(images, real)], NAMES, few, {})
    counts = [scores[key] for key in ("samples", "overall_samples", "pairwise_samples")]
    assert counts == [90, 31, 20] and scores["real_samples"] == 75
    every, _ = score("dw", [(images, real)], NAMES, FEW, {})
    assert scores["intra_fid"] == every["intra_fid"]
    assert scores["fid"] != every["fid"] and scores["kid"] != every["kid"]


def test_the_authors_mode_offsets_the_fid_and_not_the_intra_fids():
    images, real = made_up([0, 1, 2], 8, shift=1.0), made_up([0, 1, 2], 11, seed=5)
    scores, rows = score("dw", [(images, real)], NAMES, replace(FEW, fid_mode="authors"), {})
    x, y = images.features.astype(float), real.features.astype(float)
    assert scores["fid"] == pytest.approx(frechet_by_sqrtm(x, y, 1e-6), rel=1e-6)
    x, y = x[images.labels == 1], y[real.labels == 1]
    assert rows[1]["intra_fid"] == pytest.approx(frechet_distance(x, y), rel=1e-12)
    assert frechet_distance(x, y) != pytest.approx(frechet_by_sqrtm(x, y, 1e-6), rel=1e-6)
    assert scores["fid_mode"] == "authors"


@pytest.mark.parametrize(
    ("images", "real", "message"),
    [
        (made_up([0], 9), made_up([0, 1], 9), "dw images lack 1 classes: bird"),
        (made_up([0, 1], 9), made_up([1], 9), "real images lack 1 classes: bear"),
        (made_up([0], 9), made_up([0], 9), "real images lack 1 classes: bird"),
        (made_up([1], 9), made_up([1], 9), "real images lack 1 classes: bear"),
        (made_up([0, 1, 2], 9), made_up([0, 1], 9), r"dw images have labels \[2\]"),
        (made_up([0, 1], 1), made_up([0, 1], 9), r"class 0 \(bear\): .* at least 2 images"),
        (made_up([0, 1], 9), made_up([0, 1], 1), r"class 0 \(bear\): .* at least 2 images"),
        (replace(made_up([0, 1], 9), extractor="b"), made_up([0, 1], 9), "cannot be compared"),
    ],
)
def test_score_refuses(images, real, message):
    with pytest.raises(ValueError, match=message):
        score("dw", [(images, real)], NAMES[:2], FEW, {})


def test_score_refuses_classes_that_come_twice_or_out_of_order():
    images, real = made_up([0, 1, 2], 9), made_up([0, 1, 2], 9, seed=5)
    first, second, third = zip(by_class(images, 1, 2), by_class(real, 1, 2), strict=True)
    for parts, message in (
        ([first, second, second], "class 1 comes after class 1"),
        ([first, third, second], "lack 1 classes: bird"),
    ):
        with pytest.raises(ValueError, match=message):
            score("dw", parts, NAMES, FEW, {})


def test_score_refuses_provenance_that_names_a_score():
    with pytest.raises(ValueError, match=r"\['fid'\]"):
        score("dw", [(made_up([0], 24), made_up([0], 9))], ["bear"], FEW, {"fid": 0.0})


def test_real_vs_real_draws_as_many_images_as_a_model_has_samples():
    labels = np.repeat([0, 1, 2], [3, 8, 20])
    rows = np.arange(31, dtype=np.float32)[:, None]
    real = Features(rows, rows, labels, "made_up", "")
    drawn, others = real_vs_real(real, 5, seed=0)
    # Half of a class where that is less, so that the reference is never the smaller set.
    assert np.bincount(drawn.labels).tolist() == [1, 4, 5]
    assert np.bincount(others.labels).tolist() == [2, 4, 15]
    found = np.concatenate([drawn.features, others.features])[:, 0]
    assert sorted(found.tolist()) == list(range(31))
    for part in (drawn, others):
        assert part.labels.tolist() == labels[part.features[:, 0].astype(int)].tolist()
    # The draw of a class depends on the seed, and not on the classes beside it.
    alone, _ = real_vs_real(real.take(labels == 2), 5, seed=0)
    assert alone.features.tolist() == drawn.features[drawn.labels == 2].tolist()
    again, other = real_vs_real(real, 5, seed=0)[0], real_vs_real(real, 5, seed=1)[0]
    assert again.features.tolist() == drawn.features.tolist() != other.features.tolist()
    with pytest.raises(ValueError, match="class 1 has one real image"):
        real_vs_real(made_up([1], 1), 5, seed=0)


def test_intervals_adapt_to_small_classes():
    """Two classes of 30 real images, as a user has them, with the default settings."""
    drawn, others = real_vs_real(made_up([0, 1], 30), 200, seed=0)
    scores, rows = score("real", [(drawn, others)], NAMES[:2], Settings(), {})
    assert (scores["samples"], scores["real_samples"]) == (30, 30)
    for name in SCORES:
        assert scores[f"{name}_low"] <= scores[name] <= scores[f"{name}_high"]
    x, y = (f.features[f.labels == 1] for f in (drawn, others))
    without = [frechet_distance(np.delete(x, i, axis=0), y) for i in range(15)]
    half = stdtrit(14, 0.975) * np.sqrt(14 * np.var(without))  # leaving out each image once
    assert rows[1]["high"] - rows[1]["intra_fid"] == pytest.approx(half, rel=1e-6)


def test_the_interval_of_the_mean_adds_squared_errors():
    images = made_up([0, 1, 2], 30, shift=1.0).take(np.r_[0:30, 30:35, 60:75])
    scores, rows = score("x", [(images, made_up([0, 1, 2], 15, seed=5))], NAMES, Settings(), {})
    degrees = np.array([29, 4, 14])
    errors = [
        (row["high"] - row["intra_fid"]) / stdtrit(count, 0.975)
        for row, count in zip(rows, degrees, strict=True)
    ]
    squares = np.square(errors)
    pooled = squares.sum() ** 2 / np.sum(squares**2 / degrees)  # Welch and Satterthwaite
    half = stdtrit(pooled, 0.975) * np.sqrt(squares.sum()) / 3
    assert scores["intra_fid_high"] - scores["intra_fid"] == pytest.approx(half, rel=1e-9)


def test_the_interval_of_the_fid_holds_the_classes_in_their_numbers():
    """Classes far apart: between draws with as many images of each, only their images vary."""
    images, real = made_up([0, 1, 2], 30), made_up([0, 1, 2], 40, seed=5)
    images.features[:, 0] += 5 * images.labels
    whole, _ = score("x", [(images, real)], NAMES, Settings(), {})
    together = [replace(f, labels=0 * f.labels) for f in (images, real)]
    mixed, _ = score("x", [tuple(together)], NAMES[:1], Settings(), {})
    assert whole["fid"] == pytest.approx(mixed["fid"], rel=1e-9)
    widths = [s["fid_high"] - s["fid_low"] for s in (whole, mixed)]
    assert widths[0] < 0.8 * widths[1]


def test_a_score_may_have_a_value_but_no_interval(tmp_path):
    """Without one of its two images, a class has no covariance."""
    images, real = made_up([0, 1, 2], 2, shift=1.0), made_up([0, 1, 2], 3, seed=5)
    few = Settings(is_splits=6, prdc_k=4, jackknife_groups=2)
    scores, rows = score("x", [(images, real)], NAMES, few, {})
    x, y = (f.features.astype(float) for f in (images, real))
    assert rows[2]["intra_fid"] == pytest.approx(frechet_by_svd(x[4:], y[6:]), rel=1e-5)
    assert scores["inception_score"] == pytest.approx(1)  # of one image a split
    assert scores["precision"] == prdc_by_definition(x, y, 4)["precision"]
    alone = {"inception_score", "intra_fid", "precision", "recall", "density", "coverage"}
    for name in alone:
        assert scores[f"{name}_low"] is scores[f"{name}_high"] is None
    assert scores["fid_low"] < scores["fid"] < scores["fid_high"]
    write_scores(tmp_path / "x.json", tmp_path / "x.csv", None, scores, rows)
    assert read_json(tmp_path / "x.json")["intra_fid_low"] is None
    assert (tmp_path / "x.csv").read_text().splitlines()[1].endswith(",,")
    mixed = images.take(np.r_[0:6]), made_up([0, 1, 2], 3, seed=5)
    more = made_up([0], 9, shift=1.0), mixed[1].take(mixed[1].labels == 0)
    rest = tuple(f.take(f.labels > 0) for f in mixed)
    scores, rows = score("x", [more, rest], NAMES, few, {})
    assert rows[0]["low"] is not None and scores["intra_fid_low"] is None


def test_feature_files_are_read_in_pairs(tmp_path):
    real = made_up([0, 1, 2], 9)
    paths = [tmp_path / "0.npz", tmp_path / "1.npz"]
    for path, part in zip(paths, by_class(real, 2), strict=True):
        write_features(path, part)
    found = [len(images) for images, _ in read_parts(paths, paths)]
    assert found == [18, 9]
    moments, example = read_moments(paths)
    example.check_comparable(real)
    assert moments.count == 27
    np.testing.assert_allclose(moments.mean, real.features.mean(0, dtype=np.float64), rtol=1e-12)
    write_features(paths[1], replace(by_class(real, 2)[1], extractor="another"))
    with pytest.raises(ValueError, match="different extractors"):
        read_moments(paths)
    with pytest.raises(ValueError, match="2 feature files of images and 1 of real images"):
        list(read_parts(paths, paths[:1]))
    with pytest.raises(FileNotFoundError, match="none.npz"):
        list(read_parts([tmp_path / "none.npz"], paths[:1]))


def test_the_subcommand_writes_the_same_bytes_with_one_thread_and_two(tmp_path):
    """In processes of their own, so that BLAS is configured as on the command line."""
    config = mini(metrics={"jackknife_groups": 4})
    write_config(tmp_path, config)
    classes = list(range(len(config["classes"])))
    rng = np.random.default_rng(0)
    images, real = made_up(classes, 30), made_up(classes, 30, seed=5)
    wide = [f.features @ rng.normal(size=(6, 300)) for f in (images, real)]
    for name, f, features in zip(("x", "y"), (images, real), wide, strict=True):
        noise = rng.normal(size=features.shape)
        write_features(tmp_path / f"{name}.npz", replace(f, features=np.float32(features + noise)))
    results = []
    for threads in (1, 2):
        out = tmp_path / str(threads)
        words = ["score", "--config", "config.yaml", "--source", "dw", "--threads", threads]
        words += ["--images", "x.npz", "--real", "y.npz"]
        words += ["--out", f"{out}.json", "--intra", f"{out}.csv"]
        assert start_tinygan(*words, cwd=tmp_path).wait() == 0
        results += [(out.with_suffix(s)).read_bytes() for s in (".json", ".csv")]
    assert results[:2] == results[2:]
    fid = read_json(tmp_path / "1.json")["fid"]
    x, y = (np.load(tmp_path / f"{name}.npz")["features"] for name in "xy")
    assert fid == pytest.approx(frechet_distance(x, y), rel=1e-9)


def test_every_score_is_documented():
    scores, _ = score("x", [(made_up([0], 24), made_up([0], 9))], ["bear"], FEW, {})
    names = [key.removesuffix("_low") for key in scores if key.endswith("_low")]
    assert set(SCORES) < set(names)
    text = (ROOT / "docs/reference/formats.md").read_text()
    assert [name for name in names if f"`{name}`" not in text] == []
