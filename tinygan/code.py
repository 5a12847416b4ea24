"""The modules that decide what a step makes: the code inputs of its rule, and its identity.

They follow from the imports, which are read and not run. So a rule, a DVC stage and a checkpoint
cannot come to name different ones.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tinygan.syntax import module_digest

ROOT = Path(__file__).parents[1]

# What the command of each step starts from. Where one of several modules is chosen by the config,
# it is named by the caller, see `code_of`.
STEPS: dict[str, tuple[str, ...]] = {
    "download": ("data.package_index",),
    "real": ("data.dataset", "data.shards", "classes.by_name"),
    "real-shard": ("data.crops", "data.dataset", "data.prepare"),
    "harvest": ("teacher.open", "teacher.harvest"),
    "train": (
        "training.loop",
        "models.io",
        "models.flops",  # the card has the number of parameters
    ),
    "sample": ("generation.sampling", "data.shards"),
    "source": ("evaluation.sources", "data.shards"),
    "features": ("features.extract", "data.shards", "classes.by_name"),
    "score": ("evaluation.scores", "evaluation.parts", "features.files"),
    "curve": ("evaluation.curve", "evaluation.parts", "models.io"),
    "cost": ("cli.cost", "models.flops", "models.paper", "training.loop"),
    "train-teacher": ("mini_teacher.train", "data.shards"),
    "export-teacher": ("mini_teacher.export",),
    "teacher-card": ("mini_teacher.card", "features.files", "data.shards"),
}

# These pass on values and bytes, or refuse them, and decide none: the config is in the params.
NEUTRAL = frozenset(
    f"tinygan{name}"
    for name in (
        *(
            "",
            ".teacher",
            ".cli",
            ".cli.options",
            ".cli.streams",
            ".config.read",
            ".config.schema",
            ".errors",
        ),
        *(".external", ".files", ".planning.checks", ".planning.disk", ".planning.image_counts"),
        *(".planning.origins", ".planning.run", ".runtime", ".code", ".syntax", ".data.prefetch"),
    )
)
# Of what they import in a function, the config chooses one.
CHOOSING = frozenset({"tinygan.teacher.open"})


def code_of(step: str, *chosen: str) -> list[Path]:
    """Return the files that decide a step's output, in order of name.

    Args:
        step: one of `STEPS`.
        chosen: the modules that the config chooses, e.g. ``"tinygan.teacher.tfhub"``.
    """
    modules = closure(*roots_of(step), *chosen)
    return sorted(path for name in modules if (path := file_of(name)))


def digests_of(step: str, *chosen: str) -> dict[str, str]:
    """Return the digest of each module that decides a step's output, by the module's name.

    Args:
        step, chosen: see `code_of`.
    """
    modules = closure(*roots_of(step), *chosen)
    return digests(name for name in modules if file_of(name))


def digests(modules: Iterable[str]) -> dict[str, str]:
    """Return the digest of what each of these modules does, see `tinygan.syntax`."""
    paths = {name: file_of(name) for name in sorted(modules)}
    return {name: module_digest(path, path.stat().st_mtime_ns) for name, path in paths.items()}


def roots_of(step: str) -> list[str]:
    """Return the modules that the command of a step starts from."""
    return [f"tinygan.{name}" for name in STEPS[step]]


def closure(*roots: str, neutral: frozenset[str] = NEUTRAL) -> set[str]:
    """Return these modules and all of the project that they import, in functions too.

    Args:
        roots: names of modules, e.g. ``"tinygan.data.shards"`` or ``"analysis.results"``.
        neutral: modules that are left out, with what only they import.
    """
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in neutral:
            found.add(name)
            waiting += imports_of(name)
    return found


@cache
def imports_of(name: str, *, every: bool = False) -> tuple[str, ...]:
    """Return the modules of the project that a module imports.

    Args:
        name: the module.
        every: also those of which the config chooses one, see `CHOOSING`.

    Raises:
        FileNotFoundError: there is no such module.
    """
    path = file_of(name)
    if path is None:
        return ()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.iter_child_nodes(tree) if name in CHOOSING and not every else ast.walk(tree)
    found = {target for node in nodes for target in _targets(node, path)}
    return tuple(sorted(found - {name}))


@cache
def names_in(package: str) -> list[str]:
    """Return the modules of a package, e.g. the extractors: the names that the config may use."""
    return sorted(path.stem for path in ROOT.joinpath(*package.split(".")).glob("[!_]*.py"))


def file_of(name: str) -> Path | None:
    """Return a module's file; None for a package without code of its own."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir():
        return None if _is_empty(path / "__init__.py") else path / "__init__.py"
    if not path.with_suffix(".py").is_file():
        raise FileNotFoundError(f"the project has no module {name}")
    return path.with_suffix(".py")


def _targets(node: ast.AST, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _in_project(alias.name, path)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for name in _in_project(node.module, path):
            yield name
            # `from package import module` names modules too.
            for alias in node.names:
                if _exists(inner := f"{name}.{alias.name}"):
                    yield inner


def _in_project(name: str, path: Path) -> Iterator[str]:
    if name.split(".")[0] == "tinygan":
        yield name
    elif path.parent.name == "analysis" and (path.parent / f"{name}.py").is_file():
        yield f"analysis.{name}"


def _exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _is_empty(path: Path) -> bool:
    return not path.is_file() or len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1
