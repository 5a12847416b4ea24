"""The command line: one verb a step of the pipeline, each runnable by hand.

Torch and TensorFlow are imported by the verbs that need them, never both in one process.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tinygan.cli import compare, data, imports, mini_teacher, models, plan, scores, students
from tinygan.cli.options import Arguments, Config, Verb
from tinygan.cli.streams import BROKEN_PIPE, ReaderHasGone, patient_streams
from tinygan.errors import report
from tinygan.planning.run import default_file, load


def _validate(config: Config, arguments: Arguments) -> None:
    """Check a config and the numbers of images, and say what it describes."""
    from tinygan.planning.image_counts import require_images

    require_images(config)
    print(
        f"{arguments.config}: preset {config['preset']}, {len(config['classes'])} classes of "
        f"{config['image_size']} px, variants {', '.join(config['variants'])}"
    )


_VERBS: dict[str, Verb] = (
    data.VERBS | students.VERBS | scores.VERBS | models.VERBS | imports.VERBS | mini_teacher.VERBS
) | {"validate": (_validate, {}), **plan.VERBS}


# These write nothing.
_CHECKS = ("validate", "check-imagenet", "plan")
# These need no config, and have all their options to themselves.
_STANDALONE: dict[str, Verb] = compare.VERBS
_ALIASES = {"score": ["compare"]}
# The pipeline's form of `score`, which is told by these options.
_TYPED = {"score-features": "tinygan score"}
_OF_FEATURES = {"--config", *scores.VERBS["score-features"][1]}


def parser() -> argparse.ArgumentParser:
    """Build the parser of `tinygan`."""
    top = argparse.ArgumentParser(prog="tinygan", description=__doc__.splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (function, options) in (_VERBS | _STANDALONE).items():
        summary = function.__doc__
        names = {"aliases": _ALIASES.get(verb, []), "prog": _TYPED.get(verb, f"tinygan {verb}")}
        notes = {"help": summary.splitlines()[0], "description": summary}
        sub = verbs.add_parser(verb, **names, **notes)
        sub.set_defaults(function=function)
        for name, option in options.items():
            sub.add_argument(name, **option)
        if verb in _STANDALONE:
            continue
        sub.add_argument("--config", help="default: config.yaml, else the one of the package")
        if verb not in _CHECKS:
            sub.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
            sub.add_argument("--out", type=Path, required=True, help="what to write")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return 0, or 1 after printing what went wrong.

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
