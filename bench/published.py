"""`python -m bench.published`: bring the tables of the pages and the plots up to the results.

A piece stands between `<!-- bench: NAME -->` and `<!-- /bench -->`; everything else on a page is
written by hand. With `--check` nothing is written: what differs is named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import plot, results as saved, tables
from bench.results import ResultsError
from bench.words import LANGUAGES, Words, WordsError
from scripts import marks

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = saved.PATH
PAGES: Final = (
    ROOT / "README.md",
    ROOT / "README.ko.md",
    ROOT / "docs" / "speed.md",
    ROOT / "docs" / "ko" / "speed.md",
    ROOT / "docs" / "redaction.md",
    ROOT / "docs" / "ko" / "redaction.md",
    ROOT / "docs" / "comparison.md",
    ROOT / "docs" / "ko" / "comparison.md",
)
PLOTS: Final = {"en": ROOT / "docs" / "speed.svg", "ko": ROOT / "docs" / "ko" / "speed.svg"}


def filled(page: str, pieces: Mapping[str, str]) -> str:
    """Return a page with its marked pieces put in. Raises ResultsError if a mark is wrong."""
    try:
        return marks.filled(page, "bench", pieces)
    except marks.MarksError as error:
        raise ResultsError(str(error)) from error


def contents(path: Path = RESULTS) -> dict[Path, str]:
    """Return what each page, and each plot, must hold.

    Raises ResultsError, naming the page, and WordsError.
    """
    results, words = saved.load(path), Words()
    pieces = tables.pieces(results, words)
    found = {PLOTS[one]: plot.draw(results, words.say(one)) for one in LANGUAGES}
    for page in PAGES:
        try:
            found[page] = filled(page.read_text(), pieces)
        except ResultsError as error:  # noqa: PERF203 - the others go on
            raise ResultsError(f"{page.relative_to(ROOT)}: {error}") from error
    return found


def publish(path: Path = RESULTS) -> None:
    """Write the pages and the plots; all of them or, with an error, none."""
    for page, text in contents(path).items():
        page.write_text(text)


def outdated(path: Path = RESULTS) -> list[Path]:
    """Return what does not hold what the results say. Raises as `contents` does."""
    return [
        page
        for page, text in contents(path).items()
        if not page.exists() or page.read_text() != text
    ]


def main(given: Sequence[str] | None = None) -> int:
    """Write, or check; 1 if a page is outdated, 2 if the results are bad or lack their Korean."""
    parser = argparse.ArgumentParser(prog="python -m bench.published", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name what differs")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="PATH")
    options = parser.parse_args(given)
    try:
        if not options.check:
            publish(options.results)
            return 0
        different = outdated(options.results)
    except (ResultsError, WordsError) as error:
        print(error, file=sys.stderr)
        return 2
    for page in different:
        print(f"{page.relative_to(ROOT)} is not what {options.results.name} gives", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
