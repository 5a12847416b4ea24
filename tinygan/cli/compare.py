"""The verb that scores two folders of images, outside any pipeline and without a config."""

import json
from pathlib import Path

from tinygan.cli.options import Arguments, Config, Verb


def _compare(_: Config, arguments: Arguments) -> None:
    """Score the images of folder A against those of folder B; `score A B` is the same."""
    from tinygan.compare import compare, table
    from tinygan.files import write_json
    from tinygan.image_sets import open_images
    from tinygan.metrics.extractors import open_extractor

    by_class = not arguments.no_classes
    a, b = (open_images(folder, by_class=by_class) for folder in (arguments.a, arguments.b))
    options = {"graph": arguments.graph} if arguments.graph else {}
    with open_extractor(
        arguments.extractor, side=arguments.side, threads=arguments.threads, **options
    ) as extractor:
        result = compare(
            a,
            b,
            extractor,
            batch=arguments.batch,
            seed=arguments.seed,
            samples=arguments.samples,
            splits=arguments.splits,
        )
    print(table(result))
    print(json.dumps(result, indent=2))
    if arguments.out:
        write_json(arguments.out, result)


def _whole(default: int | None, meaning: str) -> dict:
    shown = "all" if default is None else default
    return {
        "type": int,
        "metavar": "N",
        "default": default,
        "help": f"{meaning} (default: {shown})",
    }


_FOLDER = {"type": Path, "help": "folder of images, or of shards"}

VERBS: dict[str, Verb] = {
    "compare": (
        _compare,
        {
            "a": _FOLDER,
            "b": _FOLDER | {"help": "the same: the reference"},
            "--extractor": {
                "metavar": "NAME",
                "default": "efficientnet_lite0",
                "help": "efficientnet_lite0 (the default) or inception_tf",
            },
            "--side": _whole(224, "px, images are resized to it; inception_tf always has 299"),
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
