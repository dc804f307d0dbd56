"""The results in short: a line for the README, a table beside the peers."""

from __future__ import annotations

from typing import Final

from bench import zoo
from bench.aims import GET_LOGGER, STDLIB, ratio
from bench.results import Results
from bench.words import Say

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

HEAD: Final = ("library", "CPU time of an event, plain text = 1", "bytes of its line")

LINE: Final = (
    "Where a plain-text line of `logging.FileHandler` takes 1 of CPU time, the benchmark's "
    "event takes {stdlib:.2f} through `logging` and {fast:.2f} through `get_logger()`; of "
    "{shapes} shapes of events the best takes {best:.2f} ({best_shape}), the worst "
    "{worst:.2f} ({worst_shape}). ecs-logging takes {theirs:.2f}, and at worst "
    "{their_worst:.2f}. Messages of 2 kB that are JSON, SQL or HTML, or speak of passwords, "
    "are searched for longer: they take up to {texts:.1f}. Measured on {when} with Python {python} "
    "on {system} ({processor})."
)


def pieces(results: Results, say: Say) -> dict[str, str]:
    """Return the pieces by name. Raises ResultsError if something that they show is missing."""
    return {"line": _line(results, say), "peers": _peers(results, say)}


def _line(results: Results, say: Say) -> str:
    ours = {
        (shape, way): results.number("zoo", shape, way) for shape in zoo.SHAPES for way in zoo.OURS
    }
    best, worst = min(ours, key=lambda one: ours[one]), max(ours, key=lambda one: ours[one])
    theirs = "ecs-logging"
    return say(LINE).format(
        stdlib=ratio(results, STDLIB),
        fast=ratio(results, GET_LOGGER),
        shapes=len(zoo.SHAPES),
        best=ours[best],
        best_shape=say(best[0]),
        worst=ours[worst],
        worst_shape=say(worst[0]),
        theirs=ratio(results, PEERS[theirs]),
        their_worst=max(results.number("zoo", shape, theirs) for shape in zoo.SHAPES),
        texts=max(results.number("zoo", text, way) for text in zoo.TEXTS for way in zoo.OURS),
        when=results.text("events", "when")[:10],
        **{fact: results.text("events", fact) for fact in ("python", "system", "processor")},
    )


def _peers(results: Results, say: Say) -> str:
    rows = [
        f"| {name} | {ratio(results, measured):.2f} "
        f"| {results.number('events', 'groups', 'an event', measured, 'bytes'):.0f} |"
        for name, measured in PEERS.items()
    ]
    return "\n".join((f"| {' | '.join(map(say, HEAD))} |", "| --- | --: | --: |", *rows))
