"""What a module with a FastAPI or Starlette application gets."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set as AbstractSet
from typing import Final

from flowery_logging.cli.init.source import Source

_APPLICATIONS: Final = {"FastAPI", "Starlette"}
_PACKAGE: Final = "flowery_logging.integrations"
_ALIAS: Final = "flowery_fastapi"  # beside the framework, which is called fastapi too


def is_there(source: Source) -> bool:
    """Tell whether the module makes an application."""
    return any(_made(source.tree))


def add_to(source: Source, service: str) -> list[str]:
    """Add the set-up at the top, and `instrument` after each application that is made.

    Return what is to be done by hand: where no line can be added after the application.
    """
    instrumented = _instrumented(source.tree)
    missing = [(made, name) for made, name in _made(source.tree) if name not in instrumented]
    instrument = _known_as(source.tree)
    lines = []
    if not source.imports("flowery_logging"):
        lines = ["import flowery_logging", f"flowery_logging.setup(service={service!r})"]
    if missing and instrument is None:
        instrument = f"{_ALIAS}.instrument"
        lines.append(f"from flowery_logging.integrations import fastapi as {_ALIAS}")
    if lines:
        source.add_at_top(*lines)
    notes = []
    for made, name in missing:
        if isinstance(made, ast.Return) or not source.is_alone(made):
            where = f"{source.path}:{made.lineno}"
            notes.append(f"{where}: call {instrument}({name}) as soon as the application is made")
            continue
        indentation = source.indentation(made.lineno)
        source.add_after(made.end_lineno or made.lineno, f"{indentation}{instrument}({name})")
    return notes


def _known_as(tree: ast.Module) -> str | None:
    """Return what `instrument` is called by what the module imports at its top; None: nothing."""
    for statement in tree.body:
        names = statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else ()
        module = statement.module if isinstance(statement, ast.ImportFrom) else None
        for one in names:
            known = one.asname or one.name
            if module == _PACKAGE and one.name == "fastapi":
                return f"{known}.instrument"
            if module == f"{_PACKAGE}.fastapi" and one.name == "instrument":
                return known
            if module is None and one.name == f"{_PACKAGE}.fastapi":
                return f"{known}.instrument"
    return None


def _made(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Return each statement that makes an application, and the name that it gets; …: none."""
    classes = _called_here(tree, _APPLICATIONS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Return):
            targets = []
        else:
            continue
        if isinstance(node.value, ast.Call) and _called(node.value) in classes:
            yield node, ast.unparse(targets[0]) if targets else "…"


def _instrumented(tree: ast.AST) -> set[str]:
    functions = _called_here(tree, {"instrument"})
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    return {ast.unparse(call.args[0]) for call in calls if _called(call) in functions}


def _called_here(tree: ast.AST, names: AbstractSet[str]) -> set[str]:
    """Return some names, and those that the module gives them as it imports them."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    imported = (one for node in imports for one in node.names if one.name in names)
    return {*names, *(one.asname for one in imported if one.asname)}


def _called(call: ast.Call) -> str:
    """Return the last part of the name that is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
