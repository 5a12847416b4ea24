"""The command line in tests: configs, and calls of subcommands with them."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from helpers.paths import ROOT
from tinygan.cli import main
from tinygan.planning.run import completed

# A Python function as the teacher, in a file above config.yaml, which gives a handle.
PYTHON_TEACHER = {"kind": "python", "target": "mygan:images", "handle": None}
# What trains in well under a second.
TINY_STUDENT = {"channels": 4, "discriminator_channels": 4}
# Scores of a few images.
FEW_SAMPLES = {"samples_per_class": 4, "is_splits": 2, "jackknife_groups": 2}


def mini(**sections: dict) -> dict:
    """Return config.yaml as it is written, with some keys of its sections changed."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for name, changes in sections.items():
        config[name] |= changes
    return config


def complete(config: dict) -> dict:
    """Return a config as `load` completes it: every key, and its classes as names."""
    return completed(config)


def real_files(path: object, source: str = "image_folder", **changes: object) -> dict:
    """Return the section `real` for images in class folders or tars."""
    return {"source": source, "path": str(path), "crop": "biggan", "max_dropped": 0} | changes


def write_config(folder: Path, config: dict, name: str = "config.yaml") -> Path:
    """Write a config into a folder; return its path."""
    (folder / name).write_text(yaml.safe_dump(config))
    return folder / name


def tinygan(folder: Path, config: dict, subcommand: str, *words: object) -> int:
    """Call a subcommand with a config, which is written into `folder`; return the exit status."""
    path = write_config(folder, config)
    return main([subcommand, "--config", str(path), *map(str, words)])


def start_tinygan(*words: object, **options: object) -> subprocess.Popen:
    """Start `python -m tinygan` in a process of its own; `options` are those of `Popen`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
    command = [sys.executable, "-m", "tinygan", *map(str, words)]
    return subprocess.Popen(command, env=environment, **options)
