"""Put an asset into the cache: downloaded, or from a file that the user has; checked and whole."""

import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from tinygan.assets.cache import (
    cache_folder,
    expected_sha256,
    record_of,
    sha256_problem,
    unknown_asset,
)
from tinygan.assets.download import DownloadError, download
from tinygan.assets.table import ASSETS
from tinygan.external import check_content
from tinygan.files import atomic_file, atomic_folder, sha256, write_text
from tinygan.folders import folder_sha256

_GRAPH = "saved_model.pb"  # of a TF-Hub module


def fetch(name: str, source: Path | None = None) -> tuple[Path, str]:
    """Make sure that an asset is in the cache, and is the right one.

    Args:
        name: as in `tinygan.assets.table`.
        source: a file that was downloaded by hand; of a module, its archive or its folder.

    Returns:
        its path, and its SHA-256; of a module, that of the folder.

    Raises:
        ValueError: there is no such asset; what is in the cache, or the source, is damaged or not
            the asset with the published or recorded hash; or there are both.
        FileNotFoundError: there is no such source.
        OSError: it cannot be downloaded or written; the message says what to do by hand.
    """
    if name not in ASSETS:
        raise ValueError(unknown_asset(name))
    asset, path = ASSETS[name], cache_folder() / ASSETS[name].path
    if (path / _GRAPH if asset.kind == "module" else path).is_file():
        if source is not None:
            raise ValueError(f"{name} is in the cache already: delete {path} first to replace it")
        digest = _checked(name, path, _again(name, path))
    elif source is not None:
        if not source.exists():
            raise FileNotFoundError(f"there is no file or folder {source}")
        digest = _install(name, source, f"{source}: ")
    else:
        digest = _download(name, path)
    if expected_sha256(name)[0] is None:
        write_text(record_of(name), f"{digest}  {path.name}\n")
    return path, digest


def _again(name: str, path: Path) -> str:
    """Return the beginning of a sentence on a wrong file in the cache."""
    record = "" if ASSETS[name].sha256 else f", and {record_of(name)} if the change was intended,"
    return f"{path}: delete it{record} and run `tinygan fetch {name}` again: "


def _download(name: str, path: Path) -> str:
    asset = ASSETS[name]
    digests = []
    try:
        download(
            asset.addresses,
            path.with_name(f".{path.name}.part"),
            lambda file: digests.append(_install(name, file, "the download: ", move=True)),
            label=name,
        )
    except DownloadError as error:
        raise DownloadError(
            f"{name} cannot be downloaded ({error}); by hand: {asset.by_hand}, then run "
            f"`tinygan fetch {name} --from FILE`, which checks it and puts it at {path}"
        ) from error
    return digests[0]


def _install(name: str, source: Path, what: str, *, move: bool = False) -> str:
    """Check a complete file, archive or folder, and put it at its place; return its SHA-256."""
    path = cache_folder() / ASSETS[name].path
    if ASSETS[name].kind != "module":
        digest = _checked(name, source, what)
        with atomic_file(path) as incomplete:
            (os.replace if move else shutil.copyfile)(source, incomplete)
        return digest
    with atomic_folder(path, ()) as incomplete:
        if source.is_dir():
            shutil.copytree(source, incomplete, dirs_exist_ok=True)
        else:
            _unpack(source, incomplete)
        if not (incomplete / _GRAPH).is_file():
            raise ValueError(f"{what}it has no {_GRAPH}, so it is no TF-Hub module")
        return _checked(name, incomplete, what)


def _checked(name: str, path: Path, what: str) -> str:
    """Return the SHA-256 of a file or module; refuse a wrong one, in a sentence after `what`."""
    if path.is_dir():
        digest = folder_sha256(path)
    else:
        check_content(path, "zip", "gzip")
        digest = sha256(path)
    blob = ASSETS[name].git_blob
    if blob and (actual := git_blob(path)) != blob:
        raise ValueError(f"{what}its git blob id is {actual}, but the published one is {blob}")
    if problem := sha256_problem(name, digest):
        raise ValueError(f"{what}{problem}")
    return digest


def git_blob(path: Path) -> str:
    """Return the id of a file's content in a git repository, a SHA-1 in hexadecimal."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a module's archive, and refuse everything else in it.

    The module may be in a folder of the archive.

    Raises:
        ValueError: it is damaged, or has links, devices or names that lead out of the folder.
    """
    try:
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if not member.isdir()]
            for member, parts in _inside(members):
                path = folder.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as content, open(path, "xb") as file:
                    for chunk in iter(partial(content.read, 1 << 20), b""):
                        file.write(chunk)
    except (tarfile.TarError, EOFError, zlib.error, FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"{archive} is not a valid archive of a module ({error})") from error


def _inside(
    members: Sequence[tarfile.TarInfo],
) -> list[tuple[tarfile.TarInfo, tuple[str, ...]]]:
    """Return the members below the folder with the graph, and their paths relative to it."""
    paths = {}
    for member in members:
        parts = PurePosixPath(member.name).parts
        if not member.isfile() or ".." in parts or parts[:1] == ("/",):
            raise ValueError(f"its archive has {member.name}, which is not a plain file inside it")
        paths[member] = parts
    tops = sorted((parts[:-1] for parts in paths.values() if parts[-1] == _GRAPH), key=len)
    top = tops[0] if tops else ()
    return [
        (member, parts[len(top) :]) for member, parts in paths.items() if parts[: len(top)] == top
    ]
