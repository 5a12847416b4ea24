"""YAML files of the config: read strictly, as text, and laid over one another.

Scalars stay text until `schema.coerce` gives them the type that the schema wants: YAML 1.1 would
read the class 010 as the number 8, no as false and 2020-01-01 as a date.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

# What a config that lists only what differs is laid over, unless the working directory has one.
DEFAULT = Path(__file__).with_name("default.yaml")
PRESETS = Path(__file__).with_name("presets")


class ConfigError(ValueError):
    """A config that cannot be used; the message lists every problem and what to do about it."""


class _TextLoader(yaml.SafeLoader):
    """Plain scalars become text; a key that stands twice in a mapping is refused."""

    # Of YAML's implicit types the merge key `<<` alone.
    yaml_implicit_resolvers = {
        "<": [
            pair
            for pair in yaml.SafeLoader.yaml_implicit_resolvers["<"]
            if pair[0] == "tag:yaml.org,2002:merge"
        ]
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in first:
                    raise ConfigError(
                        f"the key {key.value} is in line {first[key.value]} and in line {line}: "
                        "remove one of them"
                    )
                first[key.value] = line
        return super().construct_mapping(node, deep)


def default_file() -> Path:
    """Return config.yaml in the working directory or, where there is none, this package's own."""
    return Path("config.yaml") if Path("config.yaml").is_file() else DEFAULT


def read_file(path: Path | str) -> dict[str, Any]:
    """Return the mapping in a YAML file, with scalars as text.

    Raises:
        ConfigError: names the file, and the line where it can: there is no such file, it is not
            UTF-8, not YAML, not a mapping, or a key stands twice in one mapping.
    """
    path = Path(path)
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _TextLoader)
    except OSError as error:
        hint = ""
        if path.parent.name == "configs" and not path.exists():
            hint = "; Snakemake writes it when a run starts, but not with --no-hooks"
        raise ConfigError(f"config: cannot read {path}: {error.strerror}{hint}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"config: {path}, line {line}: the byte 0x{error.object[error.start]:02x} is not "
            "UTF-8; save the file in UTF-8"
        ) from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        what = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"config: {path}{line} is not valid YAML: {what}") from error
    except ConfigError as error:
        raise ConfigError(f"config: {path}: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"config: {path} holds no keys with values, such as `seed: 0`")
    return found


# A file that names another data set or another kind of teacher, or its teacher's file, does not
# inherit what belongs to the old one.
_OWNED = {
    ("real", "source"): None,  # all keys of the section
    ("teacher", "kind"): ("handle", "target", "files", "sha256", "classes"),
    ("teacher", "handle"): ("sha256",),
}


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one config over another; see `overlay`, and `_OWNED` for what is not inherited."""
    inherited = dict(below)
    for (section, key), owned in _OWNED.items():
        old, new = inherited.get(section), above.get(section)
        if not (isinstance(old, Mapping) and isinstance(new, Mapping) and key in new):
            continue
        if old.get(key) not in (None, new[key]):
            kept = () if owned is None else old.keys() - set(owned)
            inherited[section] = {name: value for name, value in old.items() if name in kept}
    return overlay(inherited, above)


def overlay(below: Any, above: Any) -> Any:
    """Lay one config over another: mappings are merged key by key, all else is replaced."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: overlay(below.get(key), value) for key, value in above.items()}}


def key_paths(value: Any, path: str = "") -> set[str]:
    """Return the dotted paths of all keys of nested mappings."""
    if not isinstance(value, Mapping):
        return set()
    paths = set()
    for key, inner in value.items():
        below = f"{path}.{key}" if path else str(key)
        paths |= {below} | key_paths(inner, below)
    return paths
