"""The files of features, and what does not belong together."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.metrics_reference import made_up

from tinygan.features.files import Features, read_features, write_features


def assert_same(a: Features, b: Features) -> None:
    for name in ("features", "logits", "labels"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    names = ("extractor", "extractor_sha256", "input_size")
    assert [getattr(a, name) for name in names] == [getattr(b, name) for name in names]


def test_features_survive_files_and_come_back_in_order_of_class(tmp_path):
    whole = made_up([0, 1, 2, 3], 5)
    paths = [tmp_path / "new" / "000-001.npz", tmp_path / "002-003.npz"]
    write_features(paths[0], whole.take(whole.labels < 2))
    write_features(paths[1], whole.take(whole.labels >= 2))
    assert_same(read_features(paths), whole)
    assert_same(read_features(reversed(paths)), whole)
    sized = replace(whole, input_size=64)
    write_features(paths[0], sized)
    assert_same(read_features(paths[:1]), sized)
    with np.load(paths[0], allow_pickle=False) as file:
        assert file["extractor"].shape == () and str(file["extractor"]) == "made_up"


def test_read_features_refuses_what_does_not_belong_together(tmp_path):
    first, second = replace(made_up([0], 3), input_size=64), made_up([1], 3)
    path, other = tmp_path / "a.npz", tmp_path / "b.npz"
    write_features(path, first)
    with pytest.raises(ValueError, match="no feature file"):
        read_features([])
    with pytest.raises(FileNotFoundError, match="none.npz"):
        read_features([tmp_path / "none.npz"])
    with pytest.raises(ValueError, match="class 0 is in"):
        read_features([path, path])
    for bad in (
        replace(second, extractor="another"),
        replace(second, extractor_sha256="1" * 64),
        replace(second, features=second.features[:, :5]),
        replace(second, input_size=32),
    ):
        write_features(other, bad)
        with pytest.raises(ValueError, match="cannot be compared"):
            read_features([path, other])
    other.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="not a valid feature file"):
        read_features([other])
    np.savez(other, features=first.features)
    with pytest.raises(ValueError, match="not a valid feature file"):
        read_features([other])


def test_features_refuse_unequal_rows_and_none():
    good = made_up([0], 3)
    with pytest.raises(ValueError, match=r"\[N, D\]"):
        replace(good, labels=good.labels[:2])
    with pytest.raises(ValueError, match="no images"):
        good.take(np.zeros(3, dtype=bool))
