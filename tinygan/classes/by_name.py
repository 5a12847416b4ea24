"""Match, relabel and merge lists of classes by name.

Classes are identified by name, not by number. An ImageNet class has two names, its WNID and the
one in `tinygan.classes.imagenet`; either one matches.

NumPy is not imported here: the config is checked before `tinygan score` sets NumPy's threads.
"""

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from tinygan.classes.imagenet import wnid_of_name

if TYPE_CHECKING:
    import numpy as np

# The name of each label: a sequence of all names, or a mapping from some labels.
Names = Sequence[str] | Mapping[int, str]
_SHOWN = 5


class ClassMismatch(ValueError):
    """Two lists of classes that do not match.

    Attributes:
        missing: wanted classes that the other list lacks.
        extra: classes that are not wanted, if an exact match is required.
    """

    def __init__(self, message: str, missing: list[str], extra: list[str]) -> None:
        super().__init__(message)
        self.missing, self.extra = missing, extra


def match(
    available: Names,
    wanted: Names,
    *,
    what: str,
    by: str = "the run",
    exact: bool = False,
    noun: str = "the classes",
) -> list[int]:
    """Return the label in `available` of each class in `wanted`.

    Args:
        available: the classes of a model, a store, a file, ...
        wanted: the classes to look up.
        what: the owner of `available`, for messages.
        by: the owner of `wanted`, for messages.
        exact: also refuse classes of `available` that are not wanted.
        noun: what `available` lacks, for messages.

    Raises:
        ClassMismatch: a wanted class is missing, or, with `exact`, one is not wanted. The message
            shows both lists and the names that differ.
        ValueError: `available` has a class twice.
    """
    label_of: dict[str, int] = {}
    for label, name in _labelled(available).items():
        if _key(name) in label_of:
            raise ValueError(f"{what} has the class {name} twice: one of its labels is wrong")
        label_of[_key(name)] = label
    names = _names(wanted)
    missing = [name for name in names if _key(name) not in label_of]
    extra = list(label_of.keys() - set(map(_key, names))) if exact else []
    if missing or extra:
        extra = [name for name in _names(available) if _key(name) in extra]
        problems = _differences(missing, extra, names, _names(available), what, by, noun)
        raise ClassMismatch(
            f"{problems} ({what} has {_list(_names(available))}; {by} has {_list(names)})",
            missing,
            extra,
        )
    return [label_of[_key(name)] for name in names]


def _differences(
    missing: list[str],
    extra: list[str],
    wanted: list[str],
    available: list[str],
    what: str,
    by: str,
    noun: str,
) -> str:
    """Describe which classes differ, and suggest the closest name for a misspelled one."""
    problems = []
    if extra:
        near = difflib.get_close_matches(extra[0], wanted, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        problems.append(f"{what}: {_cut(extra)} is not a class of {by}{hint}")
    if missing:
        near = [] if extra else difflib.get_close_matches(missing[0], available, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        problems.append(f"{what} lacks {noun} {_cut(missing)}{hint}")
    return "; ".join(problems)


def relabel(
    labels: "np.ndarray", names: Mapping[int, str], classes: Sequence[str], *, what: str
) -> tuple["np.ndarray", dict[int, str]]:
    """Map the labels of a file to the run's class indices, by name.

    Args:
        labels: int64 [N].
        names: the name of each label in the file.
        classes: the names of the run's classes, in the order of the class index.
        what: the file, for messages.

    Returns:
        class indices int64 [N], `labels` itself if nothing changes; and the name of each index.

    Raises:
        ValueError: see `match`.
    """
    indices = match(classes, names, what="the run", by=what)
    relabelled = labels
    if indices != list(names):
        relabelled = labels.copy()
        for label, index in zip(names, indices, strict=True):
            relabelled[labels == label] = index
    return relabelled, {index: classes[index] for index in sorted(indices)}


def merge(parts: Iterable[Mapping[int, str] | None], *, what: str) -> dict[int, str] | None:
    """Merge the class names of several files; None if no file has names.

    Raises:
        ValueError: only some files have names, a label has two names, or a class has two labels.
    """
    parts = list(parts)
    if all(part is None for part in parts):
        return None
    merged: dict[int, str] = {}
    for part in parts:
        if part is None:
            raise ValueError(f"only some of {what} have class names; create the others again")
        both = merged | part
        changed = [name for label, name in merged.items() if _key(both[label]) != _key(name)]
        if changed or len(set(map(_key, both.values()))) < len(both):
            raise ValueError(
                f"{what} have different labels for their classes: "
                f"{_pairs(merged)}; but {_pairs(part)}"
            )
        merged = both
    return merged


def warn_unnamed(what: str, used: str = "as the run's class indices") -> None:
    """Warn on standard error that classes have no names, and how their labels are used."""
    print(f"warning: {what} has no class names; its labels are used {used}", file=sys.stderr)


@cache
def _key(name: str) -> str:
    return wnid_of_name().get(name, name)


def _labelled(names: Names) -> Mapping[int, str]:
    return names if isinstance(names, Mapping) else dict(enumerate(names))


def _names(names: Names) -> list[str]:
    return list(_labelled(names).values())


def _cut(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _list(names: Sequence[str]) -> str:
    return f"{len(names)}: {_cut(names)}"


def _pairs(names: Mapping[int, str]) -> str:
    return _cut([f"{label} = {name}" for label, name in names.items()])
