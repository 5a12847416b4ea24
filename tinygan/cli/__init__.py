"""The command line: one verb a step of the pipeline, each runnable by hand.

Torch and TensorFlow are imported by the verbs that need them, never both in one process.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tinygan.cli import data, imports, mini_teacher, models, scores, students
from tinygan.cli.options import Arguments, Config, Verb
from tinygan.config import load


def _validate(config: Config, arguments: Arguments) -> None:
    """Check a config and say what it describes."""
    print(
        f"{arguments.config}: preset {config['preset']}, {len(config['classes'])} classes of "
        f"{config['image_size']} px, variants {', '.join(config['variants'])}"
    )


_VERBS: dict[str, Verb] = (
    data.VERBS | students.VERBS | scores.VERBS | models.VERBS | imports.VERBS | mini_teacher.VERBS
) | {"validate": (_validate, {})}


def parser() -> argparse.ArgumentParser:
    """Build the parser of `tinygan`."""
    top = argparse.ArgumentParser(prog="tinygan", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (function, options) in _VERBS.items():
        summary = function.__doc__
        sub = verbs.add_parser(verb, help=summary, description=summary)
        sub.add_argument("--config", default="config.yaml", help="default: config.yaml")
        for name, option in options.items():
            sub.add_argument(name, **option)
        if verb != "validate":
            sub.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
            sub.add_argument("--out", type=Path, required=True, help="what to write")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return 0, or 1 after printing what went wrong."""
    arguments = parser().parse_args(argv)
    function, _ = _VERBS[arguments.verb]
    try:
        function(load(arguments.config), arguments)
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"tinygan {arguments.verb}: {error}", file=sys.stderr)
        return 1
    return 0
