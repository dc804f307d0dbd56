"""The results as pieces of Markdown, in both languages: what stands between the marks of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import geometric_mean
from typing import Final

from bench import beside, report, summary, zoo
from bench.aims import GET_LOGGER, STDLIB, aims, ratio
from bench.contenders import GROUPS
from bench.results import Results
from bench.words import LANGUAGES, Say, Words


def pieces(results: Results, words: Words | None = None) -> dict[str, str]:
    """Return all pieces by name and language.

    Raises ResultsError if something that they show is missing, and WordsError if its Korean is.
    """
    words = words or Words()
    return {
        f"{name} {language}": text
        for language in LANGUAGES
        for name, text in _pieces(results, words.say(language)).items()
    }


def _pieces(results: Results, say: Say) -> dict[str, str]:
    return {
        "machine": _machine(results, say),
        **{group: _group(results, group, say) for group in GROUPS},
        "zoo": _zoo(results, say, (*zoo.SHAPES, *zoo.SECRETS)),
        "texts": _zoo(results, say, zoo.TEXTS),
        "worst": _worst(results, say),
        "beside": _beside(results, say),
        "secrets": _secrets(results, say),
        "crowd": _crowd(results, say),
        "startup": _startup(results, say),
        "memory": _memory(results, say),
        "instructions": _instructions(results, say),
        "steps": _steps(results, say),
        "floor": _floor(results, say),
        "ecs-logging": _ecs_logging(results, say),
        "aims": _aims(results, say),
        **summary.pieces(results, say),
    }


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = [*heads]
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _name(name: str, say: Say) -> str:
    return f"**{say(name)}**" if "flowery" in name else say(name)


def _machine(results: Results, say: Say) -> str:
    packages = results.get("events", "packages")
    return say(
        "Measured on {when} with Python {python} on {system} ({processor}, {processors:g} "
        "processors), {rounds:g} rounds of {events:g} events: {versions}."
    ).format(
        when=results.text("events", "when")[:10],
        versions=", ".join(f"{name} {version}" for name, version in packages.items()),
        **{fact: results.text("events", fact) for fact in ("python", "system", "processor")},
        **{fact: results.number("events", fact) for fact in ("processors", "rounds", "events")},
    )


def _group(results: Results, group: str, say: Say) -> str:
    def row(name: str) -> Sequence[str]:
        def number(key: str) -> float:
            return results.number("events", "groups", group, name, key)

        middle, spread = number("cpu_ratio"), number("cpu_ratio_spread")
        return (
            _name(name, say), f"{middle:.2f} ± {spread:.2f}", f"{number('ratio'):.2f}",
            report.microseconds(number("us")), f"{number('bytes'):.0f}",
        )  # fmt: skip

    head = (group, "CPU time, ratio", "time, ratio", "time, µs", "bytes")
    return _table(map(say, head), map(row, results.contenders(group)))


def _zoo(results: Results, say: Say, shapes: Iterable[str]) -> str:
    return zoo.table({shape: results.get("zoo", shape) for shape in shapes}, say)


def _beside(results: Results, say: Say) -> str:
    def row(setting: str) -> Sequence[str]:
        found = [results.number("beside", setting, way, "plain") for way in beside.WAYS]
        return (say(setting), *(f"{ratio:.2f}" for ratio in found))

    head = ("mean over the shapes; beside", *beside.WAYS)
    return _table(map(say, head), map(row, results.names("beside")))


def _worst(results: Results, say: Say) -> str:
    """Return what the events of the zoo without a secret cost, in one sentence."""

    def said(name: str) -> str:
        found = {shape: results.number("zoo", shape, name) for shape in zoo.SHAPES}
        worst = max(found, key=lambda shape: found[shape])
        mean = geometric_mean(found.values())
        shown = f"`{name}`" if name in zoo.OURS else name
        return say("{name}: {mean:.2f} on average, at worst {worst:.2f} ({shape})").format(
            name=shown, mean=mean, worst=found[worst], shape=say(worst)
        )

    return say(
        "Over {shapes} shapes of events, the CPU time of a plain-text line being 1: {found}."
    ).format(shapes=len(zoo.SHAPES), found="; ".join(map(said, (*zoo.OURS, "ecs-logging"))))


def _secrets(results: Results, say: Say) -> str:
    """Return what looking for secrets comes to, in an event without one and in one with one."""

    def found(shapes: Iterable[str]) -> list[float]:
        return [results.number("zoo", shape, way) for shape in shapes for way in zoo.OURS]

    clean, texts, hidden = found(zoo.SHAPES), found(zoo.TEXTS), found(zoo.SECRETS)
    return say(
        "An event takes {best:.1f} to {worst:.1f} times the CPU time of a plain-text line, "
        "{mean:.1f} times on average, also where a name tells that its value is a secret. A "
        "message of 2 kB that is JSON, SQL or HTML, or speaks of passwords, takes up to "
        "{texts:.1f} times. One with a secret in a text or a number is looked at with care, and "
        "takes {least:.1f} to {most:.1f} times."
    ).format(
        best=min(clean),
        worst=max(clean),
        mean=geometric_mean(clean),
        texts=max(texts),
        least=min(hidden),
        most=max(hidden),
    )


def _crowd(results: Results, say: Say) -> str:
    settings = results.names("crowd", "events_a_second")
    names = results.names("crowd", "events_a_second", settings[0])

    def row(name: str) -> Sequence[str]:
        rates = (results.number("crowd", "events_a_second", one, name) for one in settings)
        return (_name(name, say), *(f"{rate:,.0f}" for rate in rates))

    processors = results.number("crowd", "processors")
    head = say("events a second, {processors:g} processors").format(processors=processors)
    return _table((head, *map(say, settings)), map(row, names))


def _startup(results: Results, say: Say) -> str:
    def row(program: str) -> Sequence[str]:
        def number(key: str) -> float:
            return results.number("startup", program, key)

        shown = f"`{program}`"
        return (
            f"**{shown}**" if "flowery" in program else shown,
            f"{number('ms'):.0f}", f"{number('ratio'):.2f}", f"{number('modules'):g}",
        )  # fmt: skip

    head = ("a new process runs", "ms", "ratio", "modules")
    return _table(map(say, head), map(row, results.names("startup")))


def _readings(results: Results, way: str) -> tuple[float, float, float]:
    """Return the resident KiB after one tenth, two tenths and all of the events."""
    keys = ("memory", "resident_kib", way)
    return results.item(0, *keys), results.item(1, *keys), results.item(-1, *keys)


def _memory(results: Results, say: Say) -> str:
    def row(way: str) -> Sequence[str]:
        first, second, last = _readings(results, way)
        return (
            say(way),
            f"{first:,.0f}",
            f"{second:,.0f}",
            f"{last:,.0f}",
            f"{last - second:,.0f}",
        )

    events = results.number("memory", "events")
    head = (
        say("resident KiB, {events:,.0f} events").format(events=events),
        *map(say, ("after 1/10", "after 2/10", "at the end", "growth")),
    )
    return _table(head, map(row, results.names("memory", "resident_kib")))


_NOT_COUNTED: Final = "Not counted in this run: valgrind was not installed."


def _instructions(results: Results, say: Say) -> str:
    if not results.has("instructions"):
        return say(_NOT_COUNTED)
    part = ("instructions", "instructions_an_event")
    first, *_ = names = results.names(*part)

    def row(name: str) -> Sequence[str]:
        count = results.number(*part, name)
        return (_name(name, say), f"{count:,.0f}", f"{count / results.number(*part, first):.2f}")

    head = ("instructions an event, without the kernel's", "count", "ratio")
    return _table(map(say, head), map(row, names))


def _steps(results: Results, say: Say) -> str:
    """Return a table for each way of which the steps were counted."""
    if not results.has("instructions"):
        return say(_NOT_COUNTED)

    def table(way: str) -> str:
        steps = {
            step: results.number("instructions", "steps", way, step)
            for step in results.names("instructions", "steps", way)
        }
        whole = sum(steps.values())
        rows = [(say(step), f"{n:,.0f}", f"{n / whole:.0%}") for step, n in steps.items()]
        head = map(say, (way, "instructions", "share"))
        return _table(head, [*rows, (say("all"), f"{whole:,.0f}", "100%")])

    return "\n\n".join(map(table, results.names("instructions", "steps")))


def _floor(results: Results, say: Say) -> str:
    write = ratio(results, "os.write of an equal line")
    line = ratio(results, "orjson + os.write of an equal line")
    nobody = ratio(results, "stdlib NullHandler (writes nothing)")
    ours, fast = ratio(results, STDLIB), ratio(results, GET_LOGGER)
    rows = (
        ("`get_logger()`", f"{fast:.2f}", say("`orjson` + `os.write` of an equal line"),
         f"{line:.2f}", f"{fast / line:.1f}"),
        ("`logging`", f"{ours:.2f}",
         say("`NullHandler`, and `orjson` + `os.write` of an equal line"),
         f"{nobody + line:.2f}", f"{ours / (nobody + line):.1f}"),
        (say("both"), "", say("`os.write` of an equal line: the kernel"), f"{write:.2f}", ""),
    )  # fmt: skip
    head = (*map(say, ("CPU time, ratio", "ours", "the floor")), "", say("times"))
    return _table(head, rows)


def _ecs_logging(results: Results, say: Say) -> str:
    theirs = ratio(results, "ecs-logging, stdlib")
    ours, fast = ratio(results, STDLIB), ratio(results, GET_LOGGER)
    return say(
        "Here ecs-logging {version} takes {plain:.1f} times the CPU time of a plain-text line: "
        "{stdlib:.1f} times that of ours through `logging`, "
        "{fast:.1f} times that of ours through `get_logger()`."
    ).format(
        version=results.text("events", "packages", "ecs-logging"),
        plain=theirs,
        stdlib=theirs / ours,
        fast=theirs / fast,
    )


def _aims(results: Results, say: Say) -> str:
    rows = (
        (aim.text, f"{aim.found:,.2f}", say("yes" if aim.reached else "no"))
        for aim in aims(results, say)
    )
    return _table(map(say, ("aim", "measured", "reached")), rows)
