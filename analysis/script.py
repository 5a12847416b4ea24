"""The command line that all scripts of tables and figures share.

A script reads the files that it is given and no others: the workflow names them by option, see
ARTEFACTS in workflow/rules/analysis.smk.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# Every input that a script may have.
INPUTS = {
    "scores": "scores/SOURCE.json of each source; of other seeds scores/VARIANT/seedN.json",
    "intra": "intra_fid/SOURCE.csv of each source: scores per class",
    "curves": "scores/curve/VARIANT.csv of each variant with a learning curve",
    "cost": "cost.csv: parameters and MACs",
    "exports": "exports/VARIANT/export.json of each exported student: its ONNX files",
    "times": "exports/VARIANT/speed.json of the same: times per image",
    "speed": "sweep/speed.json: times per image",
    "cost_paper": "tables/cost_paper.csv: those of the paper's sizes",
    "interpolation": "interpolation.csv: the steps of interpolations (may be absent)",
    "paths": "interpolation/SOURCE/paths/* of each source: images and their manifest",
    "teacher": "manifests of the teacher's images",
    "student": "manifests of the student's images, which `snakemake --notemp` keeps",
    "baseline": "manifests of the images of the model that the student is compared with",
    "claims": "claims.json: each claim with its numbers and verdict",
    "tables": "tables/NAME.md and tables/NAME.csv of each table",
    "figures": "figures/NAME.png of each figure",
    "captions": "NAME.rst of each figure",
    "provenance": "provenance.json: the record of the run",
}


_ONE = ("cost", "cost_paper", "speed", "interpolation", "claims", "provenance")
_OPTIONAL = ("interpolation",)


@dataclass(frozen=True)
class Run:
    """One call of a script: the resolved config, the files of each input, the path to write to."""

    config: dict[str, Any]
    inputs: dict[str, list[Path]]
    out: Path


def main(make: Callable[[Run], Any], description: str, **inputs: str) -> None:
    """Parse the command line and call `make`; bad input ends with one clear line.

    Args:
        make: writes a table or figure.
        description: the script's docstring.
        inputs: the inputs of the script, of `INPUTS`; for each the files of the example in the
            help, in the folder of results or in workflow/.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog=_example(make.__name__, inputs),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True, help="the run's resolved config")
    for name in inputs:
        option = {"nargs": 1 if name in _ONE else "+", "type": Path, "metavar": "FILE"}
        option |= {"default": []} if name in _OPTIONAL else {"required": True}
        parser.add_argument(f"--{name}", **option, help=INPUTS[name])
    parser.add_argument("--out", type=Path, required=True, help="path to write, without a suffix")
    options = parser.parse_args()
    try:
        config = yaml.safe_load(present(options.config).read_text(encoding="utf-8"))
        make(Run(config, {name: getattr(options, name) for name in inputs}, options.out))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"error: {error}")


def present(path: Path) -> Path:
    """Return a path; FileNotFoundError, with the target that makes it, where there is no file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; make it with: snakemake --cores 2 {path}")
    return path


def _example(name: str, inputs: dict[str, str]) -> str:
    words = ["--config results/mini/config.yaml"]
    words += [
        f"--{option} {files if files.startswith('workflow/') else f'results/mini/{files}'}"
        for option, files in inputs.items()
    ]
    lines = [f"python analysis/{name}.py", *words, f"--out {name}"]
    return "example:\n  " + " \\\n    ".join(lines)
