"""Check for the official ImageNet: ILSVRC2012's image count per class, and the MD5 of its tar."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from tinygan.classes.imagenet import images_of_wnid
from tinygan.data.class_folders import ListClass

TRAIN_MD5 = "1d675b47d978889d74fa0da5fadfb00e"  # of ILSVRC2012_img_train.tar
_LISTED = 20
_BLOCK = 1 << 24


def check_counts(classes: Mapping[str, ListClass], *, progress: bool = False) -> int:
    """Count the files of each class, without reading them, and compare with ILSVRC2012.

    Args:
        classes: WNID -> its files.
        progress: show a progress bar.

    Returns:
        the total number of files.

    Raises:
        ValueError: the counts differ; the message lists the classes, expected and actual counts.
    """
    bar = tqdm(classes.items(), desc="count", unit="class", disable=not progress)
    counts = {wnid: sum(1 for _ in files()) for wnid, files in bar}
    expected = {wnid: images_of_wnid()[wnid] for wnid in classes}
    wrong = [wnid for wnid in classes if counts[wnid] != expected[wnid]]
    if wrong:
        lines = [f"  {w}: expected {expected[w]:,}, found {counts[w]:,}" for w in wrong[:_LISTED]]
        if len(wrong) > _LISTED:
            lines.append(f"  and {len(wrong) - _LISTED} more")
        raise ValueError(
            f"{len(wrong)} of {len(classes)} classes do not have as many images as in ILSVRC2012, "
            f"in total expected {sum(expected.values()):,}, found {sum(counts.values()):,}:\n"
            + "\n".join(lines)
        )
    return sum(counts.values())


def check_md5(path: Path) -> None:
    """Compare the MD5 of ILSVRC2012_img_train.tar, 147.9 GB, with the official one.

    Raises:
        ValueError: it differs, or the path is a folder.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is a folder: only ILSVRC2012_img_train.tar has an official MD5")
    digest = hashlib.md5(usedforsecurity=False)
    with (
        open(path, "rb") as file,
        tqdm(total=path.stat().st_size, desc="md5", unit="B", unit_scale=True) as progress,
    ):
        while block := file.read(_BLOCK):
            digest.update(block)
            progress.update(len(block))
    if digest.hexdigest() != TRAIN_MD5:
        raise ValueError(
            f"{path} has the MD5 {digest.hexdigest()}, ILSVRC2012_img_train.tar has {TRAIN_MD5}: "
            "the file is damaged, incomplete or a different one"
        )
