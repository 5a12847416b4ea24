"""The command line: one subcommand per step of the pipeline, each runnable by hand.

Torch and TensorFlow are imported by the subcommands that need them, never both in one process.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tinygan.cli import compare, converters, cost, evaluate, generate, plan, real, teacher, train
from tinygan.cli.options import Subcommand
from tinygan.cli.streams import BROKEN_PIPE, ReaderHasGone, patient_streams
from tinygan.config.read import default_file
from tinygan.errors import report
from tinygan.planning.run import load

_SUBCOMMANDS: dict[str, Subcommand] = {
    name: subcommand
    for module in (real, teacher, train, generate, evaluate, cost, converters, plan)
    for name, subcommand in module.SUBCOMMANDS.items()
}
# These write nothing.
_CHECKS = ("validate", "check-imagenet", "plan")
# These need no config, and have all their options to themselves.
_STANDALONE: dict[str, Subcommand] = compare.SUBCOMMANDS
_ALIASES = {"score": ["compare"]}
# The pipeline's form of `score`, which is told by these options.
_TYPED = {"score-features": "tinygan score"}
_OF_FEATURES = {"--config", *evaluate.SUBCOMMANDS["score-features"][1]}


def parser() -> argparse.ArgumentParser:
    """Build the parser of `tinygan`."""
    top = argparse.ArgumentParser(prog="tinygan", description=__doc__.splitlines()[0])
    subparsers = top.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    for name, (function, options) in (_SUBCOMMANDS | _STANDALONE).items():
        summary = function.__doc__
        names = {"aliases": _ALIASES.get(name, []), "prog": _TYPED.get(name, f"tinygan {name}")}
        notes = {"help": summary.splitlines()[0], "description": summary}
        sub = subparsers.add_parser(name, **names, **notes)
        sub.set_defaults(function=function)
        for flag, option in options.items():
            sub.add_argument(flag, **option)
        if name in _STANDALONE:
            continue
        sub.add_argument("--config", help="default: config.yaml, else the one of the package")
        if name not in _CHECKS:
            sub.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
            sub.add_argument("--out", type=Path, required=True, help="what to write")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return 0, or 1 after printing what went wrong.

    Where the reader of standard output has gone, as after `| head`, it ends without a word, and
    with the status that other tools have then.
    """
    try:
        with patient_streams():
            return _run(sys.argv[1:] if argv is None else list(argv))
    except ReaderHasGone:
        return BROKEN_PIPE


def _run(typed: list[str]) -> int:
    argv = _spelled_out(typed)
    if argv[:1] in (["score-features"], ["curve"]):
        evaluate.use_one_blas_thread()
    arguments = parser().parse_args(argv, argparse.Namespace(argv=argv))
    try:
        preset = getattr(arguments, "preset", None)
        if "config" in arguments:
            arguments.config = arguments.config or default_file()
        config = load(arguments.config, preset) if "config" in arguments else {}
        arguments.function(config, arguments)
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        report(f"tinygan {typed[0]}", error)
        return 1
    return 0


def _spelled_out(argv: list[str]) -> list[str]:
    """Turn `score --source NAME ...`, as the pipeline calls it, into `score-features ...`."""
    of_features = any(word.partition("=")[0] in _OF_FEATURES for word in argv[1:])
    return ["score-features", *argv[1:]] if argv[:1] == ["score"] and of_features else argv
