"""External files and URLs that are not what they should be: the errors say what to do."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.web import CLOSED, serve
from PIL import Image

from tinygan.cli import main
from tinygan.data.decode import decode
from tinygan.data.real.imagenet import open_imagenet
from tinygan.data.shards import open_shard, write_shard
from tinygan.external import check_content
from tinygan.features.files import read_features
from tinygan.features.inception_tf import open_inception
from tinygan.models.converters.foreign import read_npz, read_torch
from tinygan.models.io import load_weights
from tinygan.models.students import build_student
from tinygan.teacher import tfhub as hub

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
HTML = b"\xef\xbb\xbf\n <!DOCTYPE HTML><html><title>Sign in</title></html>"
XML = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
WRONG = [
    (LFS, "is a Git LFS pointer and not the file itself: run `git lfs pull`"),
    (HTML, "is an HTML page and not the file itself: download the file"),
    (XML, "is an XML response of a server"),
    (b'{"error": "rate limit"}', "is a JSON response of a server"),
    (b"", "is empty: download it again"),
]
STUDENT = {"architecture": "dw", "channels": 4, "classes": 2, "image_size": 32, "z_dim": 8}
READERS = {
    "torch": read_torch,
    "npz": read_npz,
    "weights": lambda path: load_weights(build_student(**STUDENT, embedding=4), path),
    "features": lambda path: read_features([path]),
    "imagenet": lambda path: open_imagenet(path, ["n01440764"]),
}


@pytest.mark.parametrize(("content", "message"), WRONG, ids=["lfs", "html", "xml", "json", "empty"])
@pytest.mark.parametrize("reader", READERS)
def test_a_wrong_file_is_named_for_what_it_is(
    tmp_path: Path, reader: str, content: bytes, message: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        READERS[reader](path)
    assert str(path) in str(caught.value) and "pickle" not in str(caught.value)


def test_compressed_files_and_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(gzip.compress(b"weights"))
    with pytest.raises(ValueError, match="compressed by gzip: unpack it first"):
        read_torch(tmp_path / "a.bin")
    np.savez(tmp_path / "b.npz", x=np.ones(2))
    with pytest.raises(ValueError, match="a ZIP archive, as torch.save"):
        READERS["weights"](tmp_path / "b.npz")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="folder is a folder, but a file is needed"):
        read_npz(tmp_path / "folder")
    check_content(tmp_path / "b.npz", "zip")


def test_objects_in_an_npz_are_refused_without_the_advice_to_unpickle_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="contains more than arrays of numbers$") as caught:
        read_npz(tmp_path / "x.npz")
    assert "pickle" not in str(caught.value)


def test_pointers_among_images_and_arrays_are_named(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(LFS)
    with pytest.raises(ValueError, match="the image format; it is a Git LFS pointer"):
        decode(tmp_path / "cat.png")
    (tmp_path / "good.png").write_bytes(b"")
    Image.new("RGB", (2, 2)).save(tmp_path / "good.png")
    assert decode(tmp_path / "good.png").size == (2, 2)
    images, labels = np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 0])
    write_shard(tmp_path / "shard", images, labels, source="x", provenance={})
    (tmp_path / "shard" / "images.npy").write_bytes(LFS)
    with pytest.raises(ValueError, match="images.npy is a Git LFS pointer"):
        open_shard(tmp_path / "shard")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve() as site:
        yield site.address


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/forbidden/x", "the server returned 403 Forbidden"),
        ("/page", "the download is an HTML page"),
        (None, "no connection: Connection refused"),
    ],
)
def test_a_failed_download_of_the_graph_is_explained(
    address: str, path: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path))
    url = f"{address if path else CLOSED}{path or '/graph.tar.gz'}"
    with pytest.raises(OSError, match=rf"cannot download {url}: {message}.*inception_graph"):
        with open_inception(url, 1):
            pass
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/forbidden/x", r"cannot be downloaded \(the server returned 403 Forbidden\)"),
        ("/page", r"cannot be downloaded .*does not appear to be a valid module"),
        (None, r"cannot be downloaded \(no connection: Connection refused\)"),
    ],
)
def test_a_failed_download_of_a_module_is_explained(
    address: str, path: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    handle = f"{address if path else CLOSED}{path or '/biggan-deep-128/1'}"
    with pytest.raises(ValueError, match=message) as caught:
        hub.load_teacher(handle, classes=2, z_dim=4, image_size=8)
    text = str(caught.value)
    assert handle in text and "give its folder" in text and "urlopen" not in text


@pytest.mark.slow
def test_a_damaged_module_is_named_with_the_folder_to_delete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    handle = "https://example.org/biggan-deep-128/1"
    cached = tmp_path / hashlib.sha1(handle.encode()).hexdigest()
    local = tmp_path / "module"
    for folder in (cached, local):
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(b"\x08\x01\x12\xff\xff\xff")
    with pytest.raises(ValueError, match=f"{cached} is damaged or truncated .* delete this folder"):
        hub.load_teacher(handle, classes=2, z_dim=4, image_size=8)
    with pytest.raises(ValueError, match="module is damaged or truncated"):
        hub.load_teacher(str(local), classes=2, z_dim=4, image_size=8)
    (local / "saved_model.pb").write_bytes(LFS)
    with pytest.raises(ValueError, match="saved_model.pb is a Git LFS pointer"):
        hub.load_teacher(str(local), classes=2, z_dim=4, image_size=8)


def test_errors_are_explained_without_their_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "w.bin").write_bytes(HTML)
    assert main(["import-tinygan", str(tmp_path / "none"), "--out", str(tmp_path / "m")]) == 1
    assert "none: there is no such file of weights" in capsys.readouterr().err
    assert main(["import-tinygan", str(tmp_path / "w.bin"), "--out", str(tmp_path / "m")]) == 1
    assert "w.bin is an HTML page" in capsys.readouterr().err
    words = ["cost", "--paper", "--out", str(tmp_path / "file" / "cost.csv")]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "[Errno" not in error and str(tmp_path / "file") in error
