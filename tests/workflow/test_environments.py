"""The environments of the rules have what the rules import; a wheel runs without a checkout."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers.distributions import imports_outside
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from tinygan.cli import _STANDALONE, _SUBCOMMANDS
from tinygan.code import NEUTRAL, ROOT, STEPS, closure, file_of, roots_of
from workflow.envs import lock

ENVS, WHOLE = ROOT / "workflow" / "envs", ROOT / "environment.yml"
CLI = [f"tinygan.cli.{path.stem}" for path in (ROOT / "tinygan/cli").glob("[!_]*.py")]
HUB, LITE, INCEPTION, INCEPTION_TORCH = (
    "tinygan.teacher.tfhub",
    "tinygan.features.extractors.efficientnet_lite0",
    "tinygan.features.extractors.inception_tf",
    "tinygan.features.extractors.inception_torch",
)
# What runs in each environment: steps, what the config chooses for them, and scripts.
RUNS = {
    "torch": (
        *("download real real-shard harvest train sample source features score curve cost".split()),
        *("interpolate", "interpolate-teacher", "smoothness"),
        *("train-teacher", "train-diffusion", "teacher-card", "model-card"),
        *("provenance", "playground"),
        *("tinygan.teacher.biggan_pytorch", "tinygan.teacher.callable"),
        *(LITE, INCEPTION_TORCH),
        *("tinygan.teacher.mini_diffusion", "tinygan.teacher.mixtures_torch"),
    ),
    "export": ("export", "sample-export", "speed", "tinygan.models.students.dw"),
    "teacher": (
        *("harvest", "features", "interpolate-teacher", "smoothness", "export-teacher"),
        *("tinygan.teacher.tfhub", "tinygan.teacher.mixtures_tfhub", INCEPTION),
    ),
    "analysis": tuple(f"analysis.{path.stem}" for path in (ROOT / "analysis").glob("*.py")),
}
BLOCKED = """
import importlib, sys
from importlib.abc import MetaPathFinder

class Block(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is not in this environment", name=name)

sys.meta_path.insert(0, Block())
sys.path.insert(0, "analysis")
for name in MODULES:
    importlib.import_module(name)
"""


def modules(environment: str) -> list[str]:
    roots = [
        root for name in RUNS[environment] for root in (roots_of(name) if name in STEPS else [name])
    ]
    roots += [] if environment == "analysis" else ["tinygan.cli", *CLI]
    # Of the neutral modules too, but of the commands only what they import at their top.
    found = closure(*roots, neutral=frozenset(["tinygan.cli", *CLI]))
    return sorted(found | ({"tinygan.cli", *CLI} if environment != "analysis" else set()))


def pins(path: Path) -> list[Requirement]:
    """Return what pip installs in an environment."""
    *_, pip = yaml.safe_load(path.read_text())["dependencies"]
    return [Requirement(line) for line in pip["pip"]]


def outside(path: Path) -> set[str]:
    """Return the names that can be imported here and not in an environment."""
    return imports_outside(pin.name for pin in pins(path))


def test_the_environments_are_those_that_the_script_writes() -> None:
    files = lock.files()
    assert files.keys() == {WHOLE, *ENVS.glob("*.yaml")}
    stale = [path.name for path, text in files.items() if path.read_text() != text]
    assert stale == [], "run: python workflow/envs/lock.py"


@pytest.mark.parametrize("path", [WHOLE, *sorted(ENVS.glob("*.yaml"))], ids=lambda path: path.stem)
def test_an_environment_has_the_versions_of_the_lock(path: Path) -> None:
    locks = [ROOT / "requirements.lock"]
    locks += [path.with_suffix(".lock")] if path.stem.endswith("-gpu") else []
    lines = [line for file in locks for line in file.read_text().splitlines() if line[0] != "#"]
    versions = {
        canonicalize_name(name): version for name, version in (x.split("==") for x in lines)
    }
    found = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins(path)}
    assert found == {name: f"=={versions.get(name)}" for name in found}
    # pip would install both, each over the files of the other.
    assert "tensorflow-cpu" not in found and len(found) == len(pins(path)) > 20


def test_a_package_without_a_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {name: "1" for name in lock.read_pins(lock.LOCK) if name != "tf-keras"}
    monkeypatch.setattr(lock, "read_pins", lambda path: missing if path == lock.LOCK else {})
    with pytest.raises(LookupError, match="requirements.lock has no version of tf-keras: add it"):
        lock.files()
    with pytest.raises(LookupError, match="nothing-like-it is not installed: install"):
        lock.closure([Requirement("nothing-like-it")])


def test_what_an_extra_requires_is_in_the_closure() -> None:
    plain, extra = (lock.closure([Requirement(f"fsspec{x}")]) for x in ("", "[http]"))
    assert plain == {"fsspec"} and extra > {"fsspec", "aiohttp", "yarl"}


@pytest.mark.parametrize(
    ("larger", "environment"),
    [("teacher-gpu", "teacher"), ("torch-gpu", "torch"), *(("", name) for name in RUNS)],
)
def test_a_larger_environment_has_all_of_a_smaller_one(larger: str, environment: str) -> None:
    # So what can be imported there, as the tests below show, can be imported here.
    path = ENVS / f"{larger}.yaml" if larger else WHOLE
    assert outside(path) <= outside(ENVS / f"{environment}.yaml")


def imported(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the packages that these nodes import."""
    names = set()
    for node in nodes:
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        names |= {node.module} if isinstance(node, ast.ImportFrom) else set()
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("environment", RUNS)
def test_rules_import_only_from_their_environment(environment: str) -> None:
    blocked = outside(ENVS / f"{environment}.yaml")
    for name in modules(environment):
        path = file_of(name)
        # Functions of other environments are in one file with those of this one.
        tree = ast.parse(path.read_text()) if path else ast.Module([], [])
        shallow = name.startswith(("tinygan.cli", "tinygan.runtime"))
        shallow |= name == HUB and environment == "torch"
        found = imported(ast.iter_child_nodes(tree) if shallow else ast.walk(tree))
        assert sorted(found & blocked) == [], name
    # Of the functions of the command line, those that are called there.
    for step in STEPS.keys() & RUNS[environment]:
        subcommands = _STANDALONE | _SUBCOMMANDS
        function, _ = subcommands["score-features" if step == "score" else step]
        found = imported(ast.walk(ast.parse(inspect.getsource(function))))
        assert sorted(found & blocked) == [], step


@pytest.mark.slow
@pytest.mark.parametrize("environment", RUNS)
def test_every_module_can_be_imported_in_its_environment(environment: str) -> None:
    found = [name.removeprefix("analysis.") for name in modules(environment)]
    # PyTorch and TensorFlow are not started together.
    found = [
        name for name in found if environment != "teacher" or name != "tinygan.evaluation.curve"
    ]
    blocked = outside(ENVS / f"{environment}.yaml")
    script = f"BLOCKED = {blocked!r}\nMODULES = {found!r}\n{BLOCKED}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_rule_has_one_of_these_environments() -> None:
    texts = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    used = {name for text in texts for name in re.findall(r'"\.\./envs/(\w+)\.yaml"', text)}
    assert used == set(RUNS)
    called = {name for text in texts for name in re.findall(r"python -m tinygan ([\w-]+)", text)}
    assert called == set(STEPS)
    assert NEUTRAL.isdisjoint(root for step in STEPS for root in roots_of(step))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built as a wheel and unpacked, with nothing of the checkout."""
    top = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "-q"]
    options = ["--no-deps", "--no-build-isolation", "--no-index"]
    source = top / "source"
    for name in ("tinygan", "config", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", ROOT / name, source / name], check=True)
    subprocess.run(["cp", ROOT / "config.yaml", source], check=True)
    subprocess.run([*pip, "wheel", *options, "-w", top, source], check=True)
    (built,) = top.glob("*.whl")
    subprocess.run([*pip, "install", *options, "--target", top / "site", built], check=True)
    return top / "site"


def tinygan(wheel: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path.insert(0, {str(wheel)!r}); from tinygan.cli import main; "
    start += "import tinygan; assert tinygan.__file__.startswith(sys.path[0]); sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-I", "-c", start, *words], cwd=folder, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_wheel_works_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(12):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    done = tinygan(wheel, tmp_path, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: tinygan "), done.stderr
    done = tinygan(wheel, tmp_path, "score", "a", "b", "--input-size", "32", "--splits", "2")
    assert done.returncode == 0 and '"fid"' in done.stdout, done.stderr
    (tmp_path / "mine.yaml").write_text("preset: mine\n")
    done = tinygan(wheel, tmp_path, "validate", "--config", "mine.yaml")
    assert "preset mine, 10 classes" in done.stdout, done.stderr
    stated = "real harvest train sample features score".split()
    rates = [word for name in stated for word in ("--rate", f"{name}=100")]
    done = tinygan(wheel, tmp_path, "plan", "--preset", "paper", *rates)
    assert done.returncode == 0 and "3,184,000 images" in done.stdout, done.stderr + done.stdout
