"""`make test-conda`: the smoke preset with an environment of conda per rule, beside a run without.

Not among the default tests: it needs a conda, a package index and 5 GB of disk.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.paths import BIN, ROOT

CORES = str(os.cpu_count())
SMOKE = ["--configfile", "config/smoke.yaml", "--"]
# What has times or numbers of processes in it is in no two runs the same.
DIFFERENT = {"benchmarks", "lock", "logs", "provenance.json", "provenance.rst"}
DIFFERENT |= {"report.html", "snakemake_report.html"}


def call(folder: Path, *command: str) -> str:
    """Run a command, with this Python's programs first; return what it prints."""
    # The environments of conda must find their own packages, and the checkout.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env | {"PATH": f"{BIN}{os.pathsep}{env['PATH']}"},
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-8000:]}"
    return done.stdout


def run(folder: Path, *options: str) -> float:
    """Run the smoke preset and make the report; return the seconds it took."""
    start = time.monotonic()
    call(folder, "snakemake", "--cores", CORES, *options, *SMOKE, "all")
    report = ["--report", "results/smoke/snakemake_report.html"]
    call(folder, "snakemake", "--cores", "1", *options, *report, *SMOKE, "all")
    return time.monotonic() - start


def results(folder: Path) -> dict[str, bytes]:
    """Return the files of the results, by their path."""
    top = folder / "results" / "smoke"
    files = (path for path in sorted(top.rglob("*")) if path.is_file())
    names = ((path.relative_to(top), path) for path in files)
    return {
        str(name): path.read_bytes() for name, path in names if DIFFERENT.isdisjoint(name.parts)
    }


@pytest.fixture
def checkouts(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two clones of the last commit."""
    if shutil.which("conda") is None:
        pytest.fail(
            "no conda on the PATH: activate one (Miniforge has it), then repeat the command"
        )
    for name in ("conda", "plain"):
        call(tmp_path, "git", "clone", "-q", str(ROOT), name)
    yield tmp_path / "conda", tmp_path / "plain"
    shutil.rmtree(tmp_path)  # pytest would keep the environments of the last three runs


def test_a_run_with_conda_has_the_results_of_one_without(
    checkouts: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    conda, plain = checkouts
    start = time.monotonic()
    call(
        conda,
        "snakemake",
        "--cores",
        CORES,
        "--use-conda",
        "--conda-create-envs-only",
        *SMOKE,
        "all",
    )
    environments = time.monotonic() - start
    seconds = run(conda, "--use-conda")
    plain_seconds = run(plain)

    found, expected = results(conda), results(plain)
    assert len(expected) > 90 and found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    for folder in checkouts:
        for options in ([], ["--use-conda"]):
            output = call(folder, "snakemake", "-n", "--cores", "1", *options, *SMOKE, "all")
            assert "Nothing to be done" in output, output

    folders = sorted(path for path in (conda / ".snakemake" / "conda").iterdir() if path.is_dir())
    version = call(conda, "conda", "--version").strip()
    disk = call(conda, "du", "-sch", *map(str, folders)).splitlines()[-1].split()[0]
    with capsys.disabled():
        print(
            f"\n{version}: {len(folders)} environments in {environments:.0f} s, {disk}B;"
            f" all jobs and the report in {seconds:.0f} s, without conda in {plain_seconds:.0f} s;"
            f" {len(found)} result files, all equal"
        )
