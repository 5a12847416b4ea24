"""External weights that are wrong, damaged or contain code: each is refused and named."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.published_weights import biggan_weights, sngan_file, tinygan_file
from torch import Tensor

from tinygan.models.converters import biggan_torch, sngan_chainer, tinygan_authors


@pytest.fixture(scope="module")
def biggan() -> dict[str, Tensor]:
    return biggan_weights()


def changed(weights: dict[str, Tensor], name: str, value: Tensor | None) -> dict[str, Tensor]:
    weights = dict(weights)
    weights.pop(name, None)
    return weights if value is None else weights | {name: value}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fc.weight", None, "it has no matrix fc.weight"),
        ("fc.weight", torch.zeros(100, 6), "fc.weight has 100 rows, which do not fit 3 blocks"),
        ("fc.bias", None, "1 missing (fc.bias)"),
        ("extra", torch.zeros(1), "1 unknown (extra)"),
        ("bn.weight", torch.zeros(5), "bn.weight has the shape [5], which does not fit"),
        ("bn.bias", torch.zeros(()), "bn.bias has the shape []"),
        ("bn.bias", torch.full((4,), torch.nan), "bn.bias has NaN or infinite values"),
        ("bn.bias", "text", "bn.bias is not an array of numbers"),
        ("blocks.1.cbn1.embed.bias", torch.zeros(15), "has the shape [15]"),
        ("blocks.7.c_sc.bias", torch.zeros(4), "its blocks are not 0, 1, 2"),
    ],
)
def test_a_wrong_student_is_refused(tmp_path: Path, name: str, value: object, message: str) -> None:
    tinygan_file(tmp_path / "m.tar", **{name: value})
    with pytest.raises(ValueError) as caught:
        tinygan_authors.read_student(tmp_path / "m.tar")
    assert message in str(caught.value) and str(tmp_path / "m.tar") in str(caught.value)


@pytest.mark.parametrize("content", [[1, 2], {"G": 3}, {"G": {"a": 1}}, {3: 4}, torch.zeros(2)])
def test_other_contents_are_neither_student_nor_teacher(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "m.tar")
    for read in (tinygan_authors.read_student, biggan_torch.read_generator):
        with pytest.raises(ValueError, match=r"m\.tar is not a"):
            read(tmp_path / "m.tar")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("l1/W", None, "it has no matrix l1/W"),
        ("block2/b1/gammas/W", None, "it has no matrix block2/b1/gammas/W"),
        ("l1/W", np.zeros((100, 6)), "l1/W has 100 rows, which do not fit 3 blocks"),
        ("b5/beta", None, "1 missing (b5/beta)"),
        ("optimizer/t", np.zeros(1), "1 unknown (optimizer/t)"),
        ("l5/b", np.zeros(4), "l5/b has the shape [4], which does not fit to_rgb.bias [3]"),
        ("block3/b2/betas/W", np.zeros((9, 8)), "block3/b2/betas/W has the shape [9, 8]"),
        ("b5/avg_var", np.full(4, np.inf), "b5/avg_var has NaN or infinite values"),
        ("b5/N", np.array(None), "contains more than arrays of numbers"),
        ("b5/N", np.array("text"), "contains more than arrays of numbers"),
    ],
)
def test_a_wrong_snapshot_is_refused(
    tmp_path: Path, name: str, value: object, message: str
) -> None:
    sngan_file(tmp_path / "g.npz", **{name: value})
    with pytest.raises(ValueError) as caught:
        sngan_chainer.read_generator(tmp_path / "g.npz")
    assert message in str(caught.value) and str(tmp_path / "g.npz") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("embeddings.weight", None, "1 missing (embeddings.weight)"),
        ("generator.layers.11.gamma", torch.zeros(1), "1 unknown (generator.layers.11.gamma)"),
        ("embeddings.weight", torch.zeros(7), "E(y) or the last batch norm has another shape"),
        ("embeddings.weight", torch.zeros(7, 10), "has the shape [128, 12], which does not fit"),
        ("generator.gen_z.bias", torch.zeros(2047), "gen_z.bias has the shape [2047]"),
        ("generator.layers.2.conv_1.weight_v", torch.zeros(3), "the spectral norm of"),
        ("generator.layers.2.conv_1.weight_u", torch.zeros(32), "NaN or infinite"),
        ("generator.bn.running_means", torch.zeros(8), "running_means has the shape [8]"),
        ("generator.bn.running_means", torch.zeros(0, 8), "running_means has the shape [0, 8]"),
        ("generator.bn.running_means", torch.zeros(50, 8), "statistics of [50, 51] truncations"),
        ("generator.bn.running_vars", -torch.ones(51, 8), "not finite or are negative"),
        ("generator.bn.weight", 3, "generator.bn.weight is not an array of numbers"),
    ],
)
def test_a_wrong_teacher_is_refused(
    biggan: dict[str, Tensor],
    tmp_path: Path,
    name: str,
    value: object,
    message: str,
) -> None:
    torch.save(changed(biggan, name, value), tmp_path / "b.bin")
    with pytest.raises(ValueError) as caught:
        biggan_torch.read_generator(tmp_path / "b.bin")
    assert message in str(caught.value) and str(tmp_path / "b.bin") in str(caught.value)


READERS = {
    "tinygan": tinygan_authors.read_student,
    "biggan": biggan_torch.read_generator,
    "sngan": sngan_chainer.read_generator,
}


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", ["bare", "saved", "legacy", "member"])
def test_code_in_a_file_is_refused_and_does_not_run(tmp_path: Path, reader: str, form: str) -> None:
    mark, path = tmp_path / "ran", tmp_path / "evil"
    evil = {"G": {"embeding.weight": Touch(mark)}}
    if form == "bare":
        path.write_bytes(pickle.dumps(evil, protocol=2))
    elif form == "member":
        array = np.array([Touch(mark)], dtype=object)
        with open(path, "wb") as file:
            np.savez(file, **{"l1/W": array})
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=form == "saved")
    with pytest.raises(ValueError, match="evil"):
        READERS[reader](path)
    assert not mark.exists()
    Touch(mark).__reduce__()[0](mark)  # the mark would have shown it
    assert mark.exists()


@pytest.mark.parametrize("reader", READERS)
def test_a_truncated_or_foreign_file_is_refused(tmp_path: Path, reader: str) -> None:
    tinygan_file(tmp_path / "tinygan")
    torch.save(biggan_weights(), tmp_path / "biggan")
    sngan_file(tmp_path / "sngan.npz")
    (tmp_path / "sngan.npz").rename(tmp_path / "sngan")
    whole = (tmp_path / reader).read_bytes()
    path = tmp_path / "file"
    parts = [len(whole) * k // 10 for k in range(10)] + [len(whole) - 1, 1, 2, 10]
    for cut in parts:
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="file"):
            READERS[reader](path)
    path.write_text("no weights at all\n")
    with pytest.raises(ValueError, match="file"):
        READERS[reader](path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "nothing")
    with pytest.raises(ValueError, match="file"):
        READERS[reader](path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        READERS[reader](tmp_path / "absent")
