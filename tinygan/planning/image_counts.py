"""Whether there are enough images to score, counted before the first job."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygan.classes.by_name import match
from tinygan.data.dataset import open_dataset
from tinygan.data.image_folders import class_key, count_images, first_level
from tinygan.data.shards import find_manifests
from tinygan.files import read_json
from tinygan.metrics.counts import real_problems
from tinygan.planning.disk import real_counts


def require_images(config: Mapping[str, Any], shards: Sequence[Path] = ()) -> None:
    """Refuse a run with a class that has too few images for the scores.

    Args:
        config: checked, with the names of its classes.
        shards: the manifests of all shards of real images, where they are made; else the files
            under real.path are counted, if they are on this machine.

    Raises:
        ValueError: says what is too few, one problem a line, with the key to change.
        FileNotFoundError, ValueError: real.path lacks a class.
    """
    names = config["classes"]
    counts = _made(shards, len(names)) if shards else _files(config)
    problems = list(real_problems(config["metrics"], names, counts)) if counts else []
    problems += _source_problems(config)
    if problems:
        raise ValueError("\n".join(problems))


def _made(shards: Sequence[Path], classes: int) -> list[int]:
    counts = dict.fromkeys(range(classes), 0)
    for manifest in shards:
        counts |= {int(label): n for label, n in read_json(manifest)["classes"].items()}
    return list(counts.values())


def _files(config: Mapping[str, Any]) -> list[int]:
    real, names = config["real"], config["classes"]
    dataset = open_dataset(real["source"])
    if not dataset.packaged:
        if not Path(real["path"]).exists():
            return []
        dataset.open(Path(real["path"]), names)
    return real_counts(config, names)


def _source_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `sources` lack: class folders, or images in them.

    Models draw as many as they are asked for. Shards are looked at when they are read.
    """
    needed = config["metrics"]["samples_per_class"]
    for source, folder in config["sources"].items():
        folder = Path(folder)
        if not folder.is_dir() or (folder / "card.json").is_file() or find_manifests(folder):
            continue
        found = first_level(folder)[1]
        wanted = [class_key(name) for name in config["classes"]]
        try:
            match(list(found), wanted, what=str(folder), exact=True, noun="folders for the classes")
        except ValueError as error:
            yield f"sources.{source}: {error}"
            continue
        for name in wanted:
            if (count := count_images(found[name])) < needed:
                yield (
                    f"sources.{source}: class {name} has {count} images in {folder}, but "
                    f"metrics.samples_per_class asks for {needed}: add images, or lower it for "
                    "every source"
                )
