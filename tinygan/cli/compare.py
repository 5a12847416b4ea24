"""The subcommand that scores two folders of images, outside any pipeline and without a config."""

import json
import sys
from pathlib import Path

from tinygan.cli.options import Arguments, Config, Subcommand


def _compare(_: Config, arguments: Arguments) -> None:
    """Score the images of folder A against those of folder B.

    The result is JSON on standard output; a table of it and the progress are on standard error.
    The pipeline has a form of its own, for features: see `tinygan score-features --help`.
    """
    from tinygan.evaluation.compare import compare, select_images, table
    from tinygan.evaluation.image_sets import open_images
    from tinygan.features.extract import check_name, open_extractor
    from tinygan.files import require_writable, write_json

    _check_numbers(arguments)
    check_name(arguments.extractor)
    if arguments.out:
        require_writable(arguments.out)
    by_class = not arguments.no_classes
    a, b = (open_images(folder, by_class=by_class) for folder in (arguments.a, arguments.b))
    draw = {name: getattr(arguments, name) for name in ("seed", "samples", "splits")}
    select_images(a, b, **draw)  # what cannot be scored is refused before the extractor is opened
    options = {"graph": arguments.graph} if arguments.graph else {}
    with open_extractor(
        arguments.extractor, input_size=arguments.input_size, threads=arguments.threads, **options
    ) as extractor:
        result = compare(a, b, extractor, batch=arguments.batch, **draw)
    try:
        if arguments.out:
            write_json(arguments.out, result)
    finally:  # where that fails, the result is at least printed
        print(table(result), file=sys.stderr)
        print(json.dumps(result, indent=2))


def _check_numbers(arguments: Arguments) -> None:
    least = dict.fromkeys(("input_size", "samples", "splits", "batch", "threads"), 1) | {"seed": 0}
    for name, lowest in least.items():
        value = getattr(arguments, name)
        if value is not None and value < lowest:
            raise ValueError(f"--{name.replace('_', '-')} {value}: it must be {lowest} or more")


def _whole(default: int | None, meaning: str) -> dict:
    shown = "all" if default is None else default
    return {
        "type": int,
        "metavar": "N",
        "default": default,
        "help": f"{meaning} (default: {shown})",
    }


_FOLDER = {"type": Path, "help": "folder of images, or of shards"}

SUBCOMMANDS: dict[str, Subcommand] = {
    "score": (
        _compare,
        {
            "a": _FOLDER,
            "b": _FOLDER | {"help": "the same: the reference"},
            "--extractor": {
                "metavar": "NAME",
                "default": "efficientnet_lite0",
                "help": "efficientnet_lite0 (the default) or inception_tf",
            },
            "--input-size": _whole(
                224, "px, images are resized to it; inception_tf always has 299"
            ),
            "--graph": {
                "metavar": "FILE",
                "help": "file or URL of inception_tf's graph (default: the official URL)",
            },
            "--samples": _whole(None, "images to draw from each folder"),
            "--splits": _whole(10, "splits of the Inception score"),
            "--seed": _whole(0, "seed of the draws"),
            "--batch": _whole(100, "images read at once"),
            "--threads": _whole(1, "CPU threads"),
            "--no-classes": {"action": "store_true", "help": "ignore class folders"},
            "--out": {"type": Path, "metavar": "JSON", "help": "file for the result"},
        },
    ),
}
