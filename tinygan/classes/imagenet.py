"""The 1,000 classes of ILSVRC2012: index (rank of the sorted WNID), WNID, name, training images.

The image counts are from meta.mat of the official development kit
(md5 fa75699e90414af021442c21a62c3abf).
"""

import csv
import difflib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

IMAGENET_CLASSES = 1000
ANIMALS = 398  # classes 0 .. 397, n01440764 .. n02655020
_TABLE = Path(__file__).with_name("imagenet_classes.tsv")


@cache
def wnid_of_name() -> dict[str, str]:
    """Return the WNID of each name, in the order of the class index; names are unique."""
    return {row["name"]: row["wnid"] for row in _rows()}


@cache
def images_of_wnid() -> dict[str, int]:
    """Return the number of ILSVRC2012 training images of each WNID, 1,281,167 in total."""
    return {row["wnid"]: int(row["images"]) for row in _rows()}


def _rows() -> list[dict[str, str]]:
    with open(_TABLE, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def imagenet_names(classes: str | Sequence[str | int]) -> list[str]:
    """Return the names of the given classes, in the given order.

    Args:
        classes: ``"animals"`` (the paper's 398), ``"all"``, or a list of WNIDs, indices 0 to 999
            and names, in any order.

    Raises:
        ValueError: ImageNet has no such class, or there is no such keyword.
    """
    names = list(wnid_of_name())
    if isinstance(classes, str):
        counts = {"animals": ANIMALS, "all": len(names)}
        if classes not in counts:
            raise ValueError(f"unknown classes {classes!r}: use animals, all, or a list")
        return names[: counts[classes]]
    name_of_wnid = {wnid: name for name, wnid in wnid_of_name().items()}
    selected = []
    for item in classes:
        if isinstance(item, str) and item.isdecimal():
            if item != str(int(item)):
                raise ValueError(
                    f"{item!r} may mean the index {int(item)} or a name: write the index without "
                    "leading zeros, or the WNID"
                )
            item = int(item)
        if isinstance(item, int):
            if not 0 <= item < len(names):
                raise ValueError(f"index {item} is outside 0..{len(names) - 1}")
            selected.append(names[item])
        elif item in name_of_wnid or item in wnid_of_name():
            selected.append(name_of_wnid.get(item, item))
        else:
            near = difflib.get_close_matches(item, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{item!r} is neither a WNID nor the name of an ImageNet class{hint}")
    return selected
