"""SQLAlchemy: the queries of a request are counted, and timed, on its event.

    instrument(engine)        # this engine (or AsyncEngine), or
    instrument()              # all engines, also those made later

A query is one execution of a statement: one `executemany`, one batch of an insert of many rows.
Its time ends when the database has answered; to fetch the rows comes after it. It counts to the
request or task that it is executed for, in whichever thread or task; outside of a request nothing
is counted. Neither its text nor its parameters are looked at.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import event
from sqlalchemy.engine import Engine

from flowery_logging import context
from flowery_logging.integrations.calls import described
from flowery_logging.request import Request
from flowery_logging.system import System


def instrument(engine: object = None) -> None:
    """Count the queries of `engine`, an `Engine` or an `AsyncEngine`, or of all engines.

    Doing it twice has no further effect. Raises `TypeError` for another object.
    """
    target = _target(engine)
    for name, listener in _LISTENERS:
        if not event.contains(target, name, listener):
            event.listen(target, name, listener)


def uninstrument(engine: object = None) -> None:
    """Undo `instrument(engine)`; without effect where nothing was done. Raises as it does."""
    target = _target(engine)
    for name, listener in _LISTENERS:
        if event.contains(target, name, listener):
            event.remove(target, name, listener)


def _target(engine: object) -> Any:
    if engine is None:
        return Engine
    target = getattr(engine, "sync_engine", engine)  # an AsyncEngine's own
    if not isinstance(target, Engine):
        raise TypeError(f"expected an Engine or AsyncEngine of SQLAlchemy, not {described(engine)}")
    return target


class _Begun(NamedTuple):
    """A query that the database is asked, and the request that it is for."""

    request: Request
    time: int  # perf_counter_ns


_BEGUN: Final = "_flowery_logging_begun"
"""The attribute in which it stands, of SQLAlchemy's context of the execution."""


def _begin(
    conn: object, _cursor: object, _statement: str, _params: object, execution: object, _: bool
) -> None:
    request = context.current_request()
    if request is not None and not request.closed:
        setattr(_holder(execution, conn), _BEGUN, _Begun(request, System.perf_counter_ns()))


def _end(
    conn: object, _cursor: object, _statement: str, _params: object, execution: object, _: bool
) -> None:
    _count(_holder(execution, conn))


def _fail(failure: Any) -> None:
    """Count a query that has failed; what fails elsewhere has not begun one, or has ended it."""
    _count(_holder(failure.execution_context, failure.connection))


def _holder(execution: object, conn: object) -> Any:
    """Return what lives as long as the query; SQLAlchemy may have no context of an execution."""
    return conn if execution is None else execution


def _count(holder: object) -> None:
    begun = vars(holder).pop(_BEGUN, None) if holder is not None else None
    if begun is not None:
        begun.request.queried(System.perf_counter_ns() - begun.time)


_LISTENERS: Final = (
    ("before_cursor_execute", _begin),
    ("after_cursor_execute", _end),
    ("handle_error", _fail),
)
