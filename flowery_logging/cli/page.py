"""A page to send: one HTML file that loads nothing, runs nothing and shows texts as texts."""

from __future__ import annotations

import base64
import hashlib
import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from flowery_logging.cli.whole import write_whole
from flowery_logging.files.printable import printable

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --warn: #b26a00; --bar: #4a7ab5; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --warn: #ffc266; --bar: #7aa7dd; } }
body { font: 15px/1.5 system-ui, "Noto Sans KR", sans-serif; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; margin-bottom: 1.5rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .5rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: break-word; max-width: 45rem; }
th { white-space: nowrap; }
.n { text-align: right; white-space: nowrap; } .bad { color: var(--bad); font-weight: 600; }
.warn { color: var(--warn); } .dim { opacity: .6; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
svg .bar { fill: var(--bar); } svg .bad { fill: var(--bad); }
"""


def escape(text: object) -> str:
    """Return a text as HTML shows it; what no reader can see is written out."""
    return html.escape(printable(str(text)))


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole page of tables and plots."""
    return document(title, STYLE, [f"<h1>{escape(title)}</h1>", *body])


def document(title: str, style: str, body: Iterable[str]) -> str:
    """Return a whole page. Its policy allows its own style, by hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip


def cell(value: object, look: str = "") -> str:
    """Return one cell of a table; a number stands at the right. `look`: bad, warn, dim, n."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    looks = " ".join(dict.fromkeys(("n " * number + look).split()))
    kind = f' class="{looks}"' if looks else ""
    shown = f"{value:,}" if isinstance(value, int) and number else value
    return f"<td{kind}>{escape(shown)}</td>"


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells as `cell` makes them."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def write(path: Path, content: str) -> None:
    """Write a page, a file whole or not at all. Raises click.UsageError.

    What is no file (`/dev/stdout`, a pipe) or leads to one elsewhere is written to, not replaced.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_text(content, "utf-8")
        else:
            umask = os.umask(0)
            os.umask(umask)
            write_whole(path, content.encode(), 0o666 & ~umask)
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror}") from None
