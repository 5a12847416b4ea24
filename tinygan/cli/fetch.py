"""The subcommand that fills the cache with published weights."""

import argparse
from pathlib import Path

from tinygan.assets.cache import asset_path, cache_folder, expected_sha256, is_present
from tinygan.assets.install import fetch
from tinygan.assets.table import ASSETS
from tinygan.cli.converters import SUBCOMMANDS as IMPORTERS
from tinygan.cli.options import Arguments, Config, Subcommand
from tinygan.files import read_json


def _fetch(_: Config, arguments: Arguments) -> None:
    """Download published weights into the cache, and check them.

    A download that broke is resumed. With --from, a file that was downloaded by hand is checked and
    put into the cache. The cache is the folder TINYGAN_CACHE of the environment, by default
    ~/.cache/tinygan.
    """
    if arguments.list:
        print(f"cache: {cache_folder()} (set TINYGAN_CACHE for another)")
        for name in ASSETS:
            print(f"\n{_described(name)}")
        return
    if not arguments.names or (arguments.source and len(arguments.names) > 1):
        raise ValueError("give the name of an asset, one with --from; see `tinygan fetch --list`")
    for name in arguments.names:
        path, digest = fetch(name, arguments.source)
        if ASSETS[name].importer:
            _import(name, path, digest)
        print(_described(name))


def _described(name: str) -> str:
    """Return what there is to say about an asset, in some lines."""
    asset, (digest, _) = ASSETS[name], expected_sha256(name)
    known = f"{digest} ({'published' if asset.sha256 else 'recorded at first use'})"
    unknown = "not published; recorded at first use"
    if asset.git_blob:
        unknown += f" (published: git's id {asset.git_blob}, which is checked)"
    state = "in the cache" if is_present(name) else "not in the cache"
    rows = {
        "config": asset.config,
        "size": asset.size,
        "path": f"{asset_path(name)} ({state})",
        "SHA-256": known if digest else unknown,
    }
    lines = [f"{name}: {asset.what}", *(f"  {key:8} {value}" for key, value in rows.items())]
    return "\n".join(lines)


def _import(name: str, path: Path, digest: str) -> None:
    """Import the weights of a model into the folder of their file, unless that has been done."""
    card = path.with_name("card.json")
    if not card.is_file() or read_json(card)["imported_from"]["sha256"] != digest:
        function, _ = IMPORTERS[ASSETS[name].importer]
        function({}, argparse.Namespace(file=path, out=path.parent, classes=None))


SUBCOMMANDS: dict[str, Subcommand] = {
    "fetch": (
        _fetch,
        {
            "names": {"nargs": "*", "metavar": "NAME", "help": "names of assets, see --list"},
            "--from": {
                "dest": "source",
                "type": Path,
                "metavar": "FILE",
                "help": "file, archive or folder to take instead of downloading",
            },
            "--list": {
                "action": "store_true",
                "help": "show all assets: size, place, whether they are there, hash",
            },
        },
    ),
}
