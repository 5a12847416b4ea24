import numpy as np
import pytest
from PIL import Image

from tinygan.data.shards import open_store, write_shard
from tinygan.features.files import Features
from tinygan.files import sha256
from tinygan.mini_teacher.card import write_card
from tinygan.mini_teacher.linear_probe import RIDGES, accuracy
from tinygan.planning.run import load


def blobs(classes, count, seed, dimensions=6, labels=None):
    """Clusters of features, one per class, far apart along one axis each."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(classes), count)
    features = rng.normal(size=(len(truth), dimensions)).astype(np.float32)
    features[np.arange(len(truth)), truth] += 8
    labels = truth if labels is None else labels
    logits = rng.normal(size=(len(truth), 5)).astype(np.float32)
    return Features(features, logits, np.asarray(labels, np.int64), "blobs", "0")


def test_separate_clusters_are_classified_and_wrong_labels_are_not():
    real = blobs(4, 60, 0)
    assert accuracy(blobs(4, 20, 1), real) == (1.0, 1.0)
    rolled = np.repeat([1, 2, 3, 0], 20)
    named, held_out = accuracy(blobs(4, 20, 1, labels=np.sort(rolled)), real)
    assert (named, held_out) == (1.0, 1.0)
    halved = np.repeat([0, 0, 2, 2], 20)  # the images of classes 1 and 3 were meant to be 0 and 2
    assert accuracy(blobs(4, 20, 1, labels=halved), real)[0] == 0.5


def test_the_classifier_is_ridge_regression():
    """Against least squares on rows stacked with the penalty's, to the same answers."""
    rng = np.random.default_rng(2)
    real, images = blobs(3, 40, 3), blobs(3, 40, 4)
    for features in (real.features, images.features):
        features += 4 * rng.normal(size=features.shape).astype(np.float32)
    even = np.arange(120) % 2 == 0
    mean, std = real.features[even].mean(0), real.features[even].std(0) + 1e-6

    def design(x):
        return np.hstack([(x - mean) / std, np.ones((len(x), 1))])

    x, y = design(real.features[even]), np.eye(3)[real.labels[even]]

    def named(ridge, features):
        penalty = np.sqrt(ridge * len(x)) * np.eye(x.shape[1])
        stacked = np.vstack([y, np.zeros((len(penalty), 3))])
        weights = np.linalg.lstsq(np.vstack([x, penalty]), stacked, rcond=None)[0]
        return (design(features) @ weights).argmax(1)

    held_out = {r: (named(r, real.features[~even]) == real.labels[~even]).mean() for r in RIDGES}
    best = max(held_out.values())
    error = np.sqrt(best * (1 - best) / 60)
    ridge = max(r for r, value in held_out.items() if value >= best - error)
    expected = (named(ridge, images.features) == images.labels).mean()
    assert 0.4 < expected < 1
    assert accuracy(images, real) == pytest.approx((expected, held_out[ridge]), abs=1e-12)


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match=r"classes \[3\]"):
        accuracy(blobs(4, 4, 0), blobs(3, 4, 0))


def test_card_names_module_and_scores(tmp_path):
    config = load("config.yaml")
    module = tmp_path / "module"
    module.mkdir()
    (module / "saved_model.pb").write_bytes(b"module")
    config["teacher"]["handle"] = str(module)
    classes = len(config["classes"])
    images = np.random.default_rng(0).integers(0, 256, (classes * 20, 32, 32, 3), dtype=np.uint8)
    labels = np.repeat(np.arange(classes), 20)
    write_shard(tmp_path / "shard", images, labels, source="teacher", provenance={})
    real, samples = blobs(classes, 30, 0, 12), blobs(classes, 20, 1, 12)
    card = tmp_path / "card.md"
    write_card(card, config, open_store([tmp_path / "shard"]), samples, real)
    text = card.read_text()
    assert sha256(module / "saved_model.pb") in text
    assert "| Intended class recognised | 100.0% of the samples" in text
    assert "| Samples, real images | 200, 300 |" in text
    with Image.open(tmp_path / "card.png") as grid:
        assert grid.size == (8 * 64, classes * 64)
        pixels = np.asarray(grid)
    np.testing.assert_array_equal(pixels[:64:2, 64:128:2], images[1])
