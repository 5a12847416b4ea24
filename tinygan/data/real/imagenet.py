"""ImageNet ILSVRC2012's training images, from any form that they come in -> the files of a class.

The forms: ILSVRC2012_img_train.tar, a tar of 1,000 class tars (read where it lies, never unpacked),
a folder of class tars, or a folder of class folders. A label comes from the WNID of the tar or
folder alone, and all three forms give the same files in the same order.
"""

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tinygan.classes.imagenet import wnid_of_name
from tinygan.data.image_folders import is_image
from tinygan.data.real.image_folder import ListClass, Read, class_folders, list_folder, require
from tinygan.external import check_content

FORMS = (
    "give ILSVRC2012_img_train.tar, a folder of its class tars (n01440764.tar ...), or a folder of "
    "class folders (n01440764 ...)"
)


def open_imagenet(path: Path, wnids: Sequence[str]) -> list[ListClass]:
    """Find these classes.

    Args:
        path: in one of the three forms.
        wnids: the classes, in the order of the result.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: a class is missing or unknown, or the path is another level of the tree.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"real.path: there is no {path}; {FORMS}")
    listers = _from_folder(path, wnids) if path.is_dir() else _from_tar(path)
    _check_known(path, listers)
    require(path, listers, wnids)
    return [listers[wnid] for wnid in wnids]


def _from_folder(path: Path, wnids: Sequence[str]) -> dict[str, ListClass]:
    folders = class_folders(path)
    tars = {tar.stem: tar for tar in path.glob("*.tar") if not tar.name.startswith(".")}
    if folders.keys() & tars.keys():
        both = min(folders.keys() & tars.keys())
        raise ValueError(f"real.path: {path} has {both} as a tar and as a folder; keep one kind")
    known = set(wnid_of_name().values())
    if not known & (folders.keys() | tars.keys()):
        # A level too high says where the classes lie.
        require(path, [*folders, *tars], wnids)
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
            f"real.path: {path} is no uncompressed tar, or damaged ({error}); {FORMS}"
        ) from error
    listers: dict[str, ListClass] = {}
    for member in members:
        name = PurePosixPath(member.name)
        if name.suffix != ".tar":
            what = "the tar of one class" if is_image(name.name) else "no tar of tars"
            raise ValueError(f"real.path: {path} holds {name}, it is {what}; {FORMS}")
        listers[name.stem] = partial(_list_nested, path, member)
    return listers


def _check_known(path: Path, found: Iterable[str]) -> None:
    if unknown := sorted(set(found) - set(wnid_of_name().values())):
        raise ValueError(
            f"real.path: {path} has {unknown[0]}, which is no WNID of ILSVRC2012; {FORMS}"
        )


def _list_nested(path: Path, member: tarfile.TarInfo) -> Iterator[tuple[str, Read]]:
    with tarfile.open(path, "r:") as outer, outer.extractfile(member) as file:
        yield from _list_members(file, f"{path}:{member.name}")


def _list_tar(path: Path) -> Iterator[tuple[str, Read]]:
    with open(path, "rb") as file:
        yield from _list_members(file, str(path))


def _list_members(file: BinaryIO, what: str) -> Iterator[tuple[str, Read]]:
    with _damage_named(what):
        tar = tarfile.open(fileobj=file, mode="r:")
        members = {_place_in_class(m.name): m for m in tar.getmembers() if not m.isdir()}
    for name in sorted(members):
        if is_image(name) and not any(part.startswith(".") for part in name.split("/")):
            yield name, partial(_read_member, tar, members[name], what)


def _place_in_class(member: str) -> str:
    """Return a member's path from the folder of its class, which may or may not be in the tar."""
    parts = PurePosixPath(member).parts
    return "/".join(parts[1:] if parts[0] in set(wnid_of_name().values()) else parts)


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo, what: str) -> bytes:
    with _damage_named(what):
        return tar.extractfile(member).read()


@contextmanager
def _damage_named(what: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, KeyError) as error:  # KeyError: a link that leads nowhere
        raise ValueError(f"{what} is no class tar, or damaged: {error}") from error
