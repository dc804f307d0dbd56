"""The picture of the way from a log call to Kibana: SVG for light and dark pages, from way.yml."""

from __future__ import annotations

import unicodedata
from html import escape
from pathlib import Path
from typing import Any, Final

import yaml

SOURCE: Final = Path(__file__).with_name("way.yml")
LANGUAGES: Final = ("en", "ko")

EDGE: Final = 14
GAP: Final = 20
"""Between two boxes: the arrow."""
TOP: Final = 40
"""Above the boxes: the names of the groups."""
BOX: Final = 78
LINE: Final = 15
HEIGHT: Final = 172
TITLE_SIZE: Final = 13
TEXT_SIZE: Final = 11

STYLE: Final = """
  .page { fill: #ffffff; } text { font: 11px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 13px; font-weight: 600; } .middle { text-anchor: middle; }
  .box { fill: #f6f8fa; stroke: #9aa4b0; } .ours { fill: #dff3ea; stroke: #1a7f5a; }
  .way { stroke: #57606a; stroke-width: 1.5; fill: none; } .head { fill: #57606a; }
  .back { stroke-dasharray: 4 3; } .group { fill: #57606a; font-size: 12px; }
  .bracket { stroke: #9aa4b0; fill: none; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; } text { fill: #e6edf3; } .box { fill: #161b22; stroke: #5b6673; }
    .ours { fill: #10291f; stroke: #3fb68b; } .way { stroke: #9aa4b0; } .head { fill: #9aa4b0; }
    .group { fill: #9aa4b0; } .bracket { stroke: #5b6673; }
  }
"""


class TooWideError(ValueError):
    """A text does not fit into its box; says which."""


def draw(language: str, source: Path = SOURCE) -> str:
    """Return the picture in a language. Raises TooWideError."""
    way = yaml.safe_load(source.read_text("utf-8"))
    places = _places(way["boxes"])
    width = EDGE + sum(box["width"] + GAP for box in way["boxes"].values()) - GAP + EDGE
    parts = [_box(box, places[name], language) for name, box in way["boxes"].items()]
    arrows = [_arrow(end, end + GAP) for _, end in list(places.values())[:-1]]
    groups = [_group(group, places, language) for group in way["groups"]]
    backs = [_back(back, places, language) for back in way["back"]]
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(way["title"][language])}</title>',
        f'<desc id="desc">{escape(_said(way, language))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{HEIGHT}" rx="6"/>',
        *groups, *arrows, *parts, *backs,
        "</svg>\n",
    ))  # fmt: skip


def _places(boxes: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return where each box begins and ends."""
    found, left = {}, EDGE
    for name, box in boxes.items():
        found[name] = left, left + box["width"]
        left += box["width"] + GAP
    return found


def _title(box: dict[str, Any], language: str) -> str:
    return str(box.get(f"title_{language}", box["title"]))


def _box(box: dict[str, Any], place: tuple[int, int], language: str) -> str:
    left, right = place
    title, middle = _title(box, language), (left + right) / 2
    _check(title, TITLE_SIZE, box["width"])
    kind = "box ours" if box.get("ours") else "box"
    lines = [
        f'<rect class="{kind}" x="{left}" y="{TOP}" width="{box["width"]}" height="{BOX}" rx="6"/>',
        _text(title, middle, TOP + 24, "title middle"),
    ]
    for number, line in enumerate(box[language]):
        _check(line, TEXT_SIZE, box["width"])
        lines.append(_text(line, middle, TOP + 46 + LINE * number, "middle"))
    return "\n".join(lines)


def _text(text: str, x: float, y: float, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _arrow(start: int, end: int) -> str:
    y = TOP + BOX / 2
    return (
        f'<path class="way" d="M{start} {y:g}H{end - 5}"/>'
        f'<path class="head" d="M{end} {y:g}l-7 -4v8z"/>'
    )


def _group(group: dict[str, str], places: dict[str, tuple[int, int]], language: str) -> str:
    left, right = places[group["first"]][0], places[group["last"]][1]
    bracket = f'<path class="bracket" d="M{left} {TOP - 6}v-6H{right}v6"/>'
    return bracket + _text(group[language], (left + right) / 2, TOP - 18, "group middle")


def _back(back: dict[str, str], places: dict[str, tuple[int, int]], language: str) -> str:
    """Return what leads back, below the boxes."""
    start, end = (sum(places[back[key]]) / 2 for key in ("first", "last"))
    bottom = TOP + BOX
    return (
        f'<path class="way back" d="M{start:g} {bottom}V{bottom + 22}H{end:g}V{bottom + 6}"/>'
        f'<path class="head" d="M{end:g} {bottom + 1}l-4 7h8z"/>'
        + _text(back[language], (start + end) / 2, bottom + 40, "middle")
    )


def _check(text: str, size: int, width: int) -> None:
    """Raise TooWideError unless the text fits, also in a wide font."""
    ems = sum(1.0 if unicodedata.east_asian_width(one) in "WF" else 0.56 for one in text)
    if ems * size > width - 6:
        raise TooWideError(f"{text!r} takes {ems * size:.0f} of {width} pixels")


def _said(way: dict[str, Any], language: str) -> str:
    """Return what the picture shows, for those who do not see it."""
    boxes = [f"{_title(box, language)}: {' '.join(box[language])}" for box in way["boxes"].values()]
    return ". ".join((*boxes, *(back[language] for back in way["back"])))
