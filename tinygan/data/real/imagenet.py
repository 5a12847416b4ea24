"""The training images of ImageNet ILSVRC2012, in one of three layouts -> the files of each class.

The layouts: ILSVRC2012_img_train.tar, a tar of 1,000 class tars (read in place, not unpacked); a
folder of class tars; or a folder of class folders. The class of an image is the WNID in the name of
its tar or folder. All layouts give the same files in the same order.
"""

import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tinygan.classes.imagenet import imagenet_names, images_of_wnid, wnid_of_name
from tinygan.data.class_folders import (
    ListClass,
    Read,
    class_folders,
    list_folder,
    require_classes,
)
from tinygan.data.dataset import Dataset
from tinygan.data.image_folders import count_images, first_level, is_image
from tinygan.external import check_content

LAYOUTS = (
    "give ILSVRC2012_img_train.tar, a folder of its class tars (n01440764.tar ...), or a folder of "
    "class folders (n01440764 ...)"
)


def open_imagenet(path: Path, wnids: Sequence[str]) -> list[ListClass]:
    """Find these classes.

    Args:
        path: in one of the three layouts.
        wnids: the classes, in the order of the result.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: a class is missing or unknown, or the path is a level too high or too low.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"real.path: there is no {path}; {LAYOUTS}")
    listers = _from_folder(path, wnids) if path.is_dir() else _from_tar(path)
    _check_known(path, listers)
    require_classes(path, listers, wnids)
    return [listers[wnid] for wnid in wnids]


def _from_folder(path: Path, wnids: Sequence[str]) -> dict[str, ListClass]:
    folders = class_folders(path)
    tars = {tar.stem: tar for tar in path.glob("*.tar") if not tar.name.startswith(".")}
    if folders.keys() & tars.keys():
        both = min(folders.keys() & tars.keys())
        raise ValueError(f"real.path: {path} has {both} as a tar and as a folder; keep one kind")
    if not set(wnid_of_name().values()) & (folders.keys() | tars.keys()):
        # If the path is a level too high, the error gives the right one.
        require_classes(path, [*folders, *tars], wnids)
    return {
        **{wnid: partial(list_folder, folder) for wnid, folder in folders.items()},
        **{wnid: partial(_list_tar, tar) for wnid, tar in tars.items()},
    }


def _from_tar(path: Path) -> dict[str, ListClass]:
    check_content(path)
    try:
        with tarfile.open(path, "r:") as tar:
            members = [member for member in tar.getmembers() if member.isfile()]
    except (tarfile.TarError, EOFError) as error:
        raise ValueError(
            f"real.path: {path} is not an uncompressed tar, or damaged ({error}); {LAYOUTS}"
        ) from error
    listers: dict[str, ListClass] = {}
    for member in members:
        name = PurePosixPath(member.name)
        if name.suffix != ".tar":
            what = "the tar of one class" if is_image(name.name) else "not a tar of tars"
            raise ValueError(f"real.path: {path} contains {name}, so it is {what}; {LAYOUTS}")
        listers[name.stem] = partial(_list_nested, path, member)
    return listers


def _check_known(path: Path, wnids: Iterable[str]) -> None:
    if unknown := sorted(set(wnids) - set(wnid_of_name().values())):
        raise ValueError(
            f"real.path: {path} has {unknown[0]}, which is not a WNID of ILSVRC2012; {LAYOUTS}"
        )


def _list_nested(path: Path, member: tarfile.TarInfo) -> Iterator[tuple[str, Read]]:
    with tarfile.open(path, "r:") as outer, outer.extractfile(member) as file:
        yield from _list_members(file, f"{path}:{member.name}")


def _list_tar(path: Path) -> Iterator[tuple[str, Read]]:
    with open(path, "rb") as file:
        yield from _list_members(file, str(path))


def _list_members(file: BinaryIO, what: str) -> Iterator[tuple[str, Read]]:
    with _naming_damaged_tar(what):
        tar = tarfile.open(fileobj=file, mode="r:")
        members = {_path_in_class(m.name): m for m in tar.getmembers() if not m.isdir()}
    for name in sorted(members):
        if is_image(name) and not any(part.startswith(".") for part in name.split("/")):
            yield name, partial(_read_member, tar, members[name], what)


def _path_in_class(member: str) -> str:
    """Return a member's path without the class folder that it may begin with."""
    parts = PurePosixPath(member).parts
    return "/".join(parts[1:] if parts[0] in set(wnid_of_name().values()) else parts)


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo, what: str) -> bytes:
    with _naming_damaged_tar(what):
        return tar.extractfile(member).read()


@contextmanager
def _naming_damaged_tar(what: str) -> Iterator[None]:
    """Re-raise the errors of a damaged tar as ValueError with its name."""
    try:
        yield
    except (tarfile.TarError, EOFError, KeyError) as error:  # KeyError: a broken link
        raise ValueError(f"{what} is not a class tar, or damaged: {error}") from error


class _ImageNet(Dataset):
    """ILSVRC2012: classes have names and WNIDs, and official image counts."""

    counts_known = True

    def class_names(self, chosen: str | Sequence[str | int]) -> list[str]:
        """Return the names of classes given by WNID, index, name, or as ``animals`` or ``all``."""
        return imagenet_names(chosen)

    def class_ids(self, names: Sequence[str]) -> list[str]:
        """Return the WNIDs."""
        return [wnid_of_name()[name] for name in names]

    def teacher_classes(self, names: Sequence[str]) -> list[str]:
        """Return the names of all 1,000 classes."""
        return imagenet_names("all")

    def count(self, path: Path, names: Sequence[str]) -> list[int]:
        """Count the images of class folders; for tars, which are not opened, return the official
        counts."""
        folders = first_level(path)[1] if path.is_dir() else {}
        official = images_of_wnid()
        return [
            count_images(folders[wnid]) if wnid in folders else official[wnid]
            for wnid in self.class_ids(names)
        ]

    def open(self, path: Path, names: Sequence[str]) -> list[ListClass]:
        """Find the files of each class, see `open_imagenet`."""
        return open_imagenet(path, self.class_ids(names))

    def check_counts(self, classes: Mapping[str, ListClass]) -> None:
        """Compare with the counts of ILSVRC2012, see `tinygan.data.official`."""
        from tinygan.data.official import check_counts

        check_counts(classes)


DATASET = _ImageNet()
