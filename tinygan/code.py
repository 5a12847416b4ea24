"""Which modules decide the output of a pipeline step.

They are the code inputs of its rule, the deps of its DVC stage and part of a checkpoint's identity.
All three follow from the import statements, which are parsed and not executed, so they cannot
drift apart.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tinygan.syntax import module_digest

ROOT = Path(__file__).parents[1]

# The modules that the subcommand of each step starts from, as names below `tinygan`. Callers of
# `code_of` add the modules that the config chooses: a teacher, an extractor, an architecture.
STEPS: dict[str, tuple[str, ...]] = {
    "download": ("data.package_index",),
    "real": ("data.dataset", "data.shards", "classes.by_name"),
    "real-shard": ("data.crops", "data.dataset", "data.prepare"),
    "harvest": ("teacher.open", "teacher.harvest", "data.previews"),
    "train": (
        "training.loop",
        "models.io",
        "models.flops",  # the model card records the number of parameters
    ),
    "sample": ("generation.sampling", "evaluation.streaming"),
    "source": ("evaluation.sources", "evaluation.streaming"),
    "features": ("features.extract", "data.shards", "classes.by_name"),
    "score": (
        "evaluation.scores",
        "evaluation.parts",
        "evaluation.class_scores",
        "evaluation.real_moments",
        "features.files",
    ),
    "moments": ("evaluation.real_moments",),
    "curve": ("evaluation.curve", "evaluation.real_moments", "models.io"),
    "interpolate": (
        "generation.interpolation",
        "generation.interpolation_files",
        "generation.student_mixtures",
    ),
    "interpolate-teacher": (
        "generation.interpolation",
        "generation.interpolation_files",
        "teacher.mixtures",
    ),
    "smoothness": ("evaluation.smoothness",),
    "export": ("export.write", "generation.shipped"),
    "sample-export": ("export.sampling", "evaluation.streaming"),
    "speed": ("cli.speed", "evaluation.speed", "generation.shipped", "provenance.machine"),
    "cost": ("cli.cost", "models.flops", "models.paper", "training.loop"),
    "train-teacher": ("mini_teacher.train", "data.shards"),
    "export-teacher": ("mini_teacher.export",),
    "train-diffusion": ("mini_diffusion.train", "data.shards"),
    "teacher-card": ("mini_teacher.card", "features.files", "data.shards"),
    "model-card": ("release.card", "release.evaluation"),
    "provenance": ("provenance.record", "provenance.page"),
    "playground": ("playground.build",),
}

# Modules that do not decide any output: they pass values on unchanged, or refuse them.
NEUTRAL = frozenset(
    {
        # packages whose __init__ has no code of a step
        "tinygan",
        "tinygan.teacher",
        # where external weights are, and their downloads: the weights have hashes of their own
        "tinygan.assets.cache",
        "tinygan.assets.download",
        "tinygan.assets.install",
        "tinygan.assets.table",
        # the command line
        "tinygan.cli",
        "tinygan.cli.options",
        "tinygan.cli.streams",
        # the config, whose values are inputs of their own (`params` of rules and stages)
        "tinygan.config.read",
        "tinygan.config.schema",
        # checks before a run
        "tinygan.planning.assets",
        "tinygan.planning.checks",
        "tinygan.planning.disk",
        "tinygan.planning.image_counts",
        "tinygan.planning.origins",
        "tinygan.planning.run",
        # files, errors, threads
        "tinygan.data.prefetch",
        "tinygan.errors",
        "tinygan.external",
        "tinygan.files",
        "tinygan.folders",
        "tinygan.gpu",
        "tinygan.runtime",
        # this module, and the digests that it uses
        "tinygan.code",
        "tinygan.syntax",
    }
)


def code_of(step: str, *chosen: str) -> list[Path]:
    """Return the source files that decide a step's output, sorted by path.

    Args:
        step: one of `STEPS`.
        chosen: the modules that the config chooses, e.g. ``"tinygan.teacher.tfhub"``.
    """
    modules = closure(*roots_of(step), *chosen)
    return sorted(path for name in modules if (path := file_of(name)))


def digests_of(step: str, *chosen: str) -> dict[str, str]:
    """Return the digest of each module that decides a step's output, by module name.

    Args:
        step, chosen: see `code_of`.
    """
    modules = closure(*roots_of(step), *chosen)
    return digests(name for name in modules if file_of(name))


def digests(modules: Iterable[str]) -> dict[str, str]:
    """Return the digest of each of these modules by name; see `tinygan.syntax`."""
    paths = {name: file_of(name) for name in sorted(modules)}
    return {name: module_digest(path, path.stat().st_mtime_ns) for name, path in paths.items()}


def roots_of(step: str) -> list[str]:
    """Return the full names of the modules that the subcommand of a step starts from."""
    return [f"tinygan.{name}" for name in STEPS[step]]


def closure(*roots: str, neutral: frozenset[str] = NEUTRAL) -> set[str]:
    """Return these modules and all modules of the project that they import, directly or not.

    Imports inside functions count.

    Args:
        roots: names of modules, e.g. ``"tinygan.data.shards"`` or ``"analysis.results"``.
        neutral: modules to leave out, together with what only they import.
    """
    reached: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name not in reached and name not in neutral:
            reached.add(name)
            pending += imports_of(name)
    return reached


@cache
def imports_of(name: str) -> tuple[str, ...]:
    """Return the modules of the project that a module imports, sorted.

    What the config chooses is imported by name, and is not among them: see `code_of`.

    Raises:
        FileNotFoundError: the project has no such module.
    """
    path = file_of(name)
    if path is None:
        return ()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    targets = {target for node in ast.walk(tree) for target in _targets(node, path)}
    return tuple(sorted(targets - {name}))


@cache
def names_in(package: str) -> list[str]:
    """Return the names of a package's public modules, which the config may use as values."""
    return sorted(path.stem for path in ROOT.joinpath(*package.split(".")).glob("[!_]*.py"))


@cache
def file_of(name: str) -> Path | None:
    """Return the source file of a module; None for a package whose __init__ has no code.

    Raises:
        FileNotFoundError: the project has no such module.
    """
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir():
        return None if _is_empty(path / "__init__.py") else path / "__init__.py"
    if not path.with_suffix(".py").is_file():
        raise FileNotFoundError(f"the project has no module {name}")
    return path.with_suffix(".py")


def _targets(node: ast.AST, path: Path) -> Iterator[str]:
    """Yield the modules of the project that an import statement in the file `path` names."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _in_project(alias.name, path)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for name in _in_project(node.module, path):
            yield name
            # `from package import module` also imports modules.
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
