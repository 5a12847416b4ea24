"""Images from outside: a folder of images by class, a shard store, or a model -> rows of a shard.

The three are told apart by what lies in the folder: ``card.json`` makes it a model, a
``manifest.json`` in it or in its sub-folders makes it a shard store, anything else is read as
images in one sub-folder a class.
"""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygan.decode import decode
from tinygan.files import digest_json
from tinygan.image_folders import class_key, first_level, list_images
from tinygan.seeding import stream
from tinygan.shards import Shard, find_manifests, open_store

Rows = tuple[np.ndarray, np.ndarray]
# Rows of a shard store that are copied at once.
_ROWS = 256


def read_source(
    folder: Path,
    names: Sequence[str],
    classes: range,
    count: int,
    *,
    image_size: int,
    seed: int,
    batch: int,
) -> tuple[Iterator[Rows], dict[str, Any]]:
    """Read, or draw, the same number of images of each class, a few at a time.

    Where a class has more than `count`, a seeded choice is made: Frechet distances of different
    sample counts are not comparable.

    Args:
        folder: a model, a shard store, or a folder of images by class.
        names: the names of all classes, in the order of the class index.
        classes: the class indices to read.
        count: images a class.
        image_size: side of the images in pixels; nothing is resized here.
        seed: the run's seed.
        batch: images a forward pass, for a model.

    Returns:
        an iterator over images uint8 [N, image_size, image_size, 3] and labels int64 [N], in all
        classes * count, and their provenance.

    Raises, at once or while the images are read:
        FileNotFoundError: there is no such folder.
        ValueError: a class is unknown, missing or too small, an image has another size, or a file
            is no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder of images")
    if classes.stop > len(names):
        raise ValueError(
            f"class {classes.stop - 1} is asked for, but the config names {len(names)}"
        )
    if (folder / "card.json").is_file():
        from tinygan.sampling import draw_model

        drawn, provenance = draw_model(folder, classes, count, seed=seed, batch=batch)
        rows: Iterator[Rows] = ((images, labels) for images, labels, _ in drawn)
    elif manifests := find_manifests(folder):
        shards = open_store(manifests, verify=True)
        rows = _from_store(shards, names, classes, count, seed)
        arrays = [digest_json(shard.manifest["arrays"]) for shard in shards]
        provenance = {"seed": seed, "shards": arrays}
    else:
        rows = _from_files(folder, names, classes, count, image_size, seed)
        provenance = {"seed": seed}
    return _of_size(rows, folder, image_size), provenance


def _of_size(rows: Iterator[Rows], folder: Path, image_size: int) -> Iterator[Rows]:
    for images, labels in rows:
        height, width = images.shape[1:3]
        if (height, width) != (image_size, image_size):
            raise ValueError(_wrong_size(folder, width, height, image_size))
        yield images, labels


def _from_store(
    shards: Sequence[Shard], names: Sequence[str], classes: range, count: int, seed: int
) -> Iterator[Rows]:
    known = {str(label) for label in range(len(names))}
    for shard in shards:
        if unknown := set(shard.manifest["classes"]) - known:
            raise ValueError(
                f"{shard.folder} has the classes {', '.join(sorted(unknown))}, but the config "
                f"names only 0 to {len(names) - 1}"
            )
    for label in classes:
        holders = [shard for shard in shards if str(label) in shard.manifest["classes"]]
        rows = np.flatnonzero(holders[0].labels == label) if holders else np.empty(0, np.int64)
        chosen = _choose(seed, label, names[label], len(rows), count)
        for part in np.split(rows[chosen], range(_ROWS, count, _ROWS)):
            yield holders[0].images[part], np.full(len(part), label)


def _from_files(
    folder: Path, names: Sequence[str], classes: range, count: int, image_size: int, seed: int
) -> Iterator[Rows]:
    folders = _class_folders(folder, names)
    total = len(classes) * count
    with tqdm(total=total, desc=f"images of {folder.name}", unit="image") as progress:
        for label in classes:
            place = folders[class_key(names[label])]
            files = [place / name for name in list_images(place)]
            chosen = _choose(seed, label, names[label], len(files), count)
            for row in chosen:
                yield read_image(files[row], image_size)[None], np.array([label])
                progress.update()


def read_image(path: Path, image_size: int) -> np.ndarray:
    """Read one image of this size as uint8 [image_size, image_size, 3], see `decode`.

    Raises:
        ValueError: it is no image, damaged, of another size, or has transparent or 16-bit pixels.
    """
    try:
        image = decode(path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as an image ({error}); remove it") from error
    if image.size != (image_size, image_size):
        raise ValueError(_wrong_size(path, *image.size, image_size))
    return np.asarray(image)


def _class_folders(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return the folder of each class by `class_key`; ValueError unless they are these classes'."""
    images, folders = first_level(folder)
    if images:
        raise ValueError(
            f"{folder} has images such as {images[0]} beside the class folders: images lie in one "
            "sub-folder for each class, named as under `classes` in the config"
        )
    wanted = {class_key(name): name for name in names}
    if unknown := sorted(folders.keys() - wanted.keys()):
        near = difflib.get_close_matches(unknown[0], wanted, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{folder / unknown[0]} is not named like a class of the config{hint}")
    if missing := [name for key, name in wanted.items() if key not in folders]:
        raise ValueError(f"{folder} lacks folders for the classes {', '.join(missing[:10])}")
    return folders


def _choose(seed: int, label: int, name: str, available: int, count: int) -> np.ndarray:
    """Return `count` of the rows 0 .. available - 1, in ascending order."""
    if available < count:
        raise ValueError(
            f"class {label} ({name}) has {available} images, but metrics.samples_per_class asks "
            f"for {count}: add images, or lower it for every source"
        )
    return np.sort(stream(seed, "source", label).permutation(available)[:count])


def _wrong_size(what: Path, width: int, height: int, image_size: int) -> str:
    return (
        f"{what}: {width} x {height} px, but the run's image_size is {image_size}; resize the "
        "images first (nothing is resized here, because how it is done changes the scores)"
    )
