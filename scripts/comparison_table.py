"""The tables that compare libraries, in both languages, from comparison.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

from scripts.marks import table

WORDS: Final = Path(__file__).with_name("comparison.yml")
CONSTRAINTS: Final = Path(__file__).parents[1] / "constraints.txt"
LANGUAGES: Final = ("en", "ko")


class Comparison:
    """What comparison.yml says."""

    def __init__(self, path: Path = WORDS) -> None:
        found = yaml.safe_load(path.read_text("utf-8"))
        self.libraries: list[str] = found["libraries"]
        self.groups: dict[str, dict[str, str]] = found["groups"]
        self.rows: dict[str, dict[str, Any]] = found["rows"]
        self._answers: dict[str, dict[str, str]] = found["answers"]
        self._with: dict[str, str] = found["with"]
        self._of: dict[str, str] = found["of"]

    def answer(self, row: str, library: str) -> str:
        """Return what a library answers by itself."""
        cell = self._cell(row, library)
        return str(cell["answer"]) if isinstance(cell, dict) else str(cell)

    def more(self, row: str, library: str) -> dict[str, str] | None:
        """Return what it takes for a yes, by language; None: there is nothing."""
        cell = self._cell(row, library)
        return cell["with"] if isinstance(cell, dict) else None

    def shown(self, row: str, library: str, language: str) -> str:
        """Return the text of a cell."""
        if more := self.more(row, library):
            return self._with[language].format(more[language])
        answer = self.answer(row, library)
        if counted := re.fullmatch(r"(\d+) of (\d+)", answer):
            return self._of[language].format(*counted.groups())
        return answer if answer.isdecimal() else self._answers[answer][language]

    def _cell(self, row: str, library: str) -> Any:
        return self.rows[row]["cells"][self.libraries.index(library)]


def pieces() -> dict[str, str]:
    """Return the tables, by the name of their mark."""
    found = Comparison()
    made: dict[str, str] = {}
    for language in LANGUAGES:
        for group in found.groups:
            rows = [row for row, about in found.rows.items() if about["group"] == group]
            title = f"## {found.groups[group][language]}"
            made[f"{group} {language}"] = f"{title}\n\n{_table(found, rows, language)}"
        rows = [row for row, about in found.rows.items() if about.get("short")]
        made[f"short {language}"] = _table(found, rows, language)
    return {**made, "versions": versions(found)}


def _table(found: Comparison, rows: list[str], language: str) -> str:
    return table(
        ["", *found.libraries],
        [
            [
                found.rows[row][language],
                *(found.shown(row, library, language) for library in found.libraries),
            ]
            for row in rows
        ],
    )


def versions(found: Comparison) -> str:
    """Return the versions that are compared, as constraints.txt pins them."""
    pinned = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", CONSTRAINTS.read_text(), re.MULTILINE))
    names = (*found.libraries[1:-1], "concurrent-log-handler", "elastic-apm")
    return ", ".join(f"{name} {pinned[name]}" for name in names)
