"""Django's database: the queries of a request are counted, and timed, on its event.

    FLOWERY_REQUESTS = {"database_queries": True}     # in settings.py

is enough; a program that has neither our middleware nor our app calls `instrument()`.

A query is one execution of a statement, also a savepoint; one `executemany` is one. Its time ends
when the database has answered; to fetch the rows may come after it. It counts to the request or
task that it is executed for, in whichever thread; outside of a request nothing is counted. Neither
its text nor its parameters are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from django.db import connections
from django.db.backends.signals import connection_created

from flowery_logging.context import current_request
from flowery_logging.system import System

_followed: WeakSet[Any] = WeakSet()


def instrument() -> None:
    """Count the queries of all connections that are opened from now on, and of this thread's.

    Twice is as once.
    """
    connection_created.connect(_follow, dispatch_uid=__name__)
    for connection in connections.all(initialized_only=True):
        _follow(connection)


def uninstrument() -> None:
    """Undo `instrument()`; without effect where nothing was done."""
    connection_created.disconnect(dispatch_uid=__name__)
    for connection in list(_followed):
        if _counted in connection.execute_wrappers:
            connection.execute_wrappers.remove(_counted)
    _followed.clear()


def _follow(connection: Any, **_: object) -> None:
    """Install the wrapper before others: who leaves `execute_wrapper()` takes off the last one."""
    if _counted not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _counted)
    _followed.add(connection)


def _counted(
    execute: Callable[..., Any], sql: object, params: object, many: bool, context: object
) -> Any:
    request = current_request()
    if request is None or request.closed:
        return execute(sql, params, many, context)
    begun = System.perf_counter_ns()
    try:
        return execute(sql, params, many, context)
    finally:
        request.queried(System.perf_counter_ns() - begun)
