"""The cache folder: where an asset is, whether it is there, and which hash it must have.

In a config, `asset:NAME` stands for the asset's path in the cache, so that the same config runs on
every machine.
"""

import difflib
import os
from pathlib import Path

from tinygan.assets.table import ASSETS

PREFIX = "asset:"


def cache_folder() -> Path:
    """Return $TINYGAN_CACHE or, if it is not set, the folder tinygan of the user's caches."""
    if folder := os.environ.get("TINYGAN_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinygan"


def is_asset(value: str | None) -> bool:
    """Return whether a value of the config is `asset:NAME`."""
    return value is not None and value.startswith(PREFIX)


def asset_name(value: str, kind: str | None = None) -> str:
    """Return the name of an asset, as in the table and for `tinygan fetch`.

    Args:
        value: `asset:NAME`.
        kind: of a teacher, `teacher.kind`.

    Raises:
        ValueError: there is no such asset.
    """
    name = value.removeprefix(PREFIX) + (f"-{kind}" if kind else "")
    if name not in ASSETS:
        raise ValueError(unknown_asset(name))
    return name


def unknown_asset(name: str) -> str:
    """Say that there is no such asset, and which is meant."""
    match = difflib.get_close_matches(name, ASSETS, n=1, cutoff=0.4)
    hint = f"; did you mean {match[0]}?" if match else ""
    return f"there is no asset {name}{hint} (`tinygan fetch --list` shows all)"


def asset_path(name: str) -> Path:
    """Return what the config's `asset:NAME` stands for: a file, or the folder of a model."""
    path = cache_folder() / ASSETS[name].path
    return path.parent if ASSETS[name].kind == "model" else path


def is_present(name: str) -> bool:
    """Return whether an asset is complete in the cache."""
    files = {"module": "saved_model.pb", "model": "card.json", "file": ""}
    return (asset_path(name) / files[ASSETS[name].kind]).is_file()


def locate(value: str, kind: str | None = None) -> str:
    """Return the path that a value of the config stands for: of `asset:NAME`, that in the cache.

    Args:
        value: a path or URL, which is returned as it is, or `asset:NAME`.
        kind: of a teacher, `teacher.kind`.

    Raises:
        ValueError: there is no such asset.
    """
    return str(asset_path(asset_name(value, kind))) if is_asset(value) else value


def require(value: str, kind: str | None = None) -> str:
    """Return the path like `locate`, and check that an asset is in the cache.

    Raises:
        ValueError: there is no such asset.
        FileNotFoundError: it has not been fetched.
    """
    if is_asset(value) and not is_present(name := asset_name(value, kind)):
        raise FileNotFoundError(not_fetched([name]))
    return locate(value, kind)


def not_fetched(names: list[str]) -> str:
    """Say that assets are not in the cache, and how to get them there."""
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{' and '.join(names)} {verb} not in the cache {cache_folder()}: run "
        f"`tinygan fetch {' '.join(names)}`"
    )


def record_of(name: str) -> Path:
    """Return the file beside an asset that records its SHA-256 at first use."""
    path = cache_folder() / ASSETS[name].path
    return path.with_name(f"{path.name}.sha256")


def expected_sha256(name: str) -> tuple[str | None, str]:
    """Return the SHA-256 that an asset must have, if known, and where it is from.

    Of a module, it is that of the folder, see `tinygan.folders.folder_sha256`.
    """
    if ASSETS[name].sha256:
        return ASSETS[name].sha256, "was published"
    record = record_of(name)
    digest = record.read_text().split()[:1] if record.is_file() else []
    return (digest[0] if digest else None), f"was recorded at first use in {record}"


def sha256_problem(name: str, actual: str) -> str:
    """Say that an asset's SHA-256 is not the published or recorded one; empty if it is."""
    expected, origin = expected_sha256(name)
    if expected in (None, actual):
        return ""
    return f"it has the SHA-256 {actual}, but {expected} {origin}"
