"""The results in short, in both languages: a line for the README, a table beside the peers."""

from __future__ import annotations

from typing import Final

from bench import zoo
from bench.aims import GET_LOGGER, STDLIB, ratio
from bench.results import Results

PEERS: Final = {
    "flowery_logging, `logging`": STDLIB,
    "flowery_logging, `get_logger()`": GET_LOGGER,
    "ecs-logging": "ecs-logging, stdlib",
    "python-json-logger": "python-json-logger with orjson",
    "structlog": "structlog, its fastest",
    "loguru": "loguru serialize",
    "logging": "stdlib FileHandler, plain text",
}
"""The libraries that are compared, and what was measured of each."""

HEADS: Final = {
    "en": ("library", "CPU time of an event, plain text = 1", "bytes of its line"),
    "ko": ("라이브러리", "이벤트 하나의 CPU 시간, 평문 = 1", "한 줄의 바이트"),
}

LINES: Final = {
    "en": (
        "Where a plain-text line of `logging.FileHandler` takes 1 of CPU time, the benchmark's "
        "event takes {stdlib:.2f} through `logging` and {fast:.2f} through `get_logger()`; of "
        "{shapes} shapes of events the best takes {best:.2f} ({best_shape}), the worst "
        "{worst:.2f} ({worst_shape}). ecs-logging takes {theirs:.2f}, and at worst "
        "{their_worst:.2f}. Measured on {when} with Python {python} on {system} ({processor})."
    ),
    "ko": (
        "`logging.FileHandler`의 평문 한 줄이 쓰는 CPU 시간을 1이라 하면, 벤치마크의 이벤트는 "
        "`logging`으로 {stdlib:.2f}, `get_logger()`로 {fast:.2f}입니다. "
        "이벤트 종류 {shapes}가지 가운데 가장 좋은 것은 "
        "{best:.2f}({best_shape}), 가장 나쁜 것은 {worst:.2f}({worst_shape})입니다. ecs-logging은 "
        "{theirs:.2f}, 가장 나쁠 때 {their_worst:.2f}입니다. {when}, Python {python}, {system}"
        "({processor})에서 쟀습니다."
    ),
}


def pieces(results: Results) -> dict[str, str]:
    """Return the pieces by name. Raises ResultsError if something that they show is missing."""
    return {
        **{f"line {language}": _line(results, language) for language in LINES},
        **{f"peers {language}": _peers(results, language) for language in HEADS},
    }


def _line(results: Results, language: str) -> str:
    ours = {
        (shape, way): results.number("zoo", shape, way) for shape in zoo.SHAPES for way in zoo.OURS
    }
    best, worst = min(ours, key=lambda one: ours[one]), max(ours, key=lambda one: ours[one])
    theirs = "ecs-logging"
    return LINES[language].format(
        stdlib=ratio(results, STDLIB),
        fast=ratio(results, GET_LOGGER),
        shapes=len(zoo.SHAPES),
        best=ours[best],
        best_shape=best[0],
        worst=ours[worst],
        worst_shape=worst[0],
        theirs=ratio(results, PEERS[theirs]),
        their_worst=max(results.number("zoo", shape, theirs) for shape in zoo.SHAPES),
        when=results.text("events", "when")[:10],
        **{fact: results.text("events", fact) for fact in ("python", "system", "processor")},
    )


def _peers(results: Results, language: str) -> str:
    rows = [
        f"| {name} | {ratio(results, measured):.2f} "
        f"| {results.number('events', 'groups', 'an event', measured, 'bytes'):.0f} |"
        for name, measured in PEERS.items()
    ]
    return "\n".join((f"| {' | '.join(HEADS[language])} |", "| --- | --: | --: |", *rows))
