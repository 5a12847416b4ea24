"""Classes by name: whatever brings two lists of classes together does it here.

A class is its name, not its number. A class of ImageNet has two names, its WNID and the one in
`tinygan.classes.imagenet`, and is known by either.

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

# The name of each label: all of them in order, or some.
Names = Sequence[str] | Mapping[int, str]
_SHOWN = 5


class ClassesDiffer(ValueError):
    """Two lists of classes that cannot be matched.

    Attributes:
        missing: classes that are wanted and not there.
        extra: classes that are there and not wanted, where both must have the same.
    """

    def __init__(self, message: str, missing: list[str], extra: list[str]) -> None:
        super().__init__(message)
        self.missing, self.extra = missing, extra


def match(
    found: Names,
    wanted: Names,
    *,
    what: str,
    by: str = "the run",
    exact: bool = False,
    noun: str = "the classes",
) -> list[int]:
    """Return the label in `found` of each class of `wanted`.

    Args:
        found: the classes of a model, a store, a file, ...
        wanted: the classes to find in it.
        what: whose classes `found` are, for messages.
        by: whose classes `wanted` are.
        exact: refuse classes of `found` that are not wanted.
        noun: what `found` lacks, for messages.

    Raises:
        ClassesDiffer: a wanted class is not there, or more are there and must not be. The message
            shows both lists and the names that differ.
        ValueError: `found` has a class twice.
    """
    label_of: dict[str, int] = {}
    for label, name in _labelled(found).items():
        if _key(name) in label_of:
            raise ValueError(f"{what} has the class {name} twice: one of its labels is wrong")
        label_of[_key(name)] = label
    names = _names(wanted)
    missing = [name for name in names if _key(name) not in label_of]
    extra = list(label_of.keys() - set(map(_key, names))) if exact else []
    if missing or extra:
        extra = [name for name in _names(found) if _key(name) in extra]
        problems = _differences(missing, extra, names, _names(found), what, by, noun)
        raise ClassesDiffer(
            f"{problems} ({what} has {_list(_names(found))}; {by} has {_list(names)})",
            missing,
            extra,
        )
    return [label_of[_key(name)] for name in names]


def _differences(
    missing: list[str],
    extra: list[str],
    wanted: list[str],
    found: list[str],
    what: str,
    by: str,
    noun: str,
) -> str:
    """Say which classes differ, with the nearest name for a mistyped one."""
    problems = []
    if extra:
        near = difflib.get_close_matches(extra[0], wanted, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        problems.append(f"{what}: {_cut(extra)} is not named like a class of {by}{hint}")
    if missing:
        near = [] if extra else difflib.get_close_matches(missing[0], found, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        problems.append(f"{what} lacks {noun} {_cut(missing)}{hint}")
    return "; ".join(problems)


def relabel(
    labels: "np.ndarray", names: Mapping[int, str], classes: Sequence[str], *, what: str
) -> tuple["np.ndarray", dict[int, str]]:
    """Turn the labels of a file into those of the run.

    Args:
        labels: int64 [N].
        names: the name of each label in the file.
        classes: the names of the run's classes, in the order of the class index.
        what: the file, for messages.

    Returns:
        The run's labels [N], the same array where nothing changes, and the name of each of them.

    Raises:
        ValueError: see `match`.
    """
    ours = match(classes, names, what="the run", by=what)
    relabelled = labels
    if ours != list(names):
        relabelled = labels.copy()
        for there, label in zip(names, ours, strict=True):
            relabelled[labels == there] = label
    return relabelled, {label: classes[label] for label in sorted(ours)}


def merge(parts: Iterable[Mapping[int, str] | None], *, what: str) -> dict[int, str] | None:
    """Join the names of the labels of several files; None where none of them names any.

    Raises:
        ValueError: only some files have names, a label stands for two classes, or a class has two
            labels.
    """
    parts = list(parts)
    if all(part is None for part in parts):
        return None
    merged: dict[int, str] = {}
    for part in parts:
        if part is None:
            raise ValueError(f"only some of {what} name their classes; make the others again")
        both = merged | part
        changed = [name for label, name in merged.items() if _key(both[label]) != _key(name)]
        if changed or len(set(map(_key, both.values()))) < len(both):
            raise ValueError(
                f"{what} have different labels for their classes: "
                f"{_pairs(merged)}; but {_pairs(part)}"
            )
        merged = both
    return merged


def warn_unnamed(what: str, taken: str = "as those of the run") -> None:
    """Say on standard error that classes have no names, and how their labels are taken."""
    print(
        f"warning: {what} does not name its classes; its labels are taken {taken}", file=sys.stderr
    )


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
