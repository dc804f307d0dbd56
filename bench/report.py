"""The measurements as a table for people, and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from bench.measure import Result

PACKAGES: Final = (
    "flowery_logging", "orjson", "structlog", "ecs-logging", "python-json-logger", "loguru",
    "concurrent-log-handler", "picologging", "asgi-correlation-id", "starlette-context",
    "opentelemetry-sdk", "opentelemetry-instrumentation-asgi",
)  # fmt: skip
"""Whose versions are in the report: ours, what it stands on, and the peers."""

COLUMNS: Final = ("µs", "±", "ratio", "±", "CPU ratio", "±", "bytes")


def row(result: Result, reference: Result) -> dict[str, float]:
    """Return the numbers of one contender: medians, and half the distance of the quartiles.

    A ratio is the median of the rounds' ratios: both sides of a round met the same machine.
    """
    ratios = [mine / theirs for mine, theirs in zip(result.wall, reference.wall, strict=True)]
    cpu_ratios = [mine / theirs for mine, theirs in zip(result.cpu, reference.cpu, strict=True)]
    return {
        "us": median(result.wall) / 1000,
        "us_spread": _spread(result.wall) / 1000,
        "ratio": median(ratios),
        "ratio_spread": _spread(ratios),
        "cpu_ratio": median(cpu_ratios),
        "cpu_ratio_spread": _spread(cpu_ratios),
        "bytes": median(result.bytes),
    }


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    first, _, third = quantiles(values, n=4)
    return (third - first) / 2


def table(group: str, results: Sequence[Result]) -> str:
    """Return the table of one group; ratios are to its first result."""
    width = max(len(group), *(len(result.name) for result in results))
    lines = [_line(group, width, COLUMNS)]
    for result in results:
        us, *others, size = row(result, results[0]).values()
        cells = (f"{value:.2f}" for value in others)
        lines.append(_line(result.name, width, [microseconds(us), *cells, f"{size:.0f}"]))
    return "\n".join(lines)


def microseconds(us: float) -> str:
    """Return a time in µs as text, in more places if it is short."""
    return f"{us:.3f}" if us < 1 else f"{us:.2f}"


def _line(name: str, width: int, cells: Sequence[str]) -> str:
    return f"{name:<{width}}" + "".join(f"{cell:>10}" for cell in cells)


def document(groups: Mapping[str, Sequence[Result]], **settings: Any) -> dict[str, Any]:
    """Return the results as data: times in µs an event, sizes in bytes an event."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processors": os.cpu_count(),
        "packages": _versions(),
        **settings,
        "groups": {
            group: {result.name: row(result, results[0]) for result in results}
            for group, results in groups.items()
        },
    }


def _processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "an unnamed processor"


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # noqa: PERF203 - the others go on
            continue
    return versions


def save(path: Path, results: Mapping[str, Any]) -> None:
    """Write results as JSON, making the directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
