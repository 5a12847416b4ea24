"""The room of the training is read top to bottom: functions fit a screen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.paths import ROOT

LINES, PARAMETERS = 60, 8


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tinygan/training").glob("*.py")), ids=lambda p: p.stem
)
def test_no_function_is_long_or_takes_much(path: Path) -> None:
    for function in functions(path):
        length = function.end_lineno - function.lineno + 1
        given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        names = [argument.arg for argument in given if argument.arg not in ("self", "cls")]
        assert length <= LINES, f"{function.name} has {length} lines"
        assert len(names) <= PARAMETERS, f"{function.name} takes {len(names)} arguments"


@pytest.mark.parametrize("path", sorted((ROOT / "tinygan").rglob("*.py")), ids=lambda p: p.stem)
def test_no_module_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
