"""`python -m scripts.pages`: write the tables and pictures of the pages that the code makes.

The settings (settings_table.py), the comparison (comparison_table.py) and the picture of the way
(draw_way.py). With `--check` nothing is written: what differs is named. The tables of what was
measured are those of `python -m bench.published`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts import comparison_table, draw_way, settings_table
from scripts.marks import MarksError, filled, names

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = tuple(
    ROOT / name
    for name in (
        "README.md", "README.ko.md", "docs/settings.md", "docs/ko/settings.md",
        "docs/comparison.md", "docs/ko/comparison.md",
    )
)  # fmt: skip
PICTURES: Final = {"en": ROOT / "docs" / "way.svg", "ko": ROOT / "docs" / "ko" / "way.svg"}
KINDS: Final = {"settings": settings_table.pieces, "comparison": comparison_table.pieces}


def contents() -> dict[Path, str]:
    """Return what each page and each picture must hold.

    Raises MarksError for a page's marks, WordsError and TooWideError for a source.
    """
    pieces = {kind: make() for kind, make in KINDS.items()}
    found = {path: draw_way.draw(language) for language, path in PICTURES.items()}
    for page in PAGES:
        text = page.read_text("utf-8")
        for kind in KINDS:
            text = _filled(page, text, kind, pieces[kind])
        found[page] = text
    return found


def _filled(page: Path, text: str, kind: str, pieces: dict[str, str]) -> str:
    try:
        return filled(text, kind, pieces)
    except MarksError as error:
        raise MarksError(f"{page.relative_to(ROOT)}: {error}") from error


def unused() -> set[str]:
    """Return the pieces that no page shows."""
    shown = {
        (kind, name) for page in PAGES for kind in KINDS for name in names(page.read_text(), kind)
    }
    made = {(kind, name) for kind, make in KINDS.items() for name in make()}
    return {f"{kind}: {name}" for kind, name in made - shown}


def outdated() -> list[Path]:
    """Return what does not hold what it must."""
    return [
        path
        for path, text in contents().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def main(given: Sequence[str] | None = None) -> int:
    """Write, or check; 1 if a page is outdated."""
    parser = argparse.ArgumentParser(prog="python -m scripts.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name what differs")
    if parser.parse_args(given).check:
        different = outdated()
        for path in different:
            print(f"{path.relative_to(ROOT)}: run `make pages`", file=sys.stderr)
        return 1 if different else 0
    for path, text in contents().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
