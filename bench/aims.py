"""What was aimed at, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import geometric_mean
from typing import Final, NamedTuple

from bench import zoo
from bench.memory import FLAT
from bench.results import Results
from bench.words import Say

STDLIB: Final = "flowery_logging, stdlib"
GET_LOGGER: Final = "flowery_logging, get_logger"
_EVENT: Final = "an event"
_BOUND: Final = "an event of ten after a bind"
_EXCEPTION: Final = "an event with an exception of 20 frames"
_DEBUG: Final = "a debug event below the level"
_REQUEST: Final = "an ASGI request with its access event"
_CROWD: Final = ("crowd", "events_a_second")
_ACCESS: Final = "ECS names (an access event)"
_STRUCTLOG: Final = "structlog, its fastest"
_LOCKED: Final = "concurrent-log-handler, ecs-logging"


class Aim(NamedTuple):
    """One aim: a number that is to be at most `bound`, or at least if `least`."""

    text: str
    found: float
    bound: float
    least: bool = False

    @property
    def reached(self) -> bool:
        """Whether it is, as far as the digits that are shown tell."""
        found = round(self.found, 2)
        return found >= self.bound if self.least else found <= self.bound


def ratio(results: Results, name: str, group: str = _EVENT) -> float:
    """Return the CPU time of a contender as a multiple of that of its group's reference."""
    return results.number("events", "groups", group, name, "cpu_ratio")


def aims(results: Results, say: Say = str) -> Iterator[Aim]:
    """Yield all aims. Raises ResultsError if something was not measured."""
    yield Aim(say("an event through `logging`: at most 0.75"), ratio(results, STDLIB), 0.75)
    yield Aim(say("an event through `get_logger()`: at most 0.6"), ratio(results, GET_LOGGER), 0.6)
    bound = ratio(results, f"{GET_LOGGER}().bind", _BOUND)
    yield Aim(say("an event of ten after a `bind`: at most 0.6"), bound, 0.6)
    yield from _of_kinds(results, say)
    yield from _against_peers(results, say)
    yield from _crowds(results, say)
    yield from _beside(results, say)
    (setup,) = (program for program in results.names("startup") if "setup(" in program)
    started = results.number("startup", setup, "ratio")
    text = say("`import` and `setup()`: at most 1.2 times `import structlog, orjson`")
    yield Aim(text, started, 1.2)
    text = say("memory: flat, that is below {flat:,} KiB").format(flat=FLAT)
    yield Aim(text, _growth(results), FLAT)


def _of_kinds(results: Results, say: Say) -> Iterator[Aim]:
    """Yield what is aimed at for events of every kind."""
    for way, mean, flat, nested in ((GET_LOGGER, 0.85, 1.0, 1.5), (STDLIB, 1.0, 1.2, 1.7)):
        found = {shape: results.number("zoo", shape, way) for shape in zoo.SHAPES}
        text = say("`{way}`, all kinds without a secret, on average: at most {bound:g}")
        yield Aim(text.format(way=way, bound=mean), geometric_mean(found.values()), mean)
        of_flat = max(found[shape] for shape in found if shape not in {*zoo.NESTED, _ACCESS})
        text = say("`{way}`, flat kinds: at most {bound:g}")
        yield Aim(text.format(way=way, bound=flat), of_flat, flat)
        text = say("`{way}`, dicts, lists and objects: at most {bound:g}")
        yield Aim(text.format(way=way, bound=nested), max(found[s] for s in zoo.NESTED), nested)
    ways = (GET_LOGGER, STDLIB)
    yield from _kinds_against_peers(results, say)
    worst = max(results.number("zoo", _ACCESS, way) for way in ways)
    yield Aim(say("an event with the fields of a request: at most 1.2"), worst, 1.2)
    worst = max(results.number("zoo", shape, way) for shape in zoo.SECRETS for way in ways)
    yield Aim(say("an event with a secret: at most 2.5"), worst, 2.5)


def _kinds_against_peers(results: Results, say: Say) -> Iterator[Aim]:
    """Yield how the kinds without a secret stand beside peers, at worst."""

    def worst(way: str, peer: str, *but: str) -> float:
        shapes = [shape for shape in zoo.SHAPES if shape not in but]
        return max(
            results.number("zoo", shape, way) / results.number("zoo", shape, peer)
            for shape in shapes
        )

    text = say("`{way}`, flat kinds: at most 1.1 times structlog's fastest")
    found = worst(GET_LOGGER, _STRUCTLOG, *zoo.NESTED, _ACCESS)
    yield Aim(text.format(way=GET_LOGGER), found, 1.1)
    text = say("all kinds without a secret: at most 0.35 times ecs-logging")
    yield Aim(text, max(worst(way, "ecs-logging") for way in (STDLIB, GET_LOGGER)), 0.35)


def _against_peers(results: Results, say: Say) -> Iterator[Aim]:
    theirs = ratio(results, "ecs-logging, exception", _EXCEPTION)
    ours = max(ratio(results, f"{name}, exception", _EXCEPTION) for name in (STDLIB, GET_LOGGER))
    yield Aim(say("an exception: not above ecs-logging"), ours / theirs, 1.0)
    debug = ratio(results, f"{STDLIB}, debug", _DEBUG)
    yield Aim(say("a filtered `debug`: not above stdlib's"), debug, 1.0)
    debug = ratio(results, f"{GET_LOGGER}, debug", _DEBUG)
    debug /= ratio(results, "structlog, debug", _DEBUG)
    yield Aim(say("a filtered `debug`: not above structlog's"), debug, 1.0)
    access = ratio(results, "flowery_logging, RequestMiddleware", _REQUEST)
    text = say("an access event: not above correlation ID, uvicorn's line and ecs-logging")
    yield Aim(text, access, 1.0)


def _crowds(results: Results, say: Say) -> Iterator[Aim]:
    """Yield how many times as many events ours write, where more than one writes."""
    for setting in results.names(*_CROWD)[1:]:
        ours = min(results.number(*_CROWD, setting, name) for name in (STDLIB, GET_LOGGER))
        theirs = results.number(*_CROWD, setting, _LOCKED)
        text = say("{setting}: at least 8 times the events of concurrent-log-handler")
        yield Aim(text.format(setting=say(setting)), ours / theirs, 8.0, least=True)


def _beside(results: Results, say: Say) -> Iterator[Aim]:
    """Yield what an event costs where others are in the process, over all shapes."""
    aimed = (("OpenTelemetry imported", 1.03), ("an active span", 1.15))
    for setting, bound in aimed:
        found = max(results.number("beside", setting, n, "more") for n in (STDLIB, GET_LOGGER))
        text = say("{setting}: at most {bound:.2f} times an event without")
        yield Aim(text.format(setting=say(setting), bound=bound), found, bound)


def growth(results: Results, way: str) -> float:
    """Return by how many KiB the memory grew after the first fifth of the events."""
    keys = ("memory", "resident_kib", way)
    return results.item(-1, *keys) - results.item(1, *keys)


def _growth(results: Results) -> float:
    return max(growth(results, way) for way in results.names("memory", "resident_kib"))
