"""The environment: what its variables give, and which of them nothing reads.

An argument stands over FLOWERY_*, that over OTEL_* and ELASTIC_APM_*, and those over the default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from flowery_logging.config.setting import Row, Setting
from flowery_logging.config.table import SETTINGS

ATTRIBUTE: Final = "OTEL:"
"""What stands before the name of an attribute of OTEL_RESOURCE_ATTRIBUTES."""

KEYS: Final = ("FLOWERY_LOG_PSEUDONYM_KEY", "FLOWERY_LOG_PSEUDONYM_OLD_KEYS")
"""Read from the environment alone: no argument, and no source file, is to hold a key."""

_NEAR: Final = 0.7
"""How alike two names must be, what all begin with left out: SERVICE is near to SERVICE_NAME."""


def find(
    name: str, row: Row, arguments: Mapping[str, Any], environ: Mapping[str, str], default: Any
) -> Setting:
    """Return a setting as an argument, a variable or the default gives it, unchecked.

    An argument that is None, and a variable that is empty, count as not given.
    """
    given = arguments.get(name)
    if given is not None:
        return Setting(name, given, "argument")
    for variable in row.variables:
        value, source = _asked(variable, environ)
        if value:
            return Setting(name, value, source)
    if default is None and row.find_out is not None:
        default = row.find_out()
    return Setting(name, default, "default")


def _asked(variable: str, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Return what a variable holds, and the name that a user knows it by."""
    if variable.startswith(ATTRIBUTE):
        attribute = variable.removeprefix(ATTRIBUTE)
        return _otel_attribute(environ, attribute), "OTEL_RESOURCE_ATTRIBUTES"
    return environ.get(variable), variable


def _otel_attribute(environ: Mapping[str, str], name: str) -> str | None:
    """Return one attribute of `key=value,key=value` with percent-encoded values (OpenTelemetry)."""
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return unquote(value.strip())
    return None


def unknown_variables(environ: Mapping[str, str] | None = None) -> Mapping[str, str | None]:
    """Return the FLOWERY_* variables that no setting reads, each with the nearest one that is."""
    environ = os.environ if environ is None else environ
    known = {name for row in SETTINGS.values() for name in row.variables if "FLOWERY_" in name}
    known.update(KEYS)
    unknown = [
        name for name in environ if name.upper().startswith("FLOWERY_") and name not in known
    ]
    if not unknown:
        return {}
    from difflib import get_close_matches  # needed rarely

    by_end = {name.partition("_")[2]: name for name in sorted(known)}
    near = {
        name: get_close_matches(name.upper().partition("_")[2], by_end, 1, _NEAR)
        for name in sorted(unknown)
    }
    return {name: by_end[found[0]] if found else None for name, found in near.items()}
