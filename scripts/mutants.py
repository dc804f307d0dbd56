"""`make mutants ROOM=ecs`: change the code in one place, and see whether a test fails.

A mutant that lives, because every test of its room still passes, shows a test that is missing, code
that does nothing, or a change that nobody can see. The last are explained in mutants.yml. Mutants
are drawn evenly from all of a room and run in a copy of the project. Exit code 1: one lives
unexplained.
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
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from scripts import chosen_tests, entered

ROOT: Final = Path(__file__).parents[1]
EXPLAINED: Final = Path(__file__).with_suffix(".yml")
GENERATED: Final = "flowery_logging/ecs/fields.py"
LONGEST: Final = 600
"""Seconds that the tests of a room may take; then a mutant counts as hanging."""

LONGEST_TEST: Final = 40
"""Seconds that one test may take; mutants that never end are frequent."""

_SEEN_IN_LINES: Final = (
    "tests/ecs tests/capture/test_stdlib.py tests/redaction/test_structures.py "
    "tests/redaction/test_choices.py tests/test_formatters.py tests/test_hot_path.py"
)

_SEEN_IN_REQUESTS: Final = (
    "tests/test_blocks.py tests/test_context.py tests/test_trace.py tests/test_flows.py "
    "tests/test_testing.py tests/ends/test_presence.py tests/integrations"
)

ROOMS: Final = {
    "ecs": ("ecs/*.py", _SEEN_IN_LINES),
    "files": ("files/*.py", "tests/files"),
    "context": (
        "context.py", "request.py", "scope.py", "trace.py", "tracing/active_spans.py",
        "tracing/agents.py", "tracing/headers.py", _SEEN_IN_REQUESTS,
    ),
}  # fmt: skip
"""The modules of each room and, last, the tests that have to notice."""

_OTHER: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip


class Mutant(NamedTuple):
    """One change: the lines of a file from number `line` on become `new`."""

    path: str
    line: int
    old: str
    new: str

    def key(self) -> tuple[str, str, str]:
        """Return what names it in mutants.yml, wherever in the file it stands."""
        return self.path, " ".join(self.old.split()), " ".join(self.new.split())


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """Yield each mutant of a module that can be compiled and says something else."""
    tree = ast.parse(source)
    seen = {ast.dump(tree)}
    lines = source.encode().splitlines(keepends=True)
    for node, text in _changes(source, tree):
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        old, rest = b"".join(lines[start:end]), lines[end - 1][node.end_col_offset :]
        new = old[: node.col_offset] + text.encode() + rest
        try:
            dumped = ast.dump(ast.parse(b"".join((*lines[:start], new, *lines[end:]))))
        except SyntaxError:
            continue
        if dumped not in seen:
            seen.add(dumped)
            yield Mutant(path, node.lineno, old.decode(), new.decode())


def _changes(  # noqa: C901 - one for each kind of change
    source: str, tree: ast.AST
) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    def said(node: ast.AST) -> str:
        return f"({ast.get_source_segment(source, node)})"

    for node in _code(tree):
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                yield node, f"({said(left)} {_OTHER[type(operator)]} {said(right)})"
            case ast.BoolOp(op=operator, values=values):
                word, other = ("and", "or")[:: 1 if isinstance(operator, ast.And) else -1]
                yield node, f"({f' {other} '.join(map(said, values))})"
                for out in values:
                    yield node, f"({f' {word} '.join(said(v) for v in values if v is not out)})"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, said(operand)
            case ast.Constant(value=bool() | int() as value):
                yield node, str(not value if isinstance(value, bool) else value + 1)
            case ast.IfExp(body=one, orelse=other):
                yield from ((node, said(one)), (node, said(other)))
            case ast.If(test=test):
                yield from ((test, "True"), (test, "False"))
            case ast.Return(value=ast.expr()):
                yield node, "return None"
            case ast.Expr(value=ast.Call()) | ast.AugAssign():
                yield node, "pass"
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
                sign = "-" if isinstance(operator, ast.Add) else "+"
                yield node, f"({said(left)} {sign} {said(right)})"
            case ast.Break() | ast.Continue():
                yield node, "continue" if isinstance(node, ast.Break) else "break"


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all that runs: no types."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns"}:
            for child in value if isinstance(value, list) else [value]:
                yield from _code(child) if isinstance(child, ast.AST) else ()


def drawn(patterns: tuple[str, ...], count: int, seed: int) -> list[Mutant]:
    """Return so many mutants of the modules of these names, each as likely as any other."""
    paths = [p for name in patterns for p in sorted((ROOT / "flowery_logging").glob(name))]
    names = [name for p in paths if (name := str(p.relative_to(ROOT))) != GENERATED]
    found = [mutant for n in names for mutant in mutants(n, (ROOT / n).read_text("utf-8"))]
    return random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311 - a seeded sample


def copy(to: Path) -> None:
    """Copy what git would take of the project, changes of today included."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in names.split("\0"):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def recorded(root: Path, tests: str) -> chosen_tests.Record:
    """Run all tests of a room in a copy of the project, and return which enter what.

    One that fails because it is looked at is no matter.
    """
    record = root.parent / "record"
    begins = root / "sitecustomize.py"
    begins.write_text("from scripts import entered\n\nentered.begin()\n")
    try:
        failed(root, tests, "--maxfail=1000", **{entered.RECORD: str(record)})
    finally:
        begins.unlink()
    return chosen_tests.read(record)


def killed(root: Path, mutant: Mutant, tests: str, chosen: Iterable[str] = ()) -> str | None:
    """Return what a mutant in a copy of the project has died of, or None if it lives.

    Of the tests those run that are `chosen`, in that order; all of them where none is.
    """
    path = root / mutant.path
    text = path.read_text("utf-8")
    lines, end = text.splitlines(keepends=True), mutant.line - 1 + mutant.old.count("\n")
    _put(path, "".join((*lines[: mutant.line - 1], mutant.new, *lines[end:])))
    named = root.parent / "chosen"
    named.write_text("\n".join(chosen), "utf-8")
    try:
        return failed(root, tests, **{chosen_tests.CHOSEN: str(named)})
    finally:
        _put(path, text)


def _put(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    os.utime(path, (0, random.getrandbits(30)))  # byte code is known by time and size


_OWN: Final = {"TESTS_OF_MUTANTS": "1", "PYTEST_CURRENT_TEST": ""}


def failed(root: Path, tests: str, *options: str, **environment: str) -> str | None:
    """Run tests until one fails; return which, or None."""
    always = "-x -q --tb=no -p no:cacheprovider -p no:randomly -p scripts.chosen_tests"
    always += f" -o faulthandler_timeout={LONGEST_TEST}"
    ran = subprocess.Popen(
        [sys.executable, "-m", "pytest", *always.split(), "--basetemp", "../tests", *options,
         *tests.split()],
        cwd=root,
        env={**os.environ, **_OWN, "PYTHONPATH": str(root), **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = ran.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return f"no end within {LONGEST} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(ran.pid, signal.SIGKILL)  # with all that its tests have started
        ran.wait()
    names = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return None if ran.returncode == 0 else [*names, f"exit code {ran.returncode}"][0]


def explained() -> set[tuple[str, str, str]]:
    """Return the keys of the mutants whose change nobody can see."""
    rows = yaml.safe_load(EXPLAINED.read_text("utf-8"))
    return {(path, one["was"], one["is"]) for path, some in rows.items() for one in some}


def main() -> int:
    """Run the mutants that are asked for, and tell which live."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    *patterns, tests = ROOMS[given.room]
    known = explained()
    found = {"killed": 0, "explained": 0, "ALIVE": 0}
    with tempfile.TemporaryDirectory() as place:
        copy(root := Path(place, "project"))
        if (reason := failed(root, tests)) is not None:
            parser.error(f"without any change: {reason}")
        record = recorded(root, tests)
        for mutant in drawn(tuple(patterns), given.count, given.seed):
            source = (root / mutant.path).read_text("utf-8")
            chosen = record.tests_of(mutant.path, mutant.line, source)
            by = killed(root, mutant, tests, chosen)
            verdict = "killed" if by else "explained" if mutant.key() in known else "ALIVE"
            found[verdict] += 1
            print(f"{mutant.path}:{mutant.line} {verdict} {by or ''}", flush=True)
            if verdict == "ALIVE":
                print(f"- {mutant.old.rstrip()}\n+ {mutant.new.rstrip()}", flush=True)
    print(", ".join(f"{number} {verdict}" for verdict, number in found.items()))
    return int(found["ALIVE"] > 0)


if __name__ == "__main__":
    sys.exit(main())
