"""Crop the image files of some classes into one shard, and list the files that were dropped."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygan.classes.by_name import Names
from tinygan.data.class_folders import ListClass
from tinygan.data.crops import Crop, TooSmall
from tinygan.data.image_folders import printable
from tinygan.data.shards import new_shard
from tinygan.files import write_text

Dropped = tuple[int, str, str]  # class index, file name, reason


def write_real(
    folder: Path,
    classes: Mapping[int, ListClass],
    *,
    crop: Crop,
    max_dropped: float,
    least: int = 1,
    source: str,
    provenance: dict[str, Any],
    names: Names | None = None,
) -> None:
    """Decode and crop the files of some classes and write them as one shard.

    One image at a time is in memory. Dropped files are listed in ``{folder}.dropped.csv`` (class,
    file, reason).

    Args:
        folder: the shard's folder.
        classes: class index -> its files, in ascending order of index.
        crop: see `tinygan.data.crops.crop_of`.
        max_dropped: largest fraction of files that may be unreadable, in [0, 1]. Files that are too
            small for the crop do not count.
        least: images that a class must have left if files of it were dropped. (The caller checks
            that the class has that many files.)
        source: the real dataset, recorded in the manifest.
        provenance: what else determines the content; the number of dropped files is added.
        names: the name of each class index, see `tinygan.data.shards.new_shard`.

    Raises:
        ValueError: more files are unreadable, or a class has no images or too few left.
    """
    small: list[Dropped] = []
    unreadable: list[Dropped] = []
    written: Counter[int] = Counter()
    files = 0
    with (
        new_shard(folder, source=source, provenance=provenance, names=names) as shard,
        tqdm(desc=f"{source} {folder.name}", unit="image") as progress,
    ):
        for label, list_files in classes.items():
            for name, read in list_files():
                files += 1
                content = read()
                try:
                    image = np.asarray(crop(io.BytesIO(content)))
                except TooSmall as error:
                    small.append((label, name, str(error)))
                except ValueError as error:
                    reason = str(error) if content else "it is empty, 0 bytes"
                    unreadable.append((label, name, reason))
                else:
                    shard.append(image[None], np.array([label]))
                    written[label] += 1
                progress.update()
        report = folder.with_name(f"{folder.name}.dropped.csv")
        _write_dropped(report, small + unreadable)
        if len(unreadable) > max_dropped * files:
            label, name, reason = unreadable[0]
            raise ValueError(
                f"{len(unreadable)} of {files} files cannot be read, more than the fraction "
                f"real.max_dropped {max_dropped:g}; the first: class {label}, {name}: {reason}"
            )
        _check_written(
            {label: written[label] for label in classes}, small, unreadable, least, report
        )
        shard.provenance["dropped"] = {"too_small": len(small), "unreadable": len(unreadable)}


def _check_written(
    written: Mapping[int, int],
    small: Sequence[Dropped],
    unreadable: Sequence[Dropped],
    least: int,
    report: Path,
) -> None:
    """Refuse, with ValueError, classes without images, or with too few because some were dropped.

    Args:
        written: class index -> number of images written.
        small, unreadable: the dropped files.
        least: see `write_real`.
        report: the list of dropped files, for messages.
    """
    if without := sorted(label for label, count in written.items() if not count):
        raise ValueError(
            f"no images in the classes {', '.join(map(str, without))}: their folders or tars "
            f"are empty, or all their files were dropped ({len(small)} too small, "
            f"{len(unreadable)} unreadable)"
        )
    dropped = {label for label, *_ in [*small, *unreadable]}
    if scarce := sorted(label for label in dropped if written[label] < least):
        raise ValueError(
            f"class {scarce[0]} has {written[scarce[0]]} images left, but the scores need "
            f"{least} per class: see {report.name} for the dropped files, and add images or "
            "remove the class from `classes`"
        )


def _write_dropped(path: Path, rows: Sequence[Dropped]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("class", "file", "reason"))
    table.writerows((label, printable(name), reason) for label, name, reason in sorted(rows))
    write_text(path, text.getvalue())
