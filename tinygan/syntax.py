"""A digest of a module's syntax that ignores comments, docstrings, layout and local names.

The local variables of a function are numbered in order of appearance, so renaming one does not
change the digest. It is the same in every version of Python that the project supports.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)
# Fields of syntax nodes that have no effect on what the code does.
_SILENT = ("ctx", "kind", "type_comment")


@cache
def module_digest(path: Path, _: int) -> str:
    """Return `digest_source` of a file; `_` is its modification time, a key of the cache."""
    return digest_source(path.read_text(encoding="utf-8"))


def digest_source(source: str) -> str:
    """Return the digest of a module's source, 16 hexadecimal digits.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return hashlib.sha256(_canonical(tree, None).encode()).hexdigest()[:16]


def _canonical(node: Any, numbers: dict[str, int] | None) -> str:
    """Return a node as text; `numbers` maps the locals of the enclosing function, if any."""
    if isinstance(node, list):
        return "[" + ", ".join(_canonical(item, numbers) for item in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, _FUNCTIONS) and numbers is None:
        numbers = {name: i for i, name in enumerate(dict.fromkeys(_locals(node)))}
    if isinstance(node, ast.Name) and numbers and node.id in numbers:
        return f"local {numbers[node.id]}"
    fields = [
        f"{name}={_canonical(value, numbers)}"
        for name, value in ast.iter_fields(node)
        if name not in _SILENT and value not in (None, [])
    ]
    return f"{type(node).__name__}({', '.join(fields)})"


def _locals(function: ast.AST) -> Iterator[str]:
    """Yield the local variables of a function and its inner functions, in order of appearance.

    Left out are arguments, which callers may pass by name, and ambiguous names: those that two
    scopes assign, or that are also used outside their scope.
    """
    fixed: set[str] = set()
    uses: dict[str, list[tuple[bool, tuple[ast.AST, ...]]]] = {}

    def visit(node: ast.AST, scopes: tuple[ast.AST, ...]) -> None:
        if isinstance(node, ast.Name):
            uses.setdefault(node.id, []).append((isinstance(node.ctx, ast.Store), scopes))
        elif isinstance(node, ast.arg):
            fixed.add(node.arg)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            fixed.update(node.names)
        inner = (*scopes, node) if isinstance(node, _SCOPES) else scopes
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.comprehension) and child is node.generators[0]:
                # Python evaluates the first iterable outside the comprehension.
                visit(child.iter, scopes)
                for part in (child.target, *child.ifs):
                    visit(part, inner)
            else:
                visit(child, inner)

    visit(function, ())
    for name, occurrences in uses.items():
        owners = {scopes[-1:] for stored, scopes in occurrences if stored}
        if name in fixed or len(owners) != 1:
            continue
        (owner,) = owners
        is_class = owner and isinstance(owner[0], ast.ClassDef)  # its names are attributes
        if owner and not is_class and all(owner[0] in scopes for _, scopes in occurrences):
            yield name
