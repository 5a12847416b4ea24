"""Check before the first job that every class has enough images to score."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygan.assets.cache import locate
from tinygan.classes.by_name import match
from tinygan.data.dataset import open_dataset
from tinygan.data.image_folders import class_key, count_images, first_level
from tinygan.data.shards import find_manifests
from tinygan.files import read_json
from tinygan.metrics.counts import real_problems
from tinygan.planning.disk import real_counts


def require_images(config: Mapping[str, Any], shards: Sequence[Path] = ()) -> None:
    """Refuse a run if a class has too few images for the scores.

    Args:
        config: validated, `classes` as names.
        shards: the manifests of all shards of real images, if they exist already; else the files
            under real.path are counted, if they are on this machine.

    Raises:
        ValueError: images are missing; one problem per line, with the key to change.
        FileNotFoundError, ValueError: real.path lacks a class.
    """
    names = config["classes"]
    counts = _shard_counts(shards, len(names)) if shards else _file_counts(config)
    problems = list(real_problems(config["metrics"], names, counts)) if counts else []
    problems += _source_problems(config)
    if problems:
        raise ValueError("\n".join(problems))


def _shard_counts(shards: Sequence[Path], classes: int) -> list[int]:
    """Return the number of images of each class in some shards."""
    counts = dict.fromkeys(range(classes), 0)
    for manifest in shards:
        counts |= {int(label): n for label, n in read_json(manifest)["classes"].items()}
    return list(counts.values())


def _file_counts(config: Mapping[str, Any]) -> list[int]:
    """Return the number of real images of each class; empty if they are not on this machine."""
    real, names = config["real"], config["classes"]
    dataset = open_dataset(real["source"])
    if not dataset.packaged:
        if not Path(real["path"]).exists():
            return []
        dataset.open(Path(real["path"]), names)
    return real_counts(config, names)


def _source_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield missing class folders of `sources`, and folders with too few images.

    Models are skipped, since they can draw any number. Shard stores are checked when they are read.
    """
    needed = config["metrics"]["samples_per_class"]
    for source, folder in config["sources"].items():
        folder = Path(locate(folder))
        if not folder.is_dir() or (folder / "card.json").is_file() or find_manifests(folder):
            continue
        class_folders = first_level(folder)[1]
        wanted = [class_key(name) for name in config["classes"]]
        noun = "folders for the classes"
        try:
            match(list(class_folders), wanted, what=str(folder), exact=True, noun=noun)
        except ValueError as error:
            yield f"sources.{source}: {error}"
            continue
        for name in wanted:
            if (count := count_images(class_folders[name])) < needed:
                yield (
                    f"sources.{source}: class {name} has {count} images in {folder}, but "
                    f"metrics.samples_per_class is {needed}: add images, or lower that number, "
                    "which applies to all sources"
                )
