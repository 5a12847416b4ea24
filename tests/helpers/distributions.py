"""Installed distributions, and the names that can be imported from them."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def required_by(names: Iterable[str]) -> set[str]:
    """Return these distributions and all that they require, by their canonical names."""
    waiting, found = list(names), set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        try:
            wanted = map(Requirement, requires(name) or [])
        except PackageNotFoundError:
            continue
        waiting += [r.name for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def imports_outside(names: Iterable[str]) -> set[str]:
    """Return the names that can be imported, but from none of these distributions or tinygan."""
    inside = {"tinygan", *map(canonicalize_name, names)}
    return {
        name
        for name, distributions in _distributions().items()
        if not {canonicalize_name(distribution) for distribution in distributions} & inside
    }


_distributions = cache(packages_distributions)
