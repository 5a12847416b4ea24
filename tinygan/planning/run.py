"""Load the config of a run: read, merge and check it.

A config is the nested dictionary of config.yaml. The schema fixes names, types and ranges (see
`tinygan.config.schema`), and `tinygan.planning.checks` finds contradictions. All problems are
reported at once, each with the full path of its key.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygan.config.derived import resolve_variant
from tinygan.config.read import (
    PRESETS,
    ConfigError,
    default_file,
    key_paths,
    merge_configs,
    read_file,
)
from tinygan.config.schema import coerce, schema_problems, suggest, with_defaults
from tinygan.data.classes import class_names
from tinygan.data.dataset import open_dataset
from tinygan.planning.checks import contradictions

_MOST_PROBLEMS = 20


def load(path: Path | str, preset: str | None = None) -> dict[str, Any]:
    """Read and check a config file; see `load_files`.

    Args:
        path: the file; it may list only the keys that differ from the default.
        preset: a preset that overrides the file: its name in config/, or a file; None for none.

    Returns:
        The config with every key, and `classes` as names.

    Raises:
        ConfigError: a file or the preset is missing or not YAML, or the config is invalid.
    """
    files = [Path(path)]
    if preset is not None:
        known = sorted(file.stem for file in PRESETS.glob("*.yaml"))
        if preset in known:
            files.append(PRESETS / f"{preset}.yaml")
        elif Path(preset).suffix in (".yaml", ".yml"):
            files.append(Path(preset))
        else:
            raise ConfigError(
                f"config: there is no preset {preset}{suggest(preset, known)} "
                f"(presets: {', '.join(known)}; or the path of a file, such as mine.yaml)"
            )
    return load_files(files)


def load_files(
    files: Sequence[Path | str], overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Read, merge and check config files; later files override earlier ones.

    If the files lack required keys, they override the default: config.yaml in the working directory
    or, if there is none, the package's copy. Complete files are used without it.

    Args:
        files: YAML files; empty for the default.
        overrides: keys and values of a command line, which override all files.

    Returns:
        The config with every key, values of the schema's types, and `classes` as names.

    Raises:
        ConfigError: see `load`; each problem has the file with the key.
    """
    layers = [(str(file), coerce(read_file(file))) for file in files]
    if overrides:
        layers.append(("the command line", coerce(overrides)))
    config = _merged(layers)
    if any(problem.startswith("missing key") for problem in schema_problems(config)):
        default = default_file()
        layers.insert(0, (str(default), coerce(read_file(default))))
        config = _merged(layers)
    if problems := _problems(config):
        raise ConfigError(_listed(problems, layers))
    return coerce(completed(config))


def validate(config: Any) -> None:
    """Check a config.

    Raises:
        ConfigError: lists every unknown or missing key, wrong type, value out of range and
            contradiction, one per line.
    """
    if problems := _problems(config):
        raise ConfigError(_listed(problems, []))


def _merged(layers: Sequence[tuple[str, Any]]) -> Any:
    config: Any = {}
    for _, layer in layers:
        config = merge_configs(config, layer)
    return config


def _problems(config: Any) -> list[str]:
    if problems := schema_problems(config):
        return problems
    # The checks below rely on the types that the schema has checked.
    try:
        config = completed(config)
    except ConfigError as error:
        return [str(error).removeprefix("config: ")]
    variants = {name: resolve_variant(config, name) for name in config["variants"]}
    return list(contradictions(config, variants))


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config that is valid by the schema with every key, and `classes` as names.

    Raises:
        ConfigError: the real dataset has no such classes.
    """
    config = with_defaults(config) | {"classes": class_names(config)}
    real, metrics, student = config["real"], config["metrics"], config["student"]
    if real["train_crop"] is None:
        config["real"] = real | {"train_crop": real["crop"]}
    if metrics["input_size"] is None:
        # Twice the images' size, up to EfficientNet-Lite0's own input size.
        config["metrics"] = metrics | {"input_size": min(224, 2 * config["image_size"])}
    if student["image_channels"] is None:
        channels = open_dataset(real["source"]).image_channels
        config["student"] = student | {"image_channels": channels}
    return config


def _listed(problems: Sequence[str], layers: Sequence[tuple[str, Any]]) -> str:
    """Return one line per problem, with the file that has the key; at most `_MOST_PROBLEMS`."""
    owners = {key: name for name, layer in layers for key in key_paths(layer)}
    lines = []
    for problem in problems[:_MOST_PROBLEMS]:
        key = re.match(r"[\w-]+(\.[\w-]+)*", problem.removeprefix("unknown key "))
        owner = owners.get(key[0]) if key else None
        lines.append(f"config: {problem}" + (f" (in {owner})" if owner else ""))
    if more := len(problems) - len(lines):
        lines.append(f"config: and {more} more")
    return "\n".join(lines)
