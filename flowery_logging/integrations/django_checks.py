"""`manage.py check`: what in a project's settings keeps events or traces away.

flowery.E001  FLOWERY_REQUESTS has an option that cannot be used: no server would start.
flowery.W001  setup() was not called.
flowery.W002  RequestMiddleware is not the first middleware.
flowery.W003  LOGGING disables the loggers that exist already.
flowery.W004  RequestMiddleware is missing: requests have no trace and no access event.
flowery.W005  a level or `disabled`, of LOGGING's or set by hand, keeps the library's events away.
flowery.W006  RequestMiddleware is there more than once: only the first acts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from flowery_logging import runtime
from flowery_logging.config.setting import ConfigError
from flowery_logging.integrations.django_options import DjangoOptions, options
from flowery_logging.library_code import ACCESS_LOGGER, OWN_LOGGER

MIDDLEWARE: Final = "flowery_logging.integrations.django.RequestMiddleware"

_LOUDEST: Final = {
    ACCESS_LOGGER: (logging.INFO, "access events"),
    OWN_LOGGER: (logging.WARNING, "the library's own warnings"),
    "django.request": (logging.ERROR, "unhandled exceptions"),
}
"""What is to be written: logger → the lowest level that it must let pass, and what that is."""


def check_logging(app_configs: object, **_: object) -> list[checks.CheckMessage]:  # noqa: ARG001
    """Tell what in the settings keeps events or traces away (`manage.py check`)."""
    found = [*_of_options(), *_of_logging()]
    if runtime.current_sink().ready:
        return [*found, *_of_middleware(), *_of_levels()]
    hint = "Call flowery_logging.setup() in the settings."
    return [checks.Warning("logging is not set up", hint=hint, id="flowery.W001"), *found]


def _of_options() -> Iterator[checks.CheckMessage]:
    try:
        options()
    except ConfigError as error:
        hint = f"Options are {', '.join(DjangoOptions.names())}."
        yield checks.Error(f"FLOWERY_REQUESTS: {error}", hint=hint, id="flowery.E001")


def _of_middleware() -> Iterator[checks.CheckMessage]:
    places = [place for place, name in enumerate(settings.MIDDLEWARE) if _is_ours(name)]
    if not places:
        hint = f"Put {MIDDLEWARE!r} first into MIDDLEWARE."
        text = "RequestMiddleware is missing: requests have no trace and no access event"
        yield checks.Warning(text, hint=hint, id="flowery.W004")
    elif places[0] != 0:
        hint = "Put it first: what other middleware before it logs has no trace."
        yield checks.Warning(f"{MIDDLEWARE} is not first", hint=hint, id="flowery.W002")
    if len(places) > 1:
        hint = "Leave the first one: the others do nothing."
        yield checks.Warning(f"{MIDDLEWARE} stands there twice", hint=hint, id="flowery.W006")


def _is_ours(name: object) -> bool:
    """Tell whether a middleware is ours, or a class of the project's that is derived from it."""
    if name == MIDDLEWARE:
        return True
    try:
        found, ours = import_string(name), import_string(MIDDLEWARE)
    except Exception:
        return False  # Django reports it when it loads it
    return isinstance(found, type) and issubclass(found, ours)


def _of_logging() -> Iterator[checks.CheckMessage]:
    configured = settings.LOGGING if settings.LOGGING_CONFIG else None
    if not isinstance(configured, dict) or configured.get("incremental"):
        return
    if configured and configured.get("disable_existing_loggers", True):
        hint = "Set it to False: the events of loggers made earlier are lost."
        text = "LOGGING has disable_existing_loggers on"
        yield checks.Warning(text, hint=hint, id="flowery.W003")


def _of_levels() -> Iterator[checks.CheckMessage]:
    for name, (level, what) in _LOUDEST.items():
        if name == ACCESS_LOGGER and not _has_access_log():
            continue
        logger = logging.getLogger(name)
        if logger.disabled or not logger.isEnabledFor(level):
            way = "is disabled" if logger.disabled else f"lets nothing below {_level(logger)} pass"
            hint = f"Let it pass {logging.getLevelName(level)}, in LOGGING or where it is set."
            text = f"logger {name!r} {way}: {what} are not written"
            yield checks.Warning(text, hint=hint, id="flowery.W005")


def _has_access_log() -> bool:
    given = getattr(settings, "FLOWERY_REQUESTS", {})
    return not isinstance(given, dict) or given.get("access_log", True) is not False


def _level(logger: logging.Logger) -> str:
    return logging.getLevelName(max(logger.getEffectiveLevel(), logging.root.manager.disable))
