"""The schema of the configuration: the types that it gives to text, and what it finds wrong.

Each problem is said in words, with the path of its key.
"""

import copy
import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tinygan.code import names_in

SCHEMA = Path(__file__).with_name("schema.yaml")


# YAML's own words for what is not text.
_WORDS = {
    "boolean": {
        **dict.fromkeys(("true", "yes", "on"), True),
        **dict.fromkeys(("false", "no", "off"), False),
    },
    "null": dict.fromkeys(("null", "none", "~", ""), None),
}
_EMPTY = {"object": dict, "array": list}
# A longer value is cut in a message.
_LONGEST = 80


# Keys by their former names.
RENAMED = {
    "metrics.side": "metrics.input_size",
    "metrics.frechet": "metrics.fid_mode",
    "metrics.nearest": "metrics.prdc_k",
    "metrics.interval_groups": "metrics.jackknife_groups",
    "student.colours": "student.image_channels",
    "train.state_every": "train.checkpoint_every",
}


@cache
def _schema() -> dict[str, Any]:
    return _with_choices(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def _with_choices(schema: Any) -> Any:
    """Replace each `modules: PACKAGE` by an enum of the modules in the package."""
    if isinstance(schema, list):
        return [_with_choices(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    resolved = {key: _with_choices(part) for key, part in schema.items() if key != "modules"}
    return resolved | ({"enum": names_in(schema["modules"])} if "modules" in schema else {})


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid config with every key: the absent ones have the schema's defaults.

    Variants list only what they override, so they stay as they are.
    """
    completed = dict(config)
    for section, described in _schema()["properties"].items():
        if "default" in described:
            completed.setdefault(section, copy.deepcopy(described["default"]))
        for key, part in _referenced(described).get("properties", {}).items():
            if "default" in part and key not in completed[section]:
                completed[section] = completed[section] | {key: copy.deepcopy(part["default"])}
    return completed


def _referenced(described: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in described:
        return described
    return {**_schema()["$defs"][described["$ref"].split("/")[-1]], **described}


def coerce(value: Any, wanted: Mapping[str, Any] | None = None) -> Any:
    """Give text the type that the schema wants; what it cannot be is left for `schema_problems`.

    Args:
        value: a config, or a part of one, with scalars as text or of any type.
        wanted: the part's own schema; None for a whole config.
    """
    wanted = _schema() if wanted is None else wanted
    wanted = _referenced(wanted)
    if isinstance(value, Mapping):
        known, others = wanted.get("properties", {}), wanted.get("additionalProperties")
        others = others if isinstance(others, Mapping) else {}
        return {key: coerce(inner, known.get(key, others)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [coerce(inner, wanted.get("items", {})) for inner in value]
    return _coerce_scalar(value, wanted)


def _coerce_scalar(value: Any, wanted: Mapping[str, Any]) -> Any:
    types = wanted.get("type", [])
    types = [types] if isinstance(types, str) else types
    if not isinstance(value, str):
        # From Snakemake's command line, which has read the text already.
        is_text = types == ["string"] and value is not None
        return str(value) if is_text else value
    if "enum" in wanted:
        if None in wanted["enum"] and value.lower() in _WORDS["null"]:
            return None
        return next((member for member in wanted["enum"] if str(member) == value), value)
    for name, words in _WORDS.items():
        if name in types and value.lower() in words:
            return words[value.lower()]
    if "string" in types:
        return value
    if "integer" in types or "number" in types:
        return _number(value, whole="integer" in types)
    # A section without a value, such as `sources:`.
    return next((_EMPTY[name]() for name in types if name in _EMPTY and not value), value)


def _number(text: str, *, whole: bool) -> int | float | str:
    """Return the number that text is; the text where it is none, or not a whole one."""
    for parse in (int, float) if whole else (float,):
        try:
            number = parse(text)
        except ValueError:
            continue
        if not whole or number == number // 1:
            return int(number) if whole else number
    return text


def schema_problems(config: Any) -> list[str]:
    """Return every unknown or missing key, wrong type and value out of range, one line each."""
    schema = _schema()
    errors = Draft202012Validator(schema).iter_errors(config)
    problems = [line for error in errors for line in _describe(error)]
    return problems + [
        f"{path}: {value} is not a finite number" for path, value in _not_finite(config)
    ]


def suggest(key: str, known: Iterable[str], path: str = "") -> str:
    """Return the question whether the nearest of the known names was meant; empty if none is."""
    match = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {_join([path, match[0]])}?" if match else ""


def unknown_key(path: str, key: str, known: Iterable[str]) -> str:
    """Return the problem of a key that a section does not have, with the key to write instead."""
    new = RENAMED.get(".".join([*path.split(".")[-1:], key]))
    if new:
        return f"unknown key {_join([path, key])}: it is called {new.split('.')[-1]} now"
    hint = suggest(key, known, path) or _suggest_elsewhere(key)
    return f"unknown key {_join([path, key])}{hint}"


def _describe(error: ValidationError) -> Iterator[str]:
    path = _join(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in sorted(set(map(str, error.instance)) - set(known)):
            yield unknown_key(path, key, known)
    elif "propertyNames" in error.absolute_schema_path:
        yield (
            f"{path}: {error.instance!r} cannot be a name; use lower-case letters, digits and _, "
            "starting with a letter"
        )
    elif error.validator == "required":
        missing = error.message.split("'")[1]
        yield f"missing key {_join([path, missing])}"
    else:
        yield f"{path or 'the file'}: {_message(error)}"


def _message(error: ValidationError) -> str:
    """Return the validator's message, a long value in it cut."""
    value, message = error.instance, error.message
    if error.validator == "enum":
        choices = [choice for choice in error.validator_value if choice is not None]
        message = f"{value!r} is not one of {choices}"
    if error.validator == "maxItems":
        return f"{len(value):,} entries are too many; {error.validator_value:,} is the most"
    if isinstance(value, str) and _is_number(value):
        message += " (YAML reads it as text; write a number such as 1.0e-3, without quotes)"
    full = repr(value)
    if len(full) > _LONGEST:
        count = f" ({len(value):,} entries)" if isinstance(value, (list, Mapping)) else ""
        message = message.replace(full, f"{full[:_LONGEST]}...{count}")
    return message


def _not_finite(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Find NaN and infinity, which a schema's minimum and maximum let pass."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, _join([path, key]))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _not_finite(inner, f"{path}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, value


def _suggest_elsewhere(key: str) -> str:
    """Name the section that has the key, for a key that is in the wrong section."""
    for section, described in _schema()["properties"].items():
        if key in _referenced(described).get("properties", {}):
            return f"; did you mean {section}.{key}?"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _join(keys: Any) -> str:
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key:
            text += f".{key}" if text else str(key)
    return text
