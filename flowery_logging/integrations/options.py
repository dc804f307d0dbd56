"""The names and types of the options that every middleware and `instrument` of requests takes.

They are the same everywhere: keywords of `RequestMiddleware` (ASGI, WSGI) and of
`fastapi.instrument`, keys of Django's `FLOWERY_REQUESTS`, which takes one more (see
django_options.py). `exchange.Options` says what each does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypedDict

from flowery_logging.settings import ConfigError


class RequestOptions(TypedDict, total=False):
    """Options by keyword, for type checkers; all may be left out."""

    request_id_header: str | Sequence[str]
    access_log: bool
    quiet: Mapping[str, float] | Iterable[str]
    proxies: Iterable[str]
    trace_formats: Sequence[str]
    traceparent: bool
    server_timing: bool


class UnknownOptionError(ConfigError, TypeError):
    """An option has a name that none has: a wrong option, and a wrong keyword in a call."""


def check_names(given: Any, names: Sequence[str]) -> None:
    """Raise `UnknownOptionError` for a name that is none of these, and say which ones there are."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"options: expected a mapping of names to values, not {given!r}")
    for name in given:
        if name not in names:
            near = get_close_matches(str(name), names, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UnknownOptionError(
                f"unknown option {name!r}; {hint}allowed are {', '.join(names)}"
            )
