"""Downloads from servers with faults: resumed, restarted, or refused; whole or not at all."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest
from helpers.web import CLOSED, Site

from tinygan.assets import download as module
from tinygan.assets.download import DiskError, DownloadError, download

CONTENT = bytes(range(256)) * 4000


def get(site: Site, folder: Path, *paths: str) -> bytes:
    """Download the first of these paths into `folder`; return the content."""
    site.files.setdefault("file", CONTENT)
    target = folder / "file"
    download(
        [path if "://" in path else f"{site.address}/{path}" for path in paths],
        folder / ".file.part",
        lambda partial: os.replace(partial, target),
        label="file",
    )
    assert [entry.name for entry in folder.iterdir()] == ["file"]
    return target.read_bytes()


@pytest.mark.parametrize("path", ["file", "plain/file", "moved/file", "flaky/file", "chunked/file"])
def test_a_file_arrives_whole(site: Site, tmp_path: Path, path: str) -> None:
    assert get(site, tmp_path, path) == CONTENT


def test_a_broken_download_is_resumed_where_it_broke(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="interrupted after .* of 1,024,000 bytes"):
        get(site, tmp_path, "cut/file")
    # Three attempts, each with half of what was left.
    first, second, third = site.requests
    assert [first[1], second[1], third[1]] == [None, "bytes=512000-", "bytes=768000-"]
    assert not (tmp_path / "file").exists()
    site.requests.clear()
    # The address belongs to the partial file: of another one, nothing is resumed.
    assert (tmp_path / ".file.part").read_bytes() == CONTENT[:896000]
    assert get(site, tmp_path, "file") == CONTENT
    assert site.requests == [("/file", None)]


def test_a_file_of_unknown_size_needs_its_end(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="endless/file: the transfer was interrupted$"):
        get(site, tmp_path, "endless/file")
    assert get(site, tmp_path, "chunked/file") == CONTENT


def test_the_next_call_resumes(site: Site, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_ATTEMPTS", 1)
    with pytest.raises(DownloadError):
        get(site, tmp_path, "flaky/file")
    site.requests.clear()
    assert get(site, tmp_path, "flaky/file") == CONTENT
    assert site.requests == [("/flaky/file", "bytes=512000-")]


def test_a_server_without_ranges_starts_from_the_beginning(site: Site, tmp_path: Path) -> None:
    site.files["file"] = CONTENT
    partial = tmp_path / ".file.part"
    partial.write_bytes(b"x" * 1000)
    address = f"{site.address}/plain/file"
    state = f'{{"address": "{address}", "size": {len(CONTENT)}, "version": null}}'
    partial.with_name(".file.part.json").write_text(state)
    assert get(site, tmp_path, "plain/file") == CONTENT
    assert site.requests == [("/plain/file", "bytes=1000-")]


@pytest.mark.parametrize("known", [True, False], ids=["etag", "size alone"])
def test_another_version_of_the_file_is_not_appended(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(module, "_ATTEMPTS", 1)
    if not known:
        monkeypatch.setattr(module, "_version", lambda response: None)
    with pytest.raises(DownloadError):
        get(site, tmp_path, "flaky/file")
    new = CONTENT[::-1] if known else CONTENT[:-1]
    site.files["file"] = new
    assert get(site, tmp_path, "flaky/file") == new


def test_a_complete_download_that_was_not_accepted_is_not_repeated(
    site: Site, tmp_path: Path
) -> None:
    site.files["file"] = CONTENT
    address, partial = f"{site.address}/file", tmp_path / ".file.part"

    def stop(path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download([address], partial, stop, label="file")
    site.requests.clear()
    assert get(site, tmp_path, "file") == CONTENT and not site.requests


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("forbidden/file", "the server returned 403 Forbidden"),
        ("missing/file", "the server returned 404 Not Found"),
        ("page", "the download is an HTML page and not the file itself"),
        ("login/file", "the download is an HTML page and not the file itself"),
        ("drive", "the download is a page of Google Drive .* open its address in a browser"),
        (f"{CLOSED}/file", "no connection: Connection refused"),
        ("http://no-such-host.invalid/file", "no connection: "),
        ("not-an-address://x", "unknown url type"),
    ],
)
def test_the_next_address_is_tried_and_each_failure_explained(
    site: Site, tmp_path: Path, path: str, message: str
) -> None:
    assert get(site, tmp_path, path, "file") == CONTENT
    shutil.rmtree(tmp_path)
    with pytest.raises(DownloadError, match=f"{message}.*; .*broken/file: the server returned 503"):
        get(site, tmp_path, path, "broken/file")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=1000)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: free)
        with pytest.raises(DiskError, match="1,024,000 bytes are needed, but 1,000 are free"):
            get(site, tmp_path, "file", "plain/file")
    assert len(site.requests) == 1  # another address would not help

    class Full:
        """A file on a disk that becomes full."""

        def __init__(self, file) -> None:
            self.file, self.room = file, 400_000

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *error) -> None:
            self.file.close()

        def write(self, data: bytes) -> None:
            self.file.write(data[: self.room])
            self.room -= len(data)
            if self.room < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_CHUNK", 300_000)
    with monkeypatch.context() as patch:
        patch.setattr(module, "open", lambda *words: Full(open(*words)), raising=False)
        with pytest.raises(DiskError, match=r"part \(No space left on device\): free space"):
            get(site, tmp_path, "file")
    site.requests.clear()
    assert get(site, tmp_path, "file") == CONTENT
    assert site.requests == [("/file", "bytes=400000-")]


def test_a_cache_that_cannot_be_written_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(DiskError, match="cannot write .*cache.* set TINYGAN_CACHE to another"):
        get(site, tmp_path / "cache", "file")


def test_two_downloads_into_one_folder_do_not_mix(site: Site, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(BlockingIOError, match="another process is downloading into"):
        get(site, tmp_path, "file")
    os.close(descriptor)
    assert get(site, tmp_path, "file") == CONTENT


def test_the_progress_is_on_standard_error(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    get(site, tmp_path, "file")
    output = capsys.readouterr()
    assert "file: 100%" in output.err and not output.out
