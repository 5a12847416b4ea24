"""Read the YAML files of a config, and merge them.

Scalars stay text until `schema.coerce` converts them to the type in the schema: YAML 1.1 would
read the class 010 as the number 8, no as false and 2020-01-01 as a date.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tinygan.assets.cache import is_asset

# The base of a config that lists only what differs, unless the working directory has a config.yaml.
DEFAULT = Path(__file__).with_name("default.yaml")
PRESETS = Path(__file__).with_name("presets")


class ConfigError(ValueError):
    """An invalid config; the message lists every problem and what to do about it."""


class _TextLoader(yaml.SafeLoader):
    """Reads scalars as text, and refuses a key that occurs twice in a mapping."""

    # The only implicit type of YAML that stays is the merge key `<<`.
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
                        f"the key {key.value} occurs on line {first[key.value]} and on line "
                        f"{line}: remove one of them"
                    )
                first[key.value] = line
        return super().construct_mapping(node, deep)


def default_file() -> Path:
    """Return config.yaml in the working directory or, if there is none, the package's copy."""
    return Path("config.yaml") if Path("config.yaml").is_file() else DEFAULT


def read_file(path: Path | str) -> dict[str, Any]:
    """Return the mapping in a YAML file, with scalars as text.

    Raises:
        ConfigError: the file does not exist, is not UTF-8, not YAML or not a mapping, or a key
            occurs twice in a mapping. The message has the file and, where known, the line.
    """
    path = Path(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _TextLoader)
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
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"config: {path}{line} is not valid YAML: {problem}") from error
    except ConfigError as error:
        raise ConfigError(f"config: {path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"config: {path} has no keys with values, such as `seed: 0`")
    return content


# A file that changes the dataset, the kind of teacher or the teacher's file does not inherit the
# keys that describe the old one.
_OWNED = {
    ("real", "source"): None,  # all keys of the section
    ("teacher", "kind"): ("handle", "target", "files", "sha256", "classes", "z_shape"),
    ("teacher", "handle"): ("sha256",),
}
# Sections whose keys belong together: a file replaces all of them.
_WHOLE = ("sweep",)


def merge_configs(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two configs, the second over the first; see `_merge`.

    Keys that belong to a dataset or a teacher that `override` replaces are dropped, see `_OWNED`.
    Except that the handle of an asset is valid for each kind, so the kind can change alone. The
    sections in `_WHOLE` are replaced, not merged.
    """
    inherited = dict(base)
    for (section, key), owned in _OWNED.items():
        old, new = inherited.get(section), override.get(section)
        if not (isinstance(old, Mapping) and isinstance(new, Mapping) and key in new):
            continue
        if old.get(key) not in (None, new[key]):
            remaining = set() if owned is None else old.keys() - set(owned)
            if key == "kind" and is_asset(old.get("handle")) and new[key] != "python":
                remaining.add("handle")
            inherited[section] = {name: value for name, value in old.items() if name in remaining}
    whole = {section: override[section] for section in _WHOLE if section in override}
    return _merge(inherited, override) | whole


def _merge(base: Any, override: Any) -> Any:
    """Merge mappings key by key; replace everything else."""
    if not (isinstance(base, Mapping) and isinstance(override, Mapping)):
        return override
    return {**base, **{key: _merge(base.get(key), value) for key, value in override.items()}}


def key_paths(value: Any, path: str = "") -> set[str]:
    """Return the dotted paths of all keys of nested mappings."""
    if not isinstance(value, Mapping):
        return set()
    paths = set()
    for key, inner in value.items():
        full = f"{path}.{key}" if path else str(key)
        paths |= {full} | key_paths(inner, full)
    return paths
