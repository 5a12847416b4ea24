"""The driver, which builds the DAG and checks the disk, needs neither PyTorch nor TensorFlow."""

import os
import re
from pathlib import Path

import pytest
from helpers.checkouts import make_checkout, snakemake
from helpers.distributions import imports_outside, required_by

pytestmark = pytest.mark.slow
NEEDED = ("snakemake", "pyyaml", "jsonschema", "numpy")
# Python runs it at its start. The jobs are processes of their own, in environments of their own.
BLOCKER = """
import pkgutil
import sys
from importlib.machinery import PathFinder

def not_blocked(*words, list_modules=pkgutil.iter_modules):
    return (module for module in list_modules(*words) if module.name not in BLOCKED)

class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] not in BLOCKED:
            return super().find_spec(name, path, target)

if any(word.endswith("snakemake") for word in sys.orig_argv):
    sys.meta_path[sys.meta_path.index(PathFinder)] = Installed
    pkgutil.iter_modules = not_blocked  # Snakemake imports every plugin that it finds
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = imports_outside(required_by(NEEDED))
    assert {"torch", "tensorflow", "PIL", "scipy", "tqdm", "pandas", "safetensors"} <= names
    files = {"site/sitecustomize.py": f"BLOCKED = {names!r}\n{BLOCKER}"}
    top = tmp_path_factory.mktemp("driver")
    (top / "site").mkdir()
    return make_checkout(top, files)


def drive(checkout: Path, *words: str, **options: object) -> str:
    path = os.pathsep.join([str(checkout / "site"), str(checkout)])
    return snakemake(checkout, *words, env={"PYTHONPATH": path}, **options)


@pytest.mark.parametrize("preset", [[], ["config/smoke.yaml"], ["config/paper.yaml"]])
def test_the_dag_is_built(checkout: Path, preset: list[str]) -> None:
    images = checkout / "data" / "ILSVRC2012_img_train.tar"
    images.parent.mkdir(exist_ok=True)
    images.touch()
    output = drive(checkout, "-n", "all", configfiles=preset)
    assert re.search(r"^train_dw +1$", output, re.MULTILINE)


def test_a_run_starts_with_its_checks_of_disk_and_images(checkout: Path) -> None:
    sized = checkout / "sized.yaml"
    sized.write_text("preset: sized\nmetrics: {samples_per_class: 2000000000}\n")
    output = drive(checkout, "all", configfiles=["sized.yaml"], fails=True)
    assert "TINYGAN_IGNORE_DISK=1" in output and "No module named" not in output
    sized.write_text("preset: sized\n")
    drive(checkout, "results/sized/downloads/animal_mnist.whl", configfiles=["sized.yaml"])


def test_what_is_blocked_would_be_noticed(checkout: Path) -> None:
    common = checkout / "workflow" / "rules" / "common.smk"
    before = common.read_text()
    common.write_text("import tqdm\n" + before)
    try:
        assert "No module named 'tqdm'" in drive(checkout, "-n", "all", fails=True)
    finally:
        common.write_text(before)
