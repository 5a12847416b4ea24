"""The command line: one subcommand per step of the pipeline.

PyTorch and TensorFlow are imported by the subcommands that need them, never both in one process.
"""

import argparse
import sys
from collections.abc import Sequence

from tinygan.cli import (
    compare,
    converters,
    cost,
    evaluate,
    export,
    fetch,
    generate,
    interpolate,
    pictures,
    plan,
    playground,
    provenance,
    real,
    release,
    speed,
    teacher,
    train,
)
from tinygan.cli.options import OUT, STREAM, Subcommand
from tinygan.cli.streams import BROKEN_PIPE, OutputClosed, tolerant_streams
from tinygan.config.read import default_file
from tinygan.errors import report
from tinygan.planning.run import load

_DESCRIPTION = """\
TinyGAN: black-box distillation of a class-conditional GAN.

One subcommand per step of the pipeline, which Snakemake runs in order. Run one by hand to check a
config, to estimate a run, to draw pictures, to share a model, to score two folders of images or to
import published weights.
"""
_EXAMPLES = """\
examples:
  tinygan generate --class zebra         pictures of zebras, by the shipped model
  tinygan validate --config mine.yaml   check a config and the numbers of images
  tinygan plan --preset paper           estimate time, memory and disk space
  tinygan fetch --list                  the published weights that can be downloaded
  tinygan release MODEL --out FOLDER    a model with its card, ready to upload
  tinygan score generated/ real/        FID, KID and other scores of two folders of images
  tinygan SUBCOMMAND --help             all options of a subcommand
"""

_SUBCOMMANDS: dict[str, Subcommand] = {
    name: subcommand
    for module in (
        *(real, teacher, train, generate, evaluate, interpolate, export),
        *(cost, converters, provenance, release, playground, plan),
    )
    for name, subcommand in module.SUBCOMMANDS.items()
}
# Subcommands that write nothing.
_CHECKS = ("validate", "check-imagenet", "plan")
# Subcommands without a config; they share no options with the others.
_STANDALONE: dict[str, Subcommand] = {
    **pictures.SUBCOMMANDS,
    **compare.SUBCOMMANDS,
    **speed.SUBCOMMANDS,
    **export.STANDALONE,
    **fetch.SUBCOMMANDS,
    **provenance.STANDALONE,
    **release.STANDALONE,
    **playground.STANDALONE,
}
# Subcommands whose matrix products decide scores.
_SCORING = ("score-features", "moments", "curve", "sample", "source", "sample-export")
_ALIASES = {"score": ["compare"]}
# `score-features` is called `score`, and recognised by its options.
_SHOWN_AS = {"score-features": "tinygan score"}
_FEATURES_OPTIONS = {"--config", *evaluate.SUBCOMMANDS["score-features"][1]} - {"--out"}


def parser() -> argparse.ArgumentParser:
    """Build the parser of `tinygan`."""
    top = argparse.ArgumentParser(
        prog="tinygan",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = top.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    for name, (function, options) in (_SUBCOMMANDS | _STANDALONE).items():
        sub = subparsers.add_parser(
            name,
            aliases=_ALIASES.get(name, []),
            prog=_SHOWN_AS.get(name, f"tinygan {name}"),
            help=function.__doc__.splitlines()[0],
            description=function.__doc__,
        )
        sub.set_defaults(function=function)
        for flag, option in (
            options if name in _STANDALONE else _with_common(name, options)
        ).items():
            sub.add_argument(flag, **option)
    return top


def _with_common(name: str, options: dict[str, dict]) -> dict[str, dict]:
    """Add the options that every subcommand with a config has, --out unless it has `STREAM`."""
    config = {"metavar": "FILE", "help": "default: config.yaml, or the package's if there is none"}
    common: dict[str, dict] = {"--config": config}
    if name not in _CHECKS:
        threads = {"type": int, "metavar": "N", "default": 1, "help": "CPU threads (default: 1)"}
        common |= {"--threads": threads}
        if not STREAM.keys() <= options.keys():
            common |= {"--out": options.get("--out", OUT)}
    return {flag: option for flag, option in options.items() if flag != "--out"} | common


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit status: 0, or 1 after printing an error.

    If the reader of standard output has exited, as with `| head`, it returns `BROKEN_PIPE` without
    a message, as other tools do.
    """
    try:
        with tolerant_streams():
            return _run(sys.argv[1:] if argv is None else list(argv))
    except OutputClosed:
        return BROKEN_PIPE


def _run(typed: list[str]) -> int:
    argv = _resolve_score(typed)
    if argv and argv[0] in _SCORING:
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


def _resolve_score(argv: list[str]) -> list[str]:
    """Turn `score --source NAME ...`, as the pipeline calls it, into `score-features ...`."""
    is_features = any(word.partition("=")[0] in _FEATURES_OPTIONS for word in argv[1:])
    return ["score-features", *argv[1:]] if argv[:1] == ["score"] and is_features else argv
