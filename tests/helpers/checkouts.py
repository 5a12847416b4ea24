"""Parts of this checkout, copied for the tests that run Snakemake in a checkout of their own."""

import shutil
from pathlib import Path

from helpers.paths import ROOT


def copy_folders(top: Path, *names: str) -> None:
    """Copy folders of the project into `top`, without compiled files."""
    for name in names:
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
