"""Read external images to evaluate: from a folder of images by class, a shard store, or a model.

A folder with ``card.json`` is a model; one with ``manifest.json``, in it or in its sub-folders, is
a shard store; any other one has images in one sub-folder per class. Classes are always matched with
those of the run by name.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygan.classes.by_name import match, merge
from tinygan.data.decode import decode
from tinygan.data.image_folders import class_key, first_level, list_images
from tinygan.data.shards import Shard, find_manifests, open_store
from tinygan.files import digest_json
from tinygan.seeding import stream

# images uint8 [N, H, W, 3], labels int64 [N]
Batch = tuple[np.ndarray, np.ndarray]
# Images of a shard store that are copied at a time.
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
    device: str = "cpu",
) -> tuple[Iterator[Batch], dict[str, Any]]:
    """Read, or sample from a model, the same number of images of each class, batch by batch.

    If a class has more than `count` images, `count` of them are drawn with the seed: FIDs of
    different sample counts are not comparable.

    Args:
        folder: a model, a shard store, or a folder of images by class.
        names: the names of all classes, in the order of the class index.
        classes: the class indices to read.
        count: images per class.
        image_size: side of the images in pixels; nothing is resized.
        seed: the run's seed.
        batch: batch size of a model.
        device: device of a model, see `tinygan.runtime.device_of`.

    Returns:
        an iterator over images uint8 [N, image_size, image_size, 3] and labels int64 [N], `count`
        images per class in total; and their provenance.

    Raises, at once or while the images are read:
        FileNotFoundError: there is no such folder.
        ValueError: classes have no names or do not match those of the run, a class has too few
            images, an image has another size, or a file is not an image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder of images")
    if classes.stop > len(names):
        raise ValueError(
            f"class {classes.stop - 1} is requested, but the config names {len(names)}"
        )
    if (folder / "card.json").is_file():
        from tinygan.generation.sampling import draw_model

        options = {"seed": seed, "batch": batch, "names": names, "device": device}
        drawn, provenance = draw_model(folder, classes, count, **options)
        batches: Iterator[Batch] = ((images, labels) for images, labels, _ in drawn)
    elif manifests := find_manifests(folder):
        shards = open_store(manifests, verify=True)
        batches = _from_store(folder, shards, names, classes, count, seed)
        arrays = [digest_json(shard.manifest["arrays"]) for shard in shards]
        provenance = {"seed": seed, "shards": arrays}
    else:
        batches = _from_files(folder, names, classes, count, image_size, seed)
        provenance = {"seed": seed}
    return _check_size(batches, folder, image_size), provenance


def _check_size(batches: Iterator[Batch], folder: Path, image_size: int) -> Iterator[Batch]:
    for images, labels in batches:
        height, width = images.shape[1:3]
        if (height, width) != (image_size, image_size):
            raise ValueError(_wrong_size(folder, width, height, image_size))
        yield images, labels


def _from_store(
    folder: Path,
    shards: Sequence[Shard],
    names: Sequence[str],
    classes: range,
    count: int,
    seed: int,
) -> Iterator[Batch]:
    class_names = merge([shard.class_names for shard in shards], what=f"the shards of {folder}")
    if class_names is None:
        raise ValueError(
            f"{folder} has no class names, so its classes cannot be matched with those of the run: "
            'add "class_names", such as {"0": "cat", "1": "dog"} with the labels of the shard, to '
            "each manifest.json, or create the shards again"
        )
    store_labels = match(class_names, names, what=str(folder), exact=True)
    for label in classes:
        store_label = store_labels[label]
        (shard,) = (shard for shard in shards if store_label in shard.class_names)
        rows = np.flatnonzero(shard.labels == store_label)
        chosen = _choose(seed, label, names[label], len(rows), count)
        for part in np.split(rows[chosen], range(_ROWS, count, _ROWS)):
            yield shard.images[part], np.full(len(part), label)


def _from_files(
    folder: Path, names: Sequence[str], classes: range, count: int, image_size: int, seed: int
) -> Iterator[Batch]:
    folders = _class_folders(folder, names)
    total = len(classes) * count
    with tqdm(total=total, desc=f"images of {folder.name}", unit="image") as progress:
        for label in classes:
            files = [folders[label] / name for name in list_images(folders[label])]
            chosen = _choose(seed, label, names[label], len(files), count)
            for row in chosen:
                yield read_image(files[row], image_size)[None], np.array([label])
                progress.update()


def read_image(path: Path, image_size: int) -> np.ndarray:
    """Read one image of this size as uint8 [image_size, image_size, 3], see `decode`.

    Raises:
        ValueError: it is not an image, damaged, of another size, or has transparent or 16-bit
            pixels.
    """
    try:
        image = decode(path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as an image ({error}); remove it") from error
    if image.size != (image_size, image_size):
        raise ValueError(_wrong_size(path, *image.size, image_size))
    return np.asarray(image)


def _class_folders(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the sub-folder of each class of the run; refuse any others."""
    images, folders = first_level(folder)
    if images:
        raise ValueError(
            f"{folder} has images such as {images[0]} beside the class folders: put images into "
            "one sub-folder per class, named as under `classes` in the config"
        )
    available, wanted = list(folders), list(map(class_key, names))
    labels = match(available, wanted, what=str(folder), exact=True, noun="folders for the classes")
    return [folders[available[label]] for label in labels]


def _choose(seed: int, label: int, name: str, available: int, count: int) -> np.ndarray:
    """Return `count` of the rows 0 .. available - 1, in ascending order."""
    if available < count:
        raise ValueError(
            f"class {label} ({name}) has {available} images, but metrics.samples_per_class is "
            f"{count}: add images, or lower it for all evaluated sources"
        )
    return np.sort(stream(seed, "source", label).permutation(available)[:count])


def _wrong_size(what: Path, width: int, height: int, image_size: int) -> str:
    return (
        f"{what}: {width} x {height} px, but the run's image_size is {image_size}; resize the "
        "images first (they are not resized here, since the method would affect the scores)"
    )
