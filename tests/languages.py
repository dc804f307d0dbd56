"""What a page has in common with its twin in the other language: all but its words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
KOREAN: Final = DOCS / "ko"

_FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CELL: Final = re.compile(r"(?<!\\)\|")
_LINE: Final = re.compile(
    r"(?P<heading>#+) |(?P<item>\*) |(?P<object>::: .+)|(?P<picture>!)\["
    r"|<!-- (?P<mark>/?\w+(?:: .+?)??)(?: en| ko)? -->"
    r"|    (?P<command>\S.*?)(?: +#.*)?$|(?P<row>\|)|(?P<block>```.*)"
)


def twin(page: Path) -> Path:
    """Return the Korean page that belongs to an English one."""
    if page.parent == DOCS:
        return KOREAN / page.name
    return page.with_suffix(".ko.md")


def english(page: Path) -> Path:
    """Return the English page that belongs to a Korean one; any other path as it is."""
    if page.parent == KOREAN:
        return DOCS / page.name
    return page.with_name(page.name.replace(".ko.", "."))


def outline(page: Path) -> list[str]:
    """Return what a page is built of, in its order.

    Levels of headings, items, cells of rows, marks of what is made, blocks and commands as they are.
    """
    found = [_LINE.match(part) for part in _parts(page.read_text())]
    return [_built(one) for one in found if one]


def _parts(text: str) -> list[str]:
    """Return the lines of a page; a block is one."""
    lines = _FENCED.sub(lambda block: block[0].replace("\n", "\0"), text)
    return lines.split("\n")


def _built(line: re.Match[str]) -> str:
    if line["row"]:
        return f"{len(_CELL.findall(line.string))} cells"
    return str(line[line.lastgroup or 0])


def prose(page: Path) -> str:
    """Return a page without its blocks."""
    return _FENCED.sub("", page.read_text())


def code(page: Path) -> set[str]:
    """Return what a page shows as code within its text."""
    return set(re.findall(r"`([^`\n]+)`", prose(page)))


def figures(page: Path) -> set[str]:
    """Return the numbers of two digits or more in a page's text; smaller ones are also words."""
    numbers = re.findall(r"\d+(?:[., ]\d+)*", re.sub(r"`[^`\n]*`", "", prose(page)))
    return {number for number in numbers if len(number) > 1}


def anchors(page: Path) -> list[str]:
    """Return what the headings of a page are called in links, in their order."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


def links(page: Path) -> list[tuple[Path, str]]:
    """Return where the links of a page lead within the project, and their anchors."""
    found = re.findall(r"\]\((?!\w+:)([^)#]*)(?:#([^)]+))?\)", prose(page))
    return [((page.parent / path).resolve() if path else page, name) for path, name in found]


def places(page: Path) -> list[tuple[Path, int]]:
    """Return where the links of a page lead, whatever the language: to which heading of which page.

    Raises ValueError for an anchor that is not there.
    """
    return sorted(
        (english(path), anchors(path).index(name) if name else 0) for path, name in links(page)
    )
