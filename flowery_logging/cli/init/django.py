"""What Django's settings get."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from flowery_logging.cli.init.source import Source

_MIDDLEWARE: Final = "flowery_logging.integrations.django.RequestMiddleware"
_APPLICATION: Final = "flowery_logging.integrations.django.LoggingConfig"
_BY_HAND: Final = (
    'set "disable_existing_loggers" to False in LOGGING, and take the handlers out of it that '
    "write to files"
)


def is_there(source: Source) -> bool:
    """Tell whether the module is Django's settings."""
    return {"MIDDLEWARE", "INSTALLED_APPS"} <= _assigned(source.tree).keys()


def sets_logging(source: Source) -> bool:
    """Tell whether the module sets LOGGING, or imports it, in whatever branch."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.alias):
            name = node.asname or node.name
        else:
            continue
        if name == "LOGGING":
            return True
    return False


def add_to(source: Source, service: str, configuring: list[Path]) -> list[str]:
    """Add the set-up, the middleware and the application; return what is to be done by hand.

    `configuring` are the modules of the service that set LOGGING: they may be settings that
    begin with these, and LOGGING_CONFIG = None would take LOGGING from them.
    """
    if not source.imports("flowery_logging"):
        source.add_at_top("import flowery_logging", f"flowery_logging.setup(service={service!r})")
    assigned = _assigned(source.tree)
    notes = []
    for name, entry in (("MIDDLEWARE", _MIDDLEWARE), ("INSTALLED_APPS", _APPLICATION)):
        if not _add_first(source, assigned[name], entry):
            notes.append(f"{source.path}: put {entry!r} first into {name}")
    if "LOGGING_CONFIG" in assigned:
        return notes
    if configuring:
        return notes + [f"{path}: {_BY_HAND}" for path in configuring]
    last = source.tree.body[-1]
    source.add_after(last.end_lineno or last.lineno, "", "LOGGING_CONFIG = None")
    return notes


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the names of the module are set to."""
    found: dict[str, ast.expr] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets = [ast.unparse(target) for target in statement.targets]
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [ast.unparse(statement.target)]
        else:
            continue
        if statement.value is not None:
            found.update(dict.fromkeys(targets, statement.value))
    return found


def _add_first(source: Source, value: ast.expr, entry: str) -> bool:
    """Add an entry before the others of a list over several lines; True if it stands there."""
    if not isinstance(value, ast.List | ast.Tuple):
        return False
    if any(isinstance(one, ast.Constant) and one.value == entry for one in value.elts):
        return True
    first = value.elts[0].lineno if value.elts else value.lineno
    if first == value.lineno:
        return False
    source.add_after(value.lineno, f'{source.indentation(first)}"{entry}",')
    return True
