"""Checkouts in which the tests run Snakemake, and calls of it."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from helpers.paths import BIN, ROOT

FOLDERS = ("tinygan", "workflow", "analysis", "config")
FILES = ("config.yaml", "dvc.yaml")


def make_checkout(top: Path, files: Mapping[str, str | dict] | None = None) -> Path:
    """Copy what Snakemake needs into `top`, with an empty stand-in for the mini teacher.

    Args:
        top: an empty folder.
        files: files to add; a dict is written as YAML.

    Returns:
        `top`.
    """
    for name in FOLDERS:
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, top / name)
    module = top / "resources" / "mini_teacher"
    module.mkdir(parents=True)
    for name in ("saved_model.pb", "tfhub_module.pb"):
        (module / name).touch()
    for name, content in (files or {}).items():
        (top / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return top


def command(*words: str, configfiles: Sequence[str] = (), cores: int = 2) -> list[str]:
    """Return a command line of Snakemake; targets may be the first of `words`."""
    files = ["--configfile", *configfiles] if configfiles else []
    return [str(BIN / "snakemake"), *files, "--cores", str(cores), *words]


def snakemake(
    checkout: Path,
    *words: str,
    configfiles: Sequence[str] = (),
    cores: int = 2,
    fails: bool = False,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run Snakemake; return what it prints.

    Args:
        checkout: the folder to run it in.
        words: options and targets.
        configfiles: files of `--configfile`.
        cores: the number of `--cores`.
        fails: whether it has to fail; if not, it has to succeed.
        env: variables to add to the environment.
    """
    done = subprocess.run(
        command(*words, configfiles=configfiles, cores=cores),
        cwd=checkout,
        env=os.environ | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if (done.returncode != 0) != fails:
        logs = [path for path in (checkout / "results").glob("*/logs/**/*.log")]
        newest = max(logs, key=lambda path: path.stat().st_mtime, default=None)
        log = f"\n{newest}\n{newest.read_text()[-3000:]}" if newest else ""
        raise AssertionError(f"exit status {done.returncode}\n{done.stdout[-6000:]}{log}")
    return done.stdout


def jobs(output: str) -> dict[str, int]:
    """Read the table of jobs that Snakemake prints: the number of jobs per rule, and `total`."""
    if "Job stats:" not in output:
        return {}
    table = output.split("Job stats:")[1].split("\n\n")[0]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def wait_until(done: Callable[[], object], process: subprocess.Popen, seconds: float = 120) -> None:
    """Wait for a condition while a process runs; fail when it ends or time runs out."""
    deadline = time.monotonic() + seconds
    while not done():
        assert process.poll() is None, f"the process ended with status {process.returncode}"
        assert time.monotonic() < deadline, f"not done after {seconds} s"
        time.sleep(0.01)
