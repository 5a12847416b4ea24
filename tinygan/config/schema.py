"""The schema of the configuration: the types that it gives to text, and what it finds wrong.

Each problem is said in words, with the path of its key.
"""

import difflib
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

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


@cache
def _schema() -> dict[str, Any]:
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def coerce(value: Any, wanted: Mapping[str, Any] | None = None) -> Any:
    """Give text the type that the schema wants; what it cannot be is left for `schema_problems`.

    Args:
        value: a config, or a part of one, with scalars as text or of any type.
        wanted: the part's own schema; None for a whole config.
    """
    wanted = _schema() if wanted is None else wanted
    if "$ref" in wanted:
        wanted = {**_schema()["$defs"][wanted["$ref"].split("/")[-1]], **wanted}
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
    problems = [line for error in errors for line in _describe(error, schema)]
    return problems + [
        f"{path}: {value} is not a finite number" for path, value in _not_finite(config)
    ]


def suggest(key: str, known: Any, path: str = "") -> str:
    """Return the question whether the nearest of the known names was meant; empty if none is."""
    match = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {_join([path, match[0]])}?" if match else ""


def _describe(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[str]:
    path = _join(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in sorted(set(map(str, error.instance)) - set(known)):
            hint = suggest(key, known, path) or _suggest_elsewhere(key, schema)
            yield f"unknown key {_join([path, key])}{hint}"
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


def _suggest_elsewhere(key: str, schema: Mapping[str, Any]) -> str:
    """Name the section that has the key, for a key that is right but stands in a wrong place."""
    for section, described in schema["properties"].items():
        described = schema["$defs"].get(described.get("$ref", "").split("/")[-1], described)
        if key in described.get("properties", {}):
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
