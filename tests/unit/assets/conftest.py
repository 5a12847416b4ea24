"""A web server, and a cache of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.web import Site, serve


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, which does not exist yet."""
    monkeypatch.setenv("TINYGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
