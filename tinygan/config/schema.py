"""Convert and check a config by `schema.yaml`: types, defaults, unknown keys, ranges.

Each problem is one line with the full path of its key.
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


# YAML's words for booleans and null.
_WORDS = {
    "boolean": {
        **dict.fromkeys(("true", "yes", "on"), True),
        **dict.fromkeys(("false", "no", "off"), False),
    },
    "null": dict.fromkeys(("null", "none", "~", ""), None),
}
_EMPTY = {"object": dict, "array": list}
# Longer values are cut in messages, in characters.
_LONGEST = 80


# Former name of a key -> its present name.
RENAMED = {
    "metrics.side": "metrics.input_size",
    "metrics.frechet": "metrics.fid_mode",
    "metrics.nearest": "metrics.prdc_k",
    "metrics.interval_groups": "metrics.jackknife_groups",
    "student.colours": "student.image_channels",
    "train.state_every": "train.checkpoint_every",
    "train.device": "device",
}


@cache
def _schema() -> dict[str, Any]:
    return _with_choices(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def _with_choices(schema: Any) -> Any:
    """Replace each `modules: PACKAGE` of the schema by an enum of the modules in the package."""
    if isinstance(schema, list):
        return [_with_choices(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    resolved = {key: _with_choices(part) for key, part in schema.items() if key != "modules"}
    return resolved | ({"enum": names_in(schema["modules"])} if "modules" in schema else {})


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid config with the schema's defaults for absent keys.

    Variants list only what they override; they are left unchanged.
    """
    completed = dict(config)
    for section, schema in _schema()["properties"].items():
        if "default" in schema:
            completed.setdefault(section, copy.deepcopy(schema["default"]))
        for key, part in _resolve_reference(schema).get("properties", {}).items():
            if "default" in part and key not in completed[section]:
                completed[section] = completed[section] | {key: copy.deepcopy(part["default"])}
    return completed


def _resolve_reference(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a part of the schema, merged with the definition that its ``$ref`` refers to."""
    if "$ref" not in schema:
        return schema
    return {**_schema()["$defs"][schema["$ref"].split("/")[-1]], **schema}


def coerce(value: Any, schema: Mapping[str, Any] | None = None) -> Any:
    """Convert text to the types in the schema.

    Text that cannot be converted stays as it is; `schema_problems` reports it.

    Args:
        value: a config, or a part of one, with scalars as text or of any type.
        schema: the schema of the part; None for a whole config.
    """
    schema = _resolve_reference(_schema() if schema is None else schema)
    if isinstance(value, Mapping):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        others = others if isinstance(others, Mapping) else {}
        return {key: coerce(inner, known.get(key, others)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [coerce(inner, schema.get("items", {})) for inner in value]
    return _coerce_scalar(value, schema)


def _coerce_scalar(value: Any, schema: Mapping[str, Any]) -> Any:
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if not isinstance(value, str):
        # Snakemake has already typed the values of its command line.
        if types == ["string"] and value is not None:
            return str(value)
        # So a config has one digest, whether a number comes from a file, a default or there.
        is_whole = type(value) is int and "number" in types
        return float(value) if is_whole else value
    if "enum" in schema:
        if None in schema["enum"] and value.lower() in _WORDS["null"]:
            return None
        return next((member for member in schema["enum"] if str(member) == value), value)
    for name, words in _WORDS.items():
        if name in types and value.lower() in words:
            return words[value.lower()]
    if "string" in types:
        return value
    if "integer" in types or "number" in types:
        return _number(value, integer="integer" in types)
    # A section without a value, such as `sources:`.
    return next((_EMPTY[name]() for name in types if name in _EMPTY and not value), value)


def _number(text: str, *, integer: bool) -> int | float | str:
    """Convert text to a number (an integer, also written 1e4); return other text unchanged."""
    for parse in (int, float) if integer else (float,):
        try:
            number = parse(text)
        except ValueError:
            continue
        if not integer or number == number // 1:
            return int(number) if integer else number
    return text


def schema_problems(config: Any) -> list[str]:
    """Return all unknown or missing keys, wrong types and values out of range, one line each."""
    schema = _schema()
    errors = Draft202012Validator(schema).iter_errors(config)
    problems = [line for error in errors for line in _describe(error)]
    return problems + [
        f"{path}: {value} is not a finite number" for path, value in _not_finite(config)
    ]


def suggest(key: str, known: Iterable[str], path: str = "") -> str:
    """Return "; did you mean ...?" with the most similar of the known names; empty if none is."""
    match = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {_join([path, match[0]])}?" if match else ""


def unknown_key(path: str, key: str, known: Iterable[str]) -> str:
    """Describe an unknown key of the section `path`, and suggest the key that was meant."""
    new = RENAMED.get(".".join([*path.split(".")[-1:], key]))
    if new:
        moved = "" if "." in new else ", a key of the whole run"
        return f"unknown key {_join([path, key])}: it was renamed to {new.split('.')[-1]}{moved}"
    hint = _suggest_elsewhere(key) or suggest(key, known, path)
    return f"unknown key {_join([path, key])}{hint}"


def _describe(error: ValidationError) -> Iterator[str]:
    """Yield the problems behind an error of the validator, one line each."""
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
    """Return the validator's message, with long values cut."""
    value, message = error.instance, error.message
    if error.validator == "enum":
        choices = [choice for choice in error.validator_value if choice is not None]
        message = f"{value!r} is not one of {choices}"
    if error.validator == "maxItems":
        return f"{len(value):,} entries are too many; the maximum is {error.validator_value:,}"
    if isinstance(value, str) and _is_number(value):
        message += " (YAML reads it as text; write a number such as 1.0e-3, without quotes)"
    full = repr(value)
    if len(full) > _LONGEST:
        count = f" ({len(value):,} entries)" if isinstance(value, (list, Mapping)) else ""
        message = message.replace(full, f"{full[:_LONGEST]}...{count}")
    return message


def _not_finite(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield the paths of NaNs and infinities, which pass a schema's minimum and maximum."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, _join([path, key]))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _not_finite(inner, f"{path}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, value


def _suggest_elsewhere(key: str) -> str:
    """Suggest the section that has the key, for a key that is in the wrong section."""
    for section, schema in _schema()["properties"].items():
        if key in _resolve_reference(schema).get("properties", {}):
            return f"; did you mean {section}.{key}?"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _join(keys: Iterable[Any]) -> str:
    """Join keys and list indices to a path such as ``a.b[0]``."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key:
            text += f".{key}" if text else str(key)
    return text
