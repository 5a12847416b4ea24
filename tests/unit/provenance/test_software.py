"""The commit, the code and the packages of a run."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tinygan.code import ROOT, STEPS, closure, file_of, names_in, roots_of
from tinygan.provenance.software import (
    CODE,
    PACKAGES,
    code_files,
    code_hashes,
    code_state,
    package_versions,
)

# They read settings, show progress or log; no output depends on their version.
PLUMBING = {"dvclive", "jsonschema", "pyyaml", "tqdm"}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git repository with a file in each folder of code, and one commit."""
    top = tmp_path / "checkout"
    for folder in CODE:
        (top / folder).mkdir(parents=True)
        (top / folder / "a.py").write_text(f"{folder} = 1\n")
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "first")
    return top


def test_a_clean_checkout_has_its_commit(checkout: Path) -> None:
    state = code_state(checkout)
    assert state["commit"] == git(checkout, "rev-parse", "HEAD")
    assert state["clean"] is True and state["changed"] == []


def test_changes_are_listed_but_not_the_lock_file_of_dvc(checkout: Path) -> None:
    (checkout / "dvc.lock").write_text("stages: {}\n")
    assert code_state(checkout)["clean"] is True
    (checkout / "tinygan" / "a.py").write_text("tinygan = 2\n")
    (checkout / "mine with ä.yaml").touch()
    state = code_state(checkout)
    assert state["clean"] is False
    assert state["changed"] == ["tinygan/a.py", "mine with ä.yaml"]


def test_without_a_repository_of_its_own_there_is_no_commit(checkout: Path) -> None:
    inner = checkout / "unpacked"
    for folder in CODE:
        (inner / folder).mkdir(parents=True)
    state = code_state(inner)
    assert (state["commit"], state["clean"], state["changed"]) == (None, None, None)
    assert state["sha256"].keys() == set(CODE)


def test_a_repository_without_a_commit_has_none(checkout: Path) -> None:
    subprocess.run(["rm", "-r", ".git"], cwd=checkout, check=True)
    git(checkout, "init", "-q")
    state = code_state(checkout)
    assert state["commit"] is None and state["clean"] is False


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert code_state(checkout)["commit"] is None


def test_the_hash_of_a_folder_covers_names_and_contents_alone(checkout: Path) -> None:
    before = code_hashes(checkout)
    (checkout / "tinygan" / "__pycache__").mkdir()
    (checkout / "tinygan" / "__pycache__" / "a.pyc").touch()
    (checkout / "tinygan" / "default.yaml").symlink_to("../analysis/a.py")
    assert code_hashes(checkout) == before
    assert [file.name for file in code_files(checkout / "tinygan")] == ["a.py"]
    (checkout / "tinygan" / "a.py").rename(checkout / "tinygan" / "b.py")
    after = code_hashes(checkout)
    assert after["tinygan"] != before["tinygan"] and after["analysis"] == before["analysis"]


def test_packages_are_those_of_this_process_or_the_pins_of_conda(tmp_path: Path) -> None:
    assert package_versions([])["this"]["numpy"] == version("numpy")
    pins = ["numpy==2.0.1", "tqdm==4.0", "tensorflow[and-cuda]==2.21.0", "Pillow==13.0.0"]
    lines = "".join(f"      - {pin}\n" for pin in pins)
    text = f"dependencies:\n  - python =3.11\n  - pip:\n{lines}"
    (tmp_path / "torch-gpu.yaml").write_text(text)
    assert package_versions([tmp_path / "torch-gpu.yaml"]) == {
        "torch-gpu": {"numpy": "2.0.1", "pillow": "13.0.0", "tensorflow": "2.21.0"}
    }


def test_every_package_that_the_steps_and_scripts_import_is_listed() -> None:
    roots = [root for step in STEPS for root in roots_of(step)]
    for package in ("teacher", "features.extractors", "models.students", "data.real"):
        roots += [f"tinygan.{package}.{name}" for name in names_in(f"tinygan.{package}")]
    roots += [f"analysis.{path.stem}" for path in (ROOT / "analysis").glob("*.py")]
    files = [path for name in closure(*roots, neutral=frozenset()) if (path := file_of(name))]
    imported = set()
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text()))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
        imported |= {name.split(".")[0] for name in names}
    owners = packages_distributions()
    found = {
        canonicalize_name(owner)
        for name in imported - set(sys.stdlib_module_names)
        for owner in owners.get(name, [])
    }
    assert found - PLUMBING - {"tinygan"} == set(PACKAGES)
