"""The results as pieces of Markdown: what stands between the marks of README.md and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import geometric_mean
from typing import Final

from bench import report, summary, zoo
from bench.aims import GET_LOGGER, STDLIB, aims, ratio
from bench.contenders import GROUPS
from bench.results import Results


def pieces(results: Results) -> dict[str, str]:
    """Return all pieces by name. Raises ResultsError if something that they show is missing."""
    return {
        "machine": _machine(results),
        **{group: _group(results, group) for group in GROUPS},
        "zoo": _zoo(results),
        "worst": _worst(results),
        "crowd": _crowd(results),
        "startup": _startup(results),
        "memory": _memory(results),
        "instructions": _instructions(results),
        "steps": _steps(results),
        "floor": _floor(results),
        "ecs-logging": _ecs_logging(results),
        "aims": _aims(results),
        **summary.pieces(results),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _name(name: str) -> str:
    return f"**{name}**" if "flowery" in name else name


def _machine(results: Results) -> str:
    packages = results.get("events", "packages")
    versions = ", ".join(f"{name} {version}" for name, version in packages.items())
    processors = results.number("events", "processors")
    return (
        f"Measured on {results.text('events', 'when')[:10]} with Python "
        f"{results.text('events', 'python')} on {results.text('events', 'system')} "
        f"({results.text('events', 'processor')}, {processors:g} processors), "
        f"{results.number('events', 'rounds'):g} rounds of "
        f"{results.number('events', 'events'):g} events: {versions}."
    )


def _group(results: Results, group: str) -> str:
    def row(name: str) -> Sequence[str]:
        def number(key: str) -> float:
            return results.number("events", "groups", group, name, key)

        middle, spread = number("cpu_ratio"), number("cpu_ratio_spread")
        return (
            _name(name), f"{middle:.2f} ± {spread:.2f}", f"{number('ratio'):.2f}",
            report.microseconds(number("us")), f"{number('bytes'):.0f}",
        )  # fmt: skip

    head = (group, "CPU time, ratio", "time, ratio", "time, µs", "bytes")
    return _table(head, map(row, results.contenders(group)))


def _zoo(results: Results) -> str:
    shapes = results.names("zoo")
    return zoo.table({shape: results.get("zoo", shape) for shape in shapes})


def _worst(results: Results) -> str:
    """Return what the events of the zoo without a secret cost, in one sentence."""

    def said(name: str) -> str:
        found = {shape: results.number("zoo", shape, name) for shape in zoo.SHAPES}
        worst = max(found, key=lambda shape: found[shape])
        mean = geometric_mean(found.values())
        return f"`{name}`: {mean:.2f} on average, at worst {found[worst]:.2f} ({worst})"

    ours = "; ".join(map(said, zoo.OURS))
    return (
        f"Over {len(zoo.SHAPES)} shapes of events, the CPU time of a plain-text line being 1: "
        f"{ours}; ecs-logging {said('ecs-logging').partition(': ')[2]}."
    )


def _crowd(results: Results) -> str:
    settings = results.names("crowd", "events_a_second")
    names = results.names("crowd", "events_a_second", settings[0])

    def row(name: str) -> Sequence[str]:
        rates = (results.number("crowd", "events_a_second", one, name) for one in settings)
        return (_name(name), *(f"{rate:,.0f}" for rate in rates))

    processors = results.number("crowd", "processors")
    return _table((f"events a second, {processors:g} processors", *settings), map(row, names))


def _startup(results: Results) -> str:
    def row(program: str) -> Sequence[str]:
        def number(key: str) -> float:
            return results.number("startup", program, key)

        shown = f"`{program}`"
        return (
            f"**{shown}**" if "flowery" in program else shown,
            f"{number('ms'):.0f}", f"{number('ratio'):.2f}", f"{number('modules'):g}",
        )  # fmt: skip

    return _table(("a new process runs", "ms", "ratio", "modules"), map(row, _programs(results)))


def _programs(results: Results) -> list[str]:
    return results.names("startup")


def _readings(results: Results, way: str) -> tuple[float, float, float]:
    """Return the resident KiB after one tenth, two tenths and all of the events."""
    keys = ("memory", "resident_kib", way)
    return results.item(0, *keys), results.item(1, *keys), results.item(-1, *keys)


def _memory(results: Results) -> str:
    def row(way: str) -> Sequence[str]:
        first, second, last = _readings(results, way)
        return (way, f"{first:,.0f}", f"{second:,.0f}", f"{last:,.0f}", f"{last - second:,.0f}")

    events = results.number("memory", "events")
    head = (
        f"resident KiB, {events:,.0f} events",
        "after 1/10",
        "after 2/10",
        "at the end",
        "growth",
    )
    return _table(head, map(row, results.names("memory", "resident_kib")))


_NOT_COUNTED: Final = "Not counted in this run: valgrind was not installed."


def _instructions(results: Results) -> str:
    if not results.has("instructions"):
        return _NOT_COUNTED
    part = ("instructions", "instructions_an_event")
    first, *_ = names = results.names(*part)

    def row(name: str) -> Sequence[str]:
        count = results.number(*part, name)
        return (_name(name), f"{count:,.0f}", f"{count / results.number(*part, first):.2f}")

    return _table(
        ("instructions an event, without the kernel's", "count", "ratio"), map(row, names)
    )


def _steps(results: Results) -> str:
    """Return a table for each way of which the steps were counted."""
    if not results.has("instructions"):
        return _NOT_COUNTED

    def table(way: str) -> str:
        steps = {
            step: results.number("instructions", "steps", way, step)
            for step in results.names("instructions", "steps", way)
        }
        whole = sum(steps.values())
        rows = [(step, f"{count:,.0f}", f"{count / whole:.0%}") for step, count in steps.items()]
        return _table((way, "instructions", "share"), [*rows, ("all", f"{whole:,.0f}", "100%")])

    return "\n\n".join(map(table, results.names("instructions", "steps")))


def _floor(results: Results) -> str:
    write = ratio(results, "os.write of an equal line")
    line = ratio(results, "orjson + os.write of an equal line")
    nobody = ratio(results, "stdlib NullHandler (writes nothing)")
    ours, fast = ratio(results, STDLIB), ratio(results, GET_LOGGER)
    rows = (
        ("`get_logger()`", f"{fast:.2f}", "`orjson` + `os.write` of an equal line",
         f"{line:.2f}", f"{fast / line:.1f}"),
        ("`logging`", f"{ours:.2f}", "`NullHandler`, and `orjson` + `os.write` of an equal line",
         f"{nobody + line:.2f}", f"{ours / (nobody + line):.1f}"),
        ("both", "", "`os.write` of an equal line: the kernel", f"{write:.2f}", ""),
    )  # fmt: skip
    return _table(("CPU time, ratio", "ours", "the floor", "", "times"), rows)


def _ecs_logging(results: Results) -> str:
    theirs = ratio(results, "ecs-logging, stdlib")
    ours, fast = ratio(results, STDLIB), ratio(results, GET_LOGGER)
    version = results.text("events", "packages", "ecs-logging")
    return (
        f"Here ecs-logging {version} takes {theirs:.1f} times the CPU time of a plain-text line: "
        f"{theirs / ours:.1f} times that of ours through `logging`, "
        f"{theirs / fast:.1f} times that of ours through `get_logger()`."
    )


def _aims(results: Results) -> str:
    rows = (
        (aim.text, f"{aim.found:,.2f}", "yes" if aim.reached else "no") for aim in aims(results)
    )
    return _table(("aim", "measured", "reached"), rows)
