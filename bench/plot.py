"""The plot of the results: one bar a contender, as SVG that adapts to a dark page."""

from __future__ import annotations

from html import escape
from typing import Final

from bench.results import Results
from bench.words import Say

GROUPS: Final = {
    "an event": "An event: CPU time, 1 = a plain-text line of logging",
    "an event with an exception of 20 frames":
        "An event with an exception of 20 frames: CPU time, 1 = plain text",
    "an ASGI request with its access event":
        "A request with its access event: CPU time, 1 = asgi-correlation-id, uvicorn, ecs-logging",
}  # fmt: skip
"""The groups that are drawn, and their titles."""

WIDTH: Final = 860
LEFT: Final = 370
"""Where bars begin; before it stand the names."""
RIGHT: Final = 790
"""Where the longest bar ends; behind it stands its number."""
ROW: Final = 22
HEAD: Final = 46
"""Above the first bar of a group: its title."""

STYLE: Final = """
  .page { fill: #ffffff; } text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; } .name { text-anchor: end; }
  .value { stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
  .bar { fill: #9aa4b0; } .ours { fill: #1a7f5a; } text.ours { fill: #1f2328; font-weight: 600; }
  .one { stroke: #cf222e; stroke-dasharray: 4 3; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; } text, text.ours { fill: #e6edf3; } .value { stroke: #0d1117; }
    .bar { fill: #5b6673; } .ours { fill: #3fb68b; } .one { stroke: #ff7b72; }
  }
"""


def draw(results: Results, say: Say = str) -> str:
    """Return the plot. Raises ResultsError if a number that it shows is missing."""
    parts, said, top = [], [], 0
    for group, title in GROUPS.items():
        ratios = {
            say(name): results.number("events", "groups", group, name, "cpu_ratio")
            for name in results.contenders(group)
        }
        parts += _panel(say(title), ratios, top)
        said.append(
            f"{say(title)}. " + ", ".join(f"{name}: {_shown(r)}" for name, r in ratios.items())
        )
        top += HEAD + ROW * len(ratios)
    height = top + 16
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(say("What an event costs, beside other libraries"))}</title>',
        f'<desc id="desc">{escape(". ".join(said))}.</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        *parts,
        "</svg>\n",
    ))  # fmt: skip


def _panel(title: str, ratios: dict[str, float], top: int) -> list[str]:
    """Return one group, shortest bar first; the line at 1 lies over the bars, under the numbers."""
    scale = (RIGHT - LEFT) / max(1.0, *ratios.values())
    first, bottom, one = top + HEAD, top + HEAD + ROW * len(ratios), f"{LEFT + scale:.1f}"
    ranked = sorted(ratios.items(), key=lambda item: item[1])
    rows = [(name, ratio, first + ROW * number) for number, (name, ratio) in enumerate(ranked)]
    return [
        f'<text class="title" x="16" y="{top + 30}">{escape(title)}</text>',
        *(_bar(name, ratio * scale, place) for name, ratio, place in rows),
        f'<line class="one" x1="{one}" y1="{first - 6}" x2="{one}" y2="{bottom}"/>',
        *(_words(name, ratio, ratio * scale, place) for name, ratio, place in rows),
    ]


def _ours(name: str) -> str:
    return " ours" if "flowery" in name else ""


def _bar(name: str, length: float, top: int) -> str:
    place = f'x="{LEFT}" y="{top + 2}" width="{length:.1f}" height="{ROW - 6}"'
    return f'<rect class="bar{_ours(name)}" {place} rx="2"/>'


def _words(name: str, ratio: float, length: float, top: int) -> str:
    ours, line, end = _ours(name), top + ROW - 8, f"{LEFT + length + 6:.1f}"
    return (
        f'<text class="name{ours}" x="{LEFT - 8}" y="{line}">{escape(name)}</text>'
        f'<text class="value{ours}" x="{end}" y="{line}">{_shown(ratio)}</text>'
    )


def _shown(ratio: float) -> str:
    return f"{ratio:.2f}"
