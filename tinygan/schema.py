"""What the schema of the configuration finds wrong, in words: each problem with its key's path."""

import difflib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SCHEMA = Path(__file__).parents[1] / "workflow" / "schemas" / "config.schema.yaml"


def schema_problems(config: Any) -> list[str]:
    """Return every unknown or missing key, wrong type and value out of range, one line each."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
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
        message = error.message
        if isinstance(error.instance, str) and _is_number(error.instance):
            message += " (YAML reads it as text; write a number such as 1.0e-3, without quotes)"
        yield f"{path or 'the file'}: {message}"


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
