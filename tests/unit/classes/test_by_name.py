"""Two lists of classes are matched by name, and shards record the names of their classes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.class_stores import WNIDS, pixels, store

from tinygan.classes.by_name import ClassMismatch, match, merge, relabel
from tinygan.data.shards import open_shard, open_store, write_shard
from tinygan.files import read_json, write_json

# Matching.


def test_classes_are_matched_by_name() -> None:
    assert match(["cat", "dog", "cow"], ["cow", "cat"], what="it") == [2, 0]
    assert match({7: "cat", 3: "dog"}, {0: "dog"}, what="it") == [3]
    # ImageNet's tabby has two names, whoever uses which.
    assert match(WNIDS, ["tabby", "n02099601"], what="it", exact=False) == [281, 207]
    assert match(["tabby"], ["n02123045"], what="it", exact=True) == [0]


@pytest.mark.parametrize(
    ("found", "wanted", "exact", "parts"),
    [
        (["cat", "dog"], ["cat", "dgo"], False, ["lacks the classes dgo", "did you mean dog?"]),
        (["cat", "dgo"], ["cat", "dog"], True, ["dgo is not a class", "did you mean dog?"]),
        (["cat", "dog"], ["cat"], True, ["dog is not a class", "it has 2: cat, dog", "has 1"]),
        (["cat"], ["cat", "dog"], True, ["lacks the classes dog", "has 1: cat", "has 2: cat, dog"]),
        (WNIDS, ["cow"], False, ["it has 1000: n01440764", "and 995 more"]),
        (["cat", "cat"], ["cat"], False, ["has the class cat twice"]),
        (["tabby", "n02123045"], ["tabby"], False, ["has the class n02123045 twice"]),
    ],
)
def test_different_lists_are_refused_with_both(
    found: list[str], wanted: list[str], exact: bool, parts: list[str]
) -> None:
    with pytest.raises(ValueError) as caught:
        match(found, wanted, what="it", exact=exact)
    for part in parts:
        assert part in str(caught.value)
    assert len(str(caught.value)) < 400


def test_missing_and_extra_classes_are_listed_separately() -> None:
    with pytest.raises(ClassMismatch) as caught:
        match(["cat", "cow"], ["cat", "dog"], what="it", exact=True)
    assert (caught.value.missing, caught.value.extra) == (["dog"], ["cow"])


def test_labels_follow_their_names() -> None:
    labels, names = relabel(np.array([3, 3, 5]), {3: "dog", 5: "cat"}, ["cat", "dog"], what="f")
    assert labels.tolist() == [1, 1, 0] and names == {0: "cat", 1: "dog"}
    same = np.array([1])
    assert relabel(same, {1: "dog"}, ["cat", "dog"], what="f")[0] is same


def test_files_are_merged_only_if_their_labels_agree() -> None:
    assert merge([{0: "cat"}, {1: "dog"}], what="x") == {0: "cat", 1: "dog"}
    assert merge([None, None], what="x") is None
    for other in ({0: "dog"}, {1: "cat"}):
        with pytest.raises(ValueError, match="x have different labels .*: 0 = cat; but"):
            merge([{0: "cat"}, other], what="x")
    with pytest.raises(ValueError, match="only some of x have class names"):
        merge([{0: "cat"}, None], what="x")


def test_scores_get_one_thread_of_blas_before_numpy_is_there() -> None:
    """BLAS reads the number when NumPy is imported; what it sums in parts rounds differently."""
    code = """
import os, sys, tinygan.cli
print("numpy" in sys.modules)
tinygan.cli.main(["curve", "--config", "no", "--model", "m", "--moments", "r", "--out", "o"])
print(os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"])
"""
    clean = {key: value for key, value in os.environ.items() if "NUM_THREADS" not in key}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean
    )
    assert done.stdout.split() == ["False", "1", "1"]


# Shards.


def test_a_shard_names_its_own_labels(tmp_path: Path) -> None:
    for names in (["cow", "cat", "dog"], {1: "cat", 2: "dog", 9: "cow"}):
        write_shard(
            tmp_path / "s", pixels(1, 2), np.array([1, 2]), source="x", provenance={}, names=names
        )
        assert open_shard(tmp_path / "s").class_names == {1: "cat", 2: "dog"}
    with pytest.raises(ValueError, match=r"names for 1 classes, .* all of the labels \[1, 2\]"):
        store_of = {"source": "x", "provenance": {}, "names": ["cat"]}
        write_shard(tmp_path / "t", pixels(1, 2), np.array([1, 2]), **store_of)
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("names", [["cat", "dog"], {"0": "cat"}, {"0": "cat", "1": 3}])
def test_wrong_names_in_a_manifest_are_refused(tmp_path: Path, names: object) -> None:
    path = store(tmp_path / "s", None) / "manifest.json"
    write_json(path, read_json(path) | {"class_names": names})
    with pytest.raises(ValueError, match="class_names must have a name for each label"):
        open_shard(tmp_path / "s")


def test_a_store_is_relabelled_to_the_classes_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = store(tmp_path / "s", ["dog", "cat"])
    (shard,) = open_store([folder], ["cat", "dog"])
    assert shard.labels.tolist() == [1, 1, 1, 0, 0, 0] and shard.class_names == {0: "cat", 1: "dog"}
    assert open_store([folder])[0].labels.tolist() == [0, 0, 0, 1, 1, 1]
    for classes in (["cat"], ["cat", "dog", "cow"], ["cat", "dgo"]):
        with pytest.raises(ValueError, match=r"has 2: dog, cat; the run has \d: cat"):
            open_store([folder], classes)
    assert not capsys.readouterr().err
    open_store([store(tmp_path / "t", None)], ["cat", "dog"])
    assert "the store has no class names" in capsys.readouterr().err
    with pytest.raises(ValueError, match="have different labels for their classes"):
        other = {"source": "x", "provenance": {}, "names": {2: "cat"}}
        write_shard(tmp_path / "u", pixels(1), np.array([2]), **other)
        open_store([folder, tmp_path / "u"])
