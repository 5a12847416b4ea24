"""The target `playground`: what it makes, and what it says without npm."""

import shutil
from pathlib import Path

import pytest
from helpers.checkouts import jobs, make_checkout, snakemake
from helpers.paths import BIN, ROOT

from tinygan.playground.files import PACKAGE, PAGE, PAGE_FOLDER, RUNTIME, RUNTIME_FOLDER

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / PAGE_FOLDER).mkdir()
    for name in (*PACKAGE, *PAGE):
        shutil.copy(ROOT / PAGE_FOLDER / name, tmp_path / PAGE_FOLDER)
    return make_checkout(tmp_path)


def test_the_playground_needs_two_students_and_is_no_part_of_all(checkout: Path) -> None:
    found = jobs(snakemake(checkout, "-n", "playground"))
    assert {name for name in found if name.startswith("train_")} == {"train_dw", "train_std"}
    assert found["npm"] == found["playground"] == found["cost"] == 1 and found["export"] == 2
    assert {"npm", "playground"}.isdisjoint(jobs(snakemake(checkout, "-n", "all")))


def test_without_npm_it_says_so_in_one_line(checkout: Path) -> None:
    tools = checkout / "tools"
    tools.mkdir()
    (tools / "bash").symlink_to(shutil.which("bash"))
    output = snakemake(checkout, "npm", env={"PATH": f"{BIN}:{tools}"}, fails=True)
    assert "error: there is no npm on the PATH: install Node.js, which has it" in output


def test_the_runtime_is_what_npm_installs_from_the_lock_file(checkout: Path) -> None:
    """With an npm that writes its words into the files that it should install."""
    tools, folder = checkout / "tools", checkout / RUNTIME_FOLDER
    tools.mkdir()
    npm = tools / "npm"
    npm.write_text(
        f'#!/bin/sh\nfor name in {" ".join(RUNTIME)}; do echo "$@" > {folder}/$name; done'
    )
    npm.chmod(0o755)
    path = f"{tools}:{BIN}:/usr/local/bin:/usr/bin:/bin"
    snakemake(checkout, "npm", env={"PATH": path})
    assert (folder / RUNTIME[0]).read_text() == "ci --prefix playground --ignore-scripts\n"
    npm.write_text("#!/bin/sh\necho npm error code ENOTFOUND\nexit 1")
    (checkout / PAGE_FOLDER / "package-lock.json").write_text("{}")
    output = snakemake(checkout, "npm", env={"PATH": path}, fails=True)
    assert "error: npm could not install onnxruntime-web; its own error is above" in output
    assert "ENOTFOUND" in (checkout / "results/mini/logs/npm.log").read_text()
