"""Subcommands that score folders of images, without a config or the pipeline."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tinygan.cli.options import Arguments, Config, Subcommand

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tinygan.features.extractor import Extractor


def _compare(_: Config, arguments: Arguments) -> None:
    """Score the images in folder A against those in folder B: FID, KID, precision, recall and more.

    A and B may also be .npz files with images (arr_0), and B one with the mean and covariance of
    features (mu, sigma): then it is the FID alone. The result is printed to standard output as
    JSON; a readable table and the progress go to standard error. The pipeline scores extracted
    features: see `tinygan score-features --help`.
    """
    from tinygan.evaluation.compare import compare, compare_with_statistics, select_images, table
    from tinygan.evaluation.image_sets import open_images
    from tinygan.evaluation.statistics import is_statistics, read_statistics
    from tinygan.files import require_writable, write_json

    _check_options(arguments)
    if arguments.out:
        require_writable(arguments.out)
    by_class = not arguments.no_classes
    draw = {name: getattr(arguments, name) for name in ("seed", "samples", "splits")}
    a, b = open_images(arguments.a, by_class=by_class), arguments.b
    # What cannot be scored is refused before the extractor is opened.
    if is_statistics(b):
        read_statistics(b)
        score = compare_with_statistics
    else:
        b, score = open_images(b, by_class=by_class), compare
        select_images(a, b, **draw)
    with _extractor(arguments) as extractor:
        result = score(a, b, extractor, batch=arguments.batch, **draw)
    try:
        if arguments.out:
            write_json(arguments.out, result)
    finally:  # print the result even if it cannot be written
        print(table(result), file=sys.stderr)
        print(json.dumps(result, indent=2))


def _statistics(_: Config, arguments: Arguments) -> None:
    """Write the mean and covariance of the features of a folder's images to a .npz file.

    `tinygan score A FILE` computes the FID against them. Other programs read them too: the arrays
    are called mu and sigma.
    """
    from tinygan.evaluation.image_sets import ImageReader, open_images
    from tinygan.evaluation.statistics import write_statistics
    from tinygan.features.extract import extract
    from tinygan.files import require_writable

    _check_options(arguments)
    if arguments.out.suffix != ".npz":
        raise ValueError(f"--out {arguments.out}: its name must end in .npz")
    require_writable(arguments.out)
    reader = ImageReader(open_images(arguments.images, by_class=False))
    if len(reader) < 2:
        raise ValueError(f"{arguments.images} has one image, but a covariance needs two")
    with _extractor(arguments) as extractor:
        title = arguments.images.name
        features, _ = extract(reader, extractor, batch=arguments.batch, progress=title)
    write_statistics(arguments.out, features)
    print(f"wrote {arguments.out}: mu and sigma of {len(reader):,} images")
    print(f"extractor {extractor.name}, {extractor.resize}")


def _extractor(arguments: Arguments) -> "AbstractContextManager[Extractor]":
    """Return the extractor that the options describe, to be opened by `with`."""
    from tinygan.features.extract import open_extractor
    from tinygan.gpu import claim_gpus

    claim_gpus(arguments.device)
    options = {name: getattr(arguments, name) for name in ("input_size", "threads", "device")}
    options |= {"graph": arguments.graph} if arguments.graph else {}
    return open_extractor(arguments.extractor, **options)


def _check_options(arguments: Arguments) -> None:
    """Refuse, with ValueError, an unknown extractor and numbers that are too small."""
    from tinygan.features.extract import check_name

    check_name(arguments.extractor)
    minima = dict.fromkeys(("input_size", "samples", "splits", "batch", "threads"), 1) | {"seed": 0}
    for name, minimum in minima.items():
        value = getattr(arguments, name, None)
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


_IMAGES = {"type": Path, "help": "folder of images, a shard store, or a .npz file with arr_0"}
_EXTRACTOR = {
    "--extractor": {
        "metavar": "NAME",
        "default": "efficientnet_lite0",
        "help": "efficientnet_lite0 (the default), inception_tf, inception_torch, "
        "inception_pytorch_fid or dinov2_vitl14; the weights of all but the first: see "
        "`tinygan fetch --list`",
    },
    "--input-size": _integer(
        224, "size that efficientnet_lite0 sees images at; the others have their own"
    ),
    "--graph": {
        "metavar": "FILE",
        "help": "file or URL of the Inception graph (default: asset:inception-graph, see "
        "`tinygan fetch`)",
    },
    "--batch": _integer(100, "images per batch"),
    "--threads": _integer(1, "CPU threads"),
    "--device": {
        "choices": ["auto", "cpu", "cuda"],
        "default": "auto",
        "help": "where to extract features (default: auto, a GPU if there is one)",
    },
}

SUBCOMMANDS: dict[str, Subcommand] = {
    "score": (
        _compare,
        {
            "a": _IMAGES,
            "b": _IMAGES | {"help": "the reference, likewise; or a .npz file with mu and sigma"},
            **_EXTRACTOR,
            "--samples": _integer(None, "images to draw from each set"),
            "--splits": _integer(10, "splits of the Inception score"),
            "--seed": _integer(0, "seed of the random draws"),
            "--no-classes": {"action": "store_true", "help": "ignore class folders and arr_1"},
            "--out": {
                "type": Path,
                "metavar": "JSON",
                "help": "file to write the result to",
            },
        },
    ),
    "statistics": (
        _statistics,
        {
            "images": _IMAGES,
            **_EXTRACTOR,
            "--out": {
                "type": Path,
                "metavar": "NPZ",
                "required": True,
                "help": "file to write mu and sigma to",
            },
        },
    ),
}
