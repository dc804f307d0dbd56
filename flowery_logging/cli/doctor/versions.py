"""The versions that run here, and whether they are those that the package asks for."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Final

from flowery_logging.cli.doctor.finding import Finding, fault

_LEAST: Final = re.compile(r"(?P<name>[\w.-]+)\s*>=(?P<version>\d+(?:\.\d+)*)")


def facts() -> dict[str, str]:
    """Return the versions of Python and of the libraries that write the lines."""
    found = {"python": platform.python_version()}
    for name in ("flowery_logging", "orjson", "structlog", "ecs-logging"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # noqa: PERF203 - the others go on
            continue
    return found


def check() -> Iterator[Finding]:
    """Yield libraries that are older than the package needs, or missing."""
    for name, wanted in _requirements():
        try:
            there = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield fault("versions", f"{name} is not installed", f"pip install '{name}>={wanted}'")
            continue
        if _numbers(there) < _numbers(wanted):
            yield fault(
                "versions",
                f"{name} {there} is older than {wanted}, which the package needs",
                f"pip install --upgrade '{name}>={wanted}'",
            )


def _requirements() -> Iterator[tuple[str, str]]:
    """Yield what the package needs always, not by an extra."""
    try:
        requires = metadata.requires("flowery_logging") or []
    except metadata.PackageNotFoundError:
        return  # run from a folder, not installed
    for text in requires:
        match = _LEAST.match(text)
        if match is not None and "extra ==" not in text:
            yield match["name"], match["version"]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
