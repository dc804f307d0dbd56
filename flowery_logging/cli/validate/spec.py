"""The rules of the ECS-logging specification: which fields there are, where, and when it was.

Source: spec/spec.json of elastic/ecs-logging, version 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowery_logging.cli.validate.finding import RULES, Finding, shown
from flowery_logging.cli.validate.parsing import JsonObject
from flowery_logging.cli.validate.types import has_zone
from flowery_logging.ecs.conversion import MISFIT, fit

TIME: Final = "@timestamp"
REQUIRED: Final = (TIME, "log.level", "message", "ecs.version")
FIRST: Final = (TIME, "log.level", "message")
"""What a line begins with, so that people can read it."""


def check(document: JsonObject, values: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong. `values`: the leaves of the document by their dotted names."""
    keys = [key for key, _ in document.pairs]
    for name in REQUIRED:
        if values.get(name) is None and name not in keys:
            yield Finding("required", name, "it is missing", RULES["required"])
        elif values.get(name, "") is None:
            yield Finding("required", name, "it is null", RULES["required"])
    if "log.level" in values and "log.level" not in keys:
        yield Finding("nesting", "log.level", "it is nested", RULES["nesting"])
    yield from _check_order(keys)
    yield from _check_time(dict(document.pairs).get(TIME))


def _check_order(keys: list[str]) -> Iterator[Finding]:
    there = [name for name in FIRST if name in keys]
    for place, name in enumerate(there):
        if keys[place] != name:
            wrong = f"it is key {keys.index(name) + 1} of the line, not {place + 1}"
            yield Finding("order", name, wrong, RULES["order"])
            return


def _check_time(value: object) -> Iterator[Finding]:
    if value is None:
        return  # it is missing
    wrong = shown(value)
    if isinstance(value, str) and fit(value, "date") is not MISFIT:
        if has_zone(value):
            return
        wrong += "; without a zone Elasticsearch takes it as UTC"
    yield Finding("timestamp", TIME, wrong, RULES["timestamp"])
