"""Blocks around functions: each call of one runs in a block, that of an `async` one while it runs.

`contextlib.contextmanager` alone would end the block of an `async` function as its coroutine is
made, before it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial, wraps
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
T = TypeVar("T")


def is_async(function: Any) -> bool:
    """Tell whether calls of a function, or of an object that is called, return coroutines."""
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def around(
    function: Callable[Q, R], begin: Callable[[], AbstractContextManager[object]]
) -> Callable[Q, R]:
    """Return `function` so that each call of it runs in a block of its own."""
    run: Any = _async_run if is_async(function) else _run
    return wraps(function)(run(function, begin))


def _run(function: Any, begin: Callable[[], AbstractContextManager[object]]) -> Any:
    def run(*args: object, **named: object) -> Any:
        with begin():
            return function(*args, **named)

    return run


def _async_run(function: Any, begin: Callable[[], AbstractContextManager[object]]) -> Any:
    async def run(*args: object, **named: object) -> Any:
        with begin():
            return await function(*args, **named)

    return run


class DecoratingBlock(Generic[T]):
    """A block for one `with`, or as a decorator for each call of a function."""

    __slots__ = ("_begin", "_block")

    def __init__(self, begin: Callable[[], AbstractContextManager[T]]) -> None:
        self._begin = begin
        self._block = begin()

    def __enter__(self) -> T:
        return self._block.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return self._block.__exit__(kind, error, trace)

    def __call__(self, function: Callable[Q, R]) -> Callable[Q, R]:
        """Return `function` so that each call of it runs in such a block."""
        return around(function, self._begin)


def decorating(
    begin: Callable[P, AbstractContextManager[T]],
) -> Callable[P, DecoratingBlock[T]]:
    """Let what makes context managers make such that decorate `async` functions too."""

    @wraps(begin)
    def make(*args: P.args, **named: P.kwargs) -> DecoratingBlock[T]:
        return DecoratingBlock(partial(begin, *args, **named))

    return make
