"""Files of classes -> one shard of cropped images, and a list of the files that were dropped."""

import csv
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygan.files import write_text
from tinygan.real.crops import Crop, TooSmall
from tinygan.real.image_folder import ListClass
from tinygan.shards import write_shard


def write_real(
    folder: Path,
    classes: Mapping[int, ListClass],
    *,
    crop: Crop,
    image_size: int,
    max_dropped: float,
    source: str,
    provenance: dict[str, Any],
) -> None:
    """Decode and crop the files of some classes and write them as one shard.

    One image at a time is in memory: the pixels wait in a nameless file on the shard's disk. What
    is dropped stands with its reason in ``{folder}.dropped.csv`` (class, file, reason).

    Args:
        folder: the shard's folder.
        classes: class index -> its files, in ascending order of index.
        crop: see `tinygan.real.crops.crop_of`; its result has `image_size` px.
        image_size: side of the images in pixels.
        max_dropped: largest fraction of the files that may be unreadable. Files that the crop
            leaves out because they are too small do not count.
        source: the shard's source.
        provenance: what else decides the content; the number of dropped files is added.

    Raises:
        ValueError: more files are unreadable, or a class is left without an image.
    """
    small: list[tuple[int, str, str]] = []
    unreadable: list[tuple[int, str, str]] = []
    labels: list[int] = []
    files = 0
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryFile(dir=folder.parent) as spool,
        tqdm(desc=f"{source} {folder.name}", unit="image") as progress,
    ):
        for label, list_files in classes.items():
            for name, read in list_files():
                files += 1
                content = read()
                try:
                    spool.write(crop(io.BytesIO(content)).tobytes())
                    labels.append(label)
                except TooSmall as error:
                    small.append((label, name, str(error)))
                except ValueError as error:
                    reason = str(error) if content else "it is empty, 0 bytes"
                    unreadable.append((label, name, reason))
                progress.update()
        _write_dropped(folder.with_name(f"{folder.name}.dropped.csv"), small + unreadable)
        if len(unreadable) > max_dropped * files:
            label, name, reason = unreadable[0]
            raise ValueError(
                f"{len(unreadable)} of {files} files cannot be read, more than real.max_dropped "
                f"{max_dropped:g} of them; the first: class {label}, {name}: {reason}"
            )
        if without := sorted(set(classes) - set(labels)):
            raise ValueError(
                f"no images in the classes {', '.join(map(str, without))}: their folders or tars "
                f"are empty, or all their files were dropped ({len(small)} too small, "
                f"{len(unreadable)} unreadable)"
            )
        spool.flush()
        shape = (len(labels), image_size, image_size, 3)
        write_shard(
            folder,
            np.memmap(spool, np.uint8, "r", shape=shape),
            np.array(labels),
            source=source,
            provenance=provenance
            | {"dropped": {"too_small": len(small), "unreadable": len(unreadable)}},
        )


def _write_dropped(path: Path, rows: list[tuple[int, str, str]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("class", "file", "reason"))
    table.writerows(sorted(rows))
    write_text(path, text.getvalue())
