"""`python -m scripts.mutants ROOM`: change the code in one place, and see whether a test fails.

A mutant is the package with one small change. One that lives, because every test of its room still
passes, shows a test that is missing, code that does nothing, or a change that nobody can see. The
last are explained in mutants.yml and not told again. Mutants are drawn evenly from all of a room by
`--seed`, and run one after the other in a copy of the project. Exit code 1: one lives unexplained.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).parents[1]
EXPLAINED: Final = Path(__file__).with_suffix(".yml")
GENERATED: Final = {"flowery_logging/ecs/fields.py"}

ROOMS: Final = {
    "ecs": (["flowery_logging/ecs/*.py"], "tests/ecs tests/test_hot_path.py tests/capture"),
    "files": (["flowery_logging/files/*.py"], "tests/files"),
    "context": (
        [f"flowery_logging/{n}.py" for n in ("context", "request", "trace", "headers", "agents")],
        "tests/test_context.py tests/test_trace.py tests/test_baggage.py tests/capture "
        "tests/integrations",
    ),
}
"""The modules of each room, and the tests that have to notice, the quick ones first."""

_OTHER: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
_SLACK: Final = 60.0  # seconds beyond three times what the tests take: then a mutant hangs


class Mutant(NamedTuple):
    """One change: `lines`, from number `line` on, become `mutated`."""

    path: str
    line: int
    lines: str
    mutated: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it in mutants.yml, wherever in the file it stands."""
        return self.path, " ".join(self.lines.split()), " ".join(self.mutated.split())


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """Yield each mutant of a module that can be compiled and says something else."""
    tree = ast.parse(source)
    seen = {ast.dump(tree)}
    lines = source.encode().splitlines(keepends=True)
    for node, text in _changes(source, tree):
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        old = b"".join(lines[start:end])
        after = len(lines[end - 1]) - (node.end_col_offset or 0)
        new = old[: node.col_offset] + text.encode() + old[len(old) - after :]
        try:
            changed = ast.dump(ast.parse(b"".join((*lines[:start], new, *lines[end:]))))
        except SyntaxError:
            continue
        if changed not in seen:
            seen.add(changed)
            yield Mutant(path, node.lineno, old.decode(), new.decode())


def _changes(source: str, tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in _code(tree):
        parts = {
            name: ast.get_source_segment(source, part) or ""
            for name, part in ast.iter_fields(node)
            if isinstance(part, ast.expr)
        }
        match node:
            case ast.Compare(ops=[operator], comparators=[right]):
                other = ast.get_source_segment(source, right)
                yield node, f"({parts['left']} {_OTHER[type(operator)]} {other})"
            case ast.BoolOp(op=operator, values=values):
                texts = [f"({ast.get_source_segment(source, value)})" for value in values]
                word, other = (" and ", " or ")[:: 1 if isinstance(operator, ast.And) else -1]
                for kept in (texts[:i] + texts[i + 1 :] for i in range(len(texts))):
                    yield node, f"({word.join(kept)})"
                yield node, f"({other.join(texts)})"
            case ast.UnaryOp(op=ast.Not()):
                yield node, f"({parts['operand']})"
            case ast.Constant(value=bool() | int() as value):
                yield node, str(not value) if isinstance(value, bool) else str(value + 1)
            case ast.IfExp():
                yield node, f"({parts['body']})"
                yield node, f"({parts['orelse']})"
            case ast.If(test=test):
                yield test, "True"
                yield test, "False"
            case ast.Return(value=ast.expr()):
                yield node, "return None"
            case ast.Expr(value=ast.Call()) | ast.AugAssign():
                yield node, "pass"
            case ast.BinOp(op=ast.Add() | ast.Sub() as operator):
                sign = "-" if isinstance(operator, ast.Add) else "+"
                yield node, f"({parts['left']} {sign} {parts['right']})"
            case ast.Break():
                yield node, "continue"
            case ast.Continue():
                yield node, "break"


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all that runs: no types."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _code(child)


def copy(root: Path, to: Path) -> None:
    """Copy what git would take of the project, changes of today included."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, capture_output=True, check=True).stdout.decode()
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, to / name)


def killed(root: Path, mutant: Mutant, tests: list[str], limit: float) -> str | None:
    """Return what a mutant has died of, or None. Its clock is its own: byte code is known by it."""
    path = root / mutant.path
    source, before = path.read_text(), path.stat()
    lines = source.splitlines(keepends=True)
    lines[mutant.line - 1 : mutant.line - 1 + mutant.lines.count("\n")] = [mutant.mutated]
    path.write_text("".join(lines))
    os.utime(path, (random.getrandbits(30), random.getrandbits(30)))
    try:
        return failed(root, tests, limit)
    finally:
        path.write_text(source)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def failed(root: Path, tests: list[str], limit: float) -> str | None:
    """Run tests until one fails; return which, or None."""
    options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly"]
    command = [sys.executable, "-m", "pytest", *options, "--basetemp", root / ".tests", *tests]
    ran = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},  # before an editable installation
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = ran.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return f"nothing for {limit:.0f} s"
    finally:
        try:
            os.killpg(ran.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        ran.wait()
    names = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return None if ran.returncode == 0 else (names or [f"exit code {ran.returncode}"])[0]
