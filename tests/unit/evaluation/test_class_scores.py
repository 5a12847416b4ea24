"""What each class contributes to the scores: its file, and the scores from several files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinygan.evaluation.class_scores import (
    read_class_scores,
    score_classes,
    write_class_scores,
)
from tinygan.evaluation.parts import add_classes
from tinygan.evaluation.real_moments import read_real_moments, write_real_moments
from tinygan.evaluation.scores import combine, score
from tinygan.evaluation.settings import Settings
from tinygan.features.files import Features, write_features

NAMES = ["cat", "dog", "cow"]
SETTINGS = Settings(is_splits=2, overall_samples=50, pairwise_samples=31, prdc_k=2)


def drawn(seed: int, per_class: int) -> Features:
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], per_class)
    features = rng.standard_normal((len(labels), 5)).astype(np.float32) + labels[:, None]
    logits = rng.standard_normal((len(labels), 4)).astype(np.float32)
    return Features(features, logits, labels, "fake", "0", 32)


@pytest.fixture
def sets() -> tuple[Features, Features]:
    return drawn(0, 20), drawn(1, 30)


def of_class(features: Features, *labels: int) -> Features:
    return features.take(np.isin(features.labels, labels))


def test_scores_from_files_in_any_order_are_those_from_features_to_the_bit(
    sets: tuple[Features, Features], tmp_path: Path
) -> None:
    expected = score("dw", [sets], NAMES, SETTINGS, {})
    paths = []
    for labels in ([2], [0, 1]):
        paths.append(tmp_path / f"{labels[0]}.npz")
        parts = (of_class(features, *labels) for features in sets)
        write_class_scores(paths[-1], score_classes(*parts, NAMES, SETTINGS))
    found = read_class_scores(paths)
    moments = add_classes(None, sets[1])
    assert combine("dw", found, moments, NAMES, SETTINGS, {}) == expected
    # Of 20 images per class, only those are stored that the scores over all classes use.
    assert [len(c.overall) for c in found] == [17, 17, 16]
    assert [len(c.pairwise) for c in found] == [len(c.real_pairwise) for c in found] == [11, 10, 10]


def test_moments_of_files_are_read_as_they_were_computed(
    sets: tuple[Features, Features], tmp_path: Path
) -> None:
    paths = []
    for label in (2, 0, 1):
        paths.append(tmp_path / f"{label}.npz")
        write_features(paths[-1], of_class(sets[1], label))
    write_real_moments(tmp_path / "moments.npz", sorted(paths), NAMES)
    moments, example = read_real_moments(tmp_path / "moments.npz")
    expected = add_classes(None, sets[1])
    assert moments.count == expected.count == 90
    assert np.array_equal(moments.mean, expected.mean)
    assert np.array_equal(moments.scatter, expected.scatter)
    example.check_comparable(sets[0])
    with pytest.raises(ValueError, match="features of different extractors"):
        example.check_comparable(replace(sets[0], extractor="other"))


def test_a_class_of_which_no_pairwise_sample_is_drawn(sets: tuple[Features, Features]) -> None:
    few = replace(SETTINGS, pairwise_samples=2, prdc_k=1)
    scores, _ = score("dw", [sets], NAMES, few, {})
    assert scores["pairwise_samples"] == 2 and 0 <= scores["copies"] <= 1


@pytest.mark.parametrize("planted", [1, 4])
def test_copies_of_pairs_of_the_class_are_counted(planted: int, tmp_path: Path) -> None:
    """As with real images, of which there are none here, and through the file."""
    rng = np.random.default_rng(0)
    images, real = drawn(0, 20), drawn(1, 30)
    images = replace(images, features=rng.standard_normal((60, 40)).astype(np.float32))
    real = replace(real, features=rng.standard_normal((90, 40)).astype(np.float32))
    pairs = replace(drawn(2, 200), features=rng.standard_normal((600, 40)).astype(np.float32))
    all_drawn = replace(SETTINGS, pairwise_samples=60)
    pairs.features[:planted] = images.features[:planted]  # of class 0
    pairs.features[300:302] = images.features[20:22]  # of class 1
    pairs.features[500] = images.features[30]  # of class 2, but an image of class 1
    path = tmp_path / "scores.npz"
    classes = score_classes(images, real, NAMES, all_drawn, pairs=pairs.compact())
    write_class_scores(path, classes)
    assert [c.pair_copies for c in read_class_scores([path])] == [planted, 2, 0]
    assert [c.copies for c in classes] == [0, 0, 0]
    scores, _ = combine("dw", classes, add_classes(None, real), NAMES, all_drawn, {})
    parts = {"parts": [(images, real)], "pairs": [pairs.compact()]}
    assert scores == score("dw", class_names=NAMES, settings=all_drawn, provenance={}, **parts)[0]
    assert scores["pair_copies"] == (planted + 2) / 60 and scores["copies"] == 0
    assert scores["pair_copies_low"] < scores["pair_copies"] < scores["pair_copies_high"]


def test_without_pairs_no_copies_of_pairs_are_reported(sets: tuple[Features, Features]) -> None:
    scores, _ = score("teacher", [sets], NAMES, SETTINGS, {})
    assert not [key for key in scores if key.startswith("pair_copies")]


def test_a_class_without_pairs_is_refused(sets: tuple[Features, Features]) -> None:
    pairs = of_class(drawn(2, 9), 0, 1).compact()
    with pytest.raises(ValueError, match=r"class 2 \(cow\): at least 1 samples are needed, not 0"):
        score_classes(*sets, NAMES, SETTINGS, pairs=pairs)
    with pytest.raises(ValueError, match="features of different extractors"):
        score_classes(*sets, NAMES, SETTINGS, pairs=replace(pairs, extractor="other"))


def test_missing_and_repeated_classes_are_refused(
    sets: tuple[Features, Features], tmp_path: Path
) -> None:
    classes = score_classes(*sets, NAMES, SETTINGS)
    moments = add_classes(None, sets[1])
    with pytest.raises(ValueError, match="the scores of dw lack 1 classes, such as cow"):
        combine("dw", classes[:2], moments, NAMES, SETTINGS, {})
    path = tmp_path / "c.npz"
    write_class_scores(path, classes[1:])
    with pytest.raises(ValueError, match="the scores of class 1 are in two of the files"):
        read_class_scores([path, path])


@pytest.mark.parametrize("read", [lambda path: read_class_scores([path]), read_real_moments])
def test_other_files_are_refused(read, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", features=np.zeros(3))
    (tmp_path / "text.npz").write_text("text")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(ValueError, match=f"{name} is not a valid file of"):
            read(tmp_path / name)
