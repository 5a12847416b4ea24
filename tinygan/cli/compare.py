"""The subcommand that scores two folders of images, without a config or the pipeline."""

import json
import sys
from pathlib import Path

from tinygan.cli.options import Arguments, Config, Subcommand


def _compare(_: Config, arguments: Arguments) -> None:
    """Score the images in folder A against those in folder B: FID, KID, precision, recall and more.

    The result is printed to standard output as JSON; a readable table and the progress go to
    standard error. The pipeline scores extracted features: see `tinygan score-features --help`.
    """
    from tinygan.evaluation.compare import compare, select_images, table
    from tinygan.evaluation.image_sets import open_images
    from tinygan.features.extract import check_name, open_extractor
    from tinygan.files import require_writable, write_json
    from tinygan.gpu import claim_gpus

    _check_numbers(arguments)
    check_name(arguments.extractor)
    if arguments.out:
        require_writable(arguments.out)
    by_class = not arguments.no_classes
    a, b = (open_images(folder, by_class=by_class) for folder in (arguments.a, arguments.b))
    draw = {name: getattr(arguments, name) for name in ("seed", "samples", "splits")}
    select_images(a, b, **draw)  # what cannot be scored is refused before the extractor is opened
    claim_gpus(arguments.device)
    options = {name: getattr(arguments, name) for name in ("input_size", "threads", "device")}
    options |= {"graph": arguments.graph} if arguments.graph else {}
    with open_extractor(arguments.extractor, **options) as extractor:
        result = compare(a, b, extractor, batch=arguments.batch, **draw)
    try:
        if arguments.out:
            write_json(arguments.out, result)
    finally:  # print the result even if it cannot be written
        print(table(result), file=sys.stderr)
        print(json.dumps(result, indent=2))


def _check_numbers(arguments: Arguments) -> None:
    """Refuse, with ValueError, numbers that are too small."""
    minima = dict.fromkeys(("input_size", "samples", "splits", "batch", "threads"), 1) | {"seed": 0}
    for name, minimum in minima.items():
        value = getattr(arguments, name)
        if value is not None and value < minimum:
            raise ValueError(f"--{name.replace('_', '-')} {value}: it must be {minimum} or more")


def _integer(default: int | None, meaning: str) -> dict:
    """Return the arguments of `add_argument` for an integer option."""
    shown = "all" if default is None else default
    return {
        "type": int,
        "metavar": "N",
        "default": default,
        "help": f"{meaning} (default: {shown})",
    }


_FOLDER = {"type": Path, "help": "folder of images, or a shard store"}

SUBCOMMANDS: dict[str, Subcommand] = {
    "score": (
        _compare,
        {
            "a": _FOLDER,
            "b": _FOLDER | {"help": "the reference (real images), likewise"},
            "--extractor": {
                "metavar": "NAME",
                "default": "efficientnet_lite0",
                "help": "efficientnet_lite0 (the default) or inception_tf",
            },
            "--input-size": _integer(
                224, "resize images to this size in pixels; inception_tf always uses 299"
            ),
            "--graph": {
                "metavar": "FILE",
                "help": "file or URL of inception_tf's graph (default: asset:inception-graph, see "
                "`tinygan fetch`)",
            },
            "--samples": _integer(None, "images to draw from each folder"),
            "--splits": _integer(10, "splits of the Inception score"),
            "--seed": _integer(0, "seed of the random draws"),
            "--batch": _integer(100, "images per batch"),
            "--threads": _integer(1, "CPU threads"),
            "--device": {
                "choices": ["auto", "cpu", "cuda"],
                "default": "auto",
                "help": "where to extract features (default: auto, a GPU if there is one)",
            },
            "--no-classes": {"action": "store_true", "help": "ignore class folders"},
            "--out": {
                "type": Path,
                "metavar": "JSON",
                "help": "file to write the result to",
            },
        },
    ),
}
