"""What ends a logging call: an object that is asked for its text, or a signal handler meanwhile.

The one raises `SystemExit` and the like, the other what it wants (Ctrl-C, a time limit). The event
is written first, with the names of such objects, and then what was raised goes on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from flowery_logging.ecs import Event
from flowery_logging.ecs.event import Unfinished
from flowery_logging.ecs.exception import qualified_name
from flowery_logging.ecs.plain import AS_IS, describe

_READ_AT_MOST: Final = 100


class Interrupted(Unfinished):
    """The text of a message that was interrupted as it was made; `error` is to be raised."""

    def __init__(self, template: object, args: object, error: BaseException) -> None:
        self.error = error
        # Where events go round in a circle, an object that is asked again logs again.
        shown = _bare_value if isinstance(error, RecursionError) else _readable
        self._text = _formatted(template, args if isinstance(args, tuple) else (args,), shown)

    def __str__(self) -> str:
        return self._text


def bring_about(message: object) -> None:
    """Raise what has interrupted a message, if anything did, now that it is logged."""
    if type(message) is Interrupted:
        raise message.error


def _formatted(template: object, args: tuple[Any, ...], shown: Callable[[object], Any]) -> str:
    readable = tuple(map(shown, args[:_READ_AT_MOST]))
    pattern = str(shown(template))
    try:
        return pattern % readable
    except Exception:  # a place for a number, or a name of a mapping
        return f"{pattern} {readable}"


def _readable(value: object) -> Any:
    if type(value) in AS_IS:
        return value
    try:
        return str.__str__(str(value))
    except BaseException:  # the very one that is to be raised
        return describe(value)


def bare(event: Event) -> Event:
    """Return an event in which each object that is no plain value stands as its class."""
    fields = {**_bare_fields(event.fields)}
    stack = event.stack if type(event.stack) is str else None
    if event.error is not None:
        fields.setdefault("error.type", qualified_name(type(event.error)))
        frames = traceback.format_tb(event.trace or event.error.__traceback__)
        stack = "".join(["Traceback (most recent call last):\n", *frames])
    message = (
        event.message if type(event.message) in {str, Interrupted} else describe(event.message)
    )
    bound = _bare_fields(event.bound)
    return replace(
        event, message=message, fields=fields, bound=bound, error=None, trace=None, stack=stack
    )


def _bare_fields(fields: Mapping[Any, Any]) -> dict[str, Any]:
    try:
        return {str(_readable(name)): _bare_value(value) for name, value in fields.items()}
    except BaseException:  # a mapping that raises as it is gone through
        return {"fields": describe(fields)}


def _bare_value(value: object) -> Any:
    return value if type(value) in AS_IS else describe(value)
