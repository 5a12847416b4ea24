# Tables and figures: their kinds, and what their rules need to know of them.
from typing import NamedTuple

# Kinds of artefacts: the path, the category in the report, and for each file the end of its title
# there. A file with None is not in the report, which shows its HTML page instead.
KINDS = {
    "table": (
        "tables/{name}",
        "Tables",
        {".md": None, ".html": "", ".csv": " (CSV)", ".tex": " (LaTeX)"},
    ),
    "figure": ("figures/{name}", "Figures", {".png": "", ".pdf": " (PDF)"}),
    "claims": ("{name}", "Claims", {".md": None, ".html": "", ".json": None}),
    # A folder of its own, with what was measured for it.
    "sweep": (
        "{name}/{name}",
        "Sweep",
        {".png": "", ".pdf": " (PDF)", ".md": None, ".html": " (table)"}
        | {".csv": " (table, CSV)", ".tex": " (table, LaTeX)"},
    ),
}


class Artefact(NamedTuple):
    """A table or figure: its kind, its title in the report, and its script's files by option."""

    kind: str
    title: str
    inputs: dict[str, list[str]]


def settings_of(artefact):
    """Return the settings that an artefact's script may use: of the variants, those it has files of."""
    files = [Path(file) for paths in artefact.inputs.values() for file in paths]
    named = {name for file in files for name in (file.stem, *file.parts)}
    shared = sections("preset", "seed", "classes", "metrics", "student", "train", "loss")
    # Their number decides what the inputs are.
    del shared["train"]["seeds"]
    shown = {name: config["variants"][name] for name in VARIANTS if name in named}
    return shared | {"real": config["real"]["source"], "variants": shown}


def files_of(name, artefact):
    """Return the files of an artefact, marked for the report.

    Each has one label there: of several, the report makes a switch where one has two values, and
    fails.
    """
    path, category, files = KINDS[artefact.kind]
    for suffix, end in files.items():
        file = f"{P}/{path.format(name=name)}{suffix}"
        if end is not None:
            labels = {"result": artefact.title + end}
            caption = f"../report/{name}.rst"
            file = report(file, category=category, labels=labels, caption=caption)
        yield file


def made(artefacts, kind, *suffixes):
    """Return the files of all artefacts of a kind that end so."""
    path = KINDS[kind][0]
    names = [name for name, artefact in artefacts.items() if artefact.kind == kind]
    return [f"{P}/{path.format(name=name)}{suffix}" for name in names for suffix in suffixes]


def as_options(inputs):
    """Return the inputs of an artefact's rule as its script's options, e.g. `--cost cost.csv`."""
    return " ".join(f"--{name} {' '.join(files)}" for name, files in inputs.items())
