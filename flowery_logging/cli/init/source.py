"""A module of the service, to which lines are added; nothing in it is changed or moved."""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from pathlib import Path


class UnreadableError(Exception):
    """A module cannot be read as Python; says where and why."""


class Source:
    """The text of a module and the lines that are to be added. Raises UnreadableError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = path.read_bytes()
            self._encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            self._text = content.decode(self._encoding)
            self.tree = ast.parse(self._text)
        except (OSError, ValueError, SyntaxError, RecursionError) as error:
            raise UnreadableError(f"{path} cannot be read: {error}") from None
        self._lines = _lines(self._text)
        self._end = "\r\n" if self._text.count("\r\n") > self._text.count("\n") / 2 else "\n"
        self._added: dict[int, list[str]] = {}

    def add_after(self, line: int, *lines: str) -> None:
        """Add lines after the line of this number; 0: before the first."""
        self._added.setdefault(line, []).extend(lines)

    def add_at_top(self, *lines: str) -> None:
        """Add lines before the first statement that may stand behind others.

        A docstring and `from __future__` have to stay first.
        """
        last = 0
        for statement in self.tree.body:
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if not (is_future or (is_text and statement is self.tree.body[0])):
                break
            last = statement.end_lineno or last
        if last:
            self.add_after(last, "", *lines)
        else:
            self.add_after(self._first_code() - 1, *lines, "")

    def _first_code(self) -> int:
        """Return the line of the first statement, or of the comment that stands right above it."""
        number = self.tree.body[0].lineno if self.tree.body else len(self._lines) + 1
        if self.tree.body and isinstance(self.tree.body[0], ast.ClassDef | ast.FunctionDef):
            decorators = self.tree.body[0].decorator_list
            number = min([number, *(one.lineno for one in decorators)])
        while number > 1 and self._lines[number - 2].startswith("#") and number - 1 > self._head():
            number -= 1
        return number

    def _head(self) -> int:
        """Return how many lines are `#!` or name the encoding."""
        head = 0
        for line in self._lines[:2]:
            if line.startswith("#!") or (line.startswith("#") and "coding" in line):
                head += 1
        return head

    def imports(self, module: str) -> bool:
        """Tell whether the module imports another one anywhere, or a part of it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            if any(name == module or name.startswith(f"{module}.") for name in names):
                return True
        return False

    def is_alone(self, statement: ast.stmt) -> bool:
        """Tell whether the lines of a statement hold nothing else but a comment behind it."""
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        before = self._lines[first - 1].encode()[: statement.col_offset]
        behind = self._lines[last - 1].encode()[statement.end_col_offset :]
        return not before.strip() and not behind.partition(b"#")[0].strip()

    def indentation(self, line: int) -> str:
        """Return the blanks that a line begins with."""
        text = self._lines[line - 1]
        return text[: len(text) - len(text.lstrip())]

    def with_additions(self) -> str:
        """Return the text with the added lines."""
        found: list[str] = [f"{text}{self._end}" for text in self._added.get(0, ())]
        for number, line in enumerate(self._lines, start=1):
            added = self._added.get(number, ())
            found.append(line if line.endswith(("\n", "\r")) or not added else line + self._end)
            found += [f"{text}{self._end}" for text in added]
        return "".join(found)

    def diff(self) -> str:
        """Return the additions as a unified diff; an empty text where there are none."""
        name = str(self.path)
        after = _lines(self.with_additions())
        lines = difflib.unified_diff(self._lines, after, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Write the text with the additions; the file keeps its rights. Raises OSError.

        The name of the service stands in quotes: what the module's encoding lacks is escaped.
        """
        text = self.with_additions()
        self.path.write_bytes(text.encode(self._encoding, "backslashreplace"))


def _lines(text: str) -> list[str]:
    """Return the lines of a module with their ends, as Python counts them.

    `splitlines` counts more: a form feed ends a line there.
    """
    return io.StringIO(text, newline="").readlines()
