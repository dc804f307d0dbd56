"""Pages of which some pieces are made and the rest is written by hand.

A piece stands between `<!-- KIND: NAME -->` and `<!-- /KIND -->`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


class MarksError(ValueError):
    """A page's marks cannot be filled; says which and why."""


def filled(page: str, kind: str, pieces: Mapping[str, str]) -> str:
    """Return a page with its marked pieces of one kind put in.

    Raises MarksError if it has a mark that no piece belongs to, or one that does not end.
    """
    marked = re.compile(rf"(<!-- {kind}: (.+?) -->\n).*?(<!-- /{kind} -->)", re.DOTALL)
    used = names(page, kind)
    if strange := set(used) - set(pieces):
        raise MarksError(f"no piece is called {sorted(strange)}; there are {sorted(pieces)}")
    if len(used) != page.count(f"<!-- {kind}:") or len(used) != page.count(f"<!-- /{kind}"):
        raise MarksError("a mark begins without an end, or ends without a beginning")
    return marked.sub(lambda mark: f"{mark[1]}{pieces[mark[2]]}\n{mark[3]}", page)


def names(page: str, kind: str) -> list[str]:
    """Return the names of the pieces of one kind that a page has."""
    return re.findall(rf"<!-- {kind}: ((?:(?!-->).)+?) -->\n.*?<!-- /{kind} -->", page, re.DOTALL)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
