"""What a module with a FastAPI or Starlette application gets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowery_logging.cli.init.source import Source

_APPLICATIONS = {"FastAPI", "Starlette"}


def is_there(source: Source) -> bool:
    """Tell whether the module makes an application."""
    return any(_made(source.tree))


def add_to(source: Source, service: str) -> None:
    """Add the set-up at the top, and `instrument` after each application that is made."""
    if not source.imports("flowery_logging"):
        source.add_at_top(
            "import flowery_logging",
            f"flowery_logging.setup(service={service!r})",
            "from flowery_logging.integrations import fastapi as flowery_fastapi",
        )
    instrumented = _instrumented(source.tree)
    for statement, name in _made(source.tree):
        if name not in instrumented:
            indentation = source.indentation(statement.lineno)
            source.add_after(
                statement.end_lineno or statement.lineno,
                f"{indentation}flowery_fastapi.instrument({name})",
            )


def _made(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Return each statement that makes an application, and the name that it gets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if isinstance(node.value, ast.Call) and _called(node.value) in _APPLICATIONS:
            yield node, ast.unparse(targets[0])


def _instrumented(tree: ast.AST) -> set[str]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    return {ast.unparse(call.args[0]) for call in calls if _called(call) == "instrument"}


def _called(call: ast.Call) -> str:
    """Return the last part of the name that is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
