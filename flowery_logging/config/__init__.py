"""The configuration of one `setup()`.

An argument stands over FLOWERY_*, that over OTEL_* and ELASTIC_APM_*, and those over the default.
Each value remembers where it came from, so that an error can name it. What a setting is stands in
`table.py`, once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flowery_logging.config import checks
from flowery_logging.config.identity import dataset, stream_part
from flowery_logging.config.place import choose_place, shown_level, working_directory
from flowery_logging.config.setting import Setting, absolute
from flowery_logging.config.table import SETTINGS
from flowery_logging.config.variables import find


class Config(NamedTuple):
    """The configuration of one `setup()`, checked."""

    service: str
    version: str | None
    environment: str | None
    node: str
    directory: str | None  # absolute; None: no file output
    outputs: tuple[str, ...]
    stderr_level: int | None  # from which on people see events on stderr; None: none
    level: int
    levels: Mapping[str, int]
    flight_recorder: int | None
    max_bytes: int
    max_age: float  # seconds
    keep_bytes: int
    keep_days: float
    dataset: str  # data_stream.dataset, sanitised
    redact: tuple[str, ...]
    redact_safe: tuple[str, ...]
    redact_personal: tuple[str, ...]  # kinds of personal data
    pseudonyms: tuple[str, ...]
    baggage: tuple[str, ...]
    fields: Mapping[str, str]
    limits: Mapping[str, int]
    processors: tuple[Callable[..., Any], ...]
    flood: tuple[int, float] | None  # events, seconds; None: all events are written
    sample: tuple[float, float] | None  # the share of traces, seconds of a slow request; None: all
    capture_uncaught: bool
    capture_warnings: bool
    capture_signals: bool
    pseudonym_key: Any  # a `pseudonyms.Key`, which does not show itself; None: none is needed
    namespace: str  # data_stream.namespace, sanitised
    fallback: str | None  # why the file output was given up, if it was
    sources: Mapping[str, str]  # where each value came from
    base: str  # the working directory of the first set-up, where relative paths begin


def resolve(
    arguments: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    previous: Config | None = None,
) -> Config:
    """Return the configuration from the arguments of `setup()` and the environment.

    An argument that is None counts as not given. What a default was taken for in the `previous`
    configuration stays, also where the default would be another one now. Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    base = str(working_directory()) if previous is None else previous.base
    given = _given(arguments, environ, previous)
    values = {name: SETTINGS[name].check(setting) for name, setting in given.items()}
    service, known = values["service"], None if previous is None else previous.pseudonym_key
    # What depends on other settings too.
    directory, outputs, fallback = choose_place(given["directory"], values.pop("output"), service)
    values |= {
        "directory": directory,
        "stderr_level": shown_level(given["stderr_level"], values["stderr_level"], outputs),
        "dataset": dataset(given["dataset"], service),
    }
    return Config(
        **values,
        outputs=outputs,
        pseudonym_key=checks.pseudonym_key(environ, known) if values["pseudonyms"] else None,
        namespace=stream_part(values["environment"] or "default"),
        fallback=fallback,
        sources={name: setting.source for name, setting in given.items()},
        base=base,
    )


def _given(
    arguments: Mapping[str, Any], environ: Mapping[str, str], previous: Config | None
) -> dict[str, Setting]:
    """Return each setting as it is given, unchecked."""
    known = {} if previous is None else _found_out(previous)
    given = {}
    for name, row in SETTINGS.items():
        setting = find(name, row, arguments, environ, known.get(name, row.default))
        if row.may_be_path and setting.source in row.variables and previous is not None:
            # A daemon has changed its directory since.
            setting = setting._replace(value=absolute(setting.value, previous.base))
        given[name] = setting
    return given


def _found_out(config: Config) -> dict[str, Any]:
    """Return what the process was asked for: its script, its terminal, its working directory."""
    found: dict[str, Any] = {"service": config.service, "node": config.node}
    if config.fallback is None:
        found |= {"directory": config.directory, "output": config.outputs}
    return {name: value for name, value in found.items() if config.sources[name] == "default"}
