"""The fields that are bound here: what a line shows of them, and `bind`, `unbind`, `bound`.

A line's view is a `Scope` (see scope.py), made from what its flow has bound and what it shares with
the other flows of its request (see request.py).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from flowery_logging import presence
from flowery_logging.around import around, decorating, is_async
from flowery_logging.event_parts import NO_FIELDS, Fields
from flowery_logging.request import Request
from flowery_logging.scope import UNBOUND, Block, Scope
from flowery_logging.signalled import let_through, sheltered

P = ParamSpec("P")
T = TypeVar("T")

_scope: ContextVar[Scope | None] = ContextVar("flowery_logging_scope", default=None)

here: Final = _scope.get
"""Return the `Scope` of this context, as `inside` takes it."""

current: Callable[[], Scope | None] = _scope.get
"""Return the `Scope` that a line shows here, or None where nothing is bound: one read."""

overlay: Callable[[], Scope | None] | None = None


def lay_over(seen: Callable[[], Scope | None]) -> None:
    """Let `current` be `seen`, which makes something of the scope that is here (see agents.py)."""
    global current, overlay
    overlay = current = seen


def fields() -> Fields:
    """Return what is bound here: what a line shows, as a mapping."""
    scope = current()
    return NO_FIELDS if scope is None else scope.fields()


def current_request() -> Request | None:
    """Return the request that this code runs for, or None outside a request."""
    scope = _scope.get()
    return None if scope is None else scope.request


def bind(**fields: object) -> None:
    """Put fields on all later lines of this flow and, inside a request, on its access event.

    Names may be ECS names through a mapping (`bind(**{"user.id": "7"})`). What the flow that
    opened the request binds stands on the lines of everything it started; what others bind (a
    task of `asyncio.gather`, a thread) never on those of their siblings. Outside a request the
    fields are local to this task or thread.
    """
    if presence.missing:
        presence.miss_in_function("bind() is called")
    scope = _scope.get()
    if scope is None:
        _scope.set(Scope(fields))
        return
    request = scope.request
    seen = None if request is None else request.latest
    local = {**scope.below(), **fields}
    changed = None if request is None else request.put(fields)
    block, made_of = _without(scope.block, fields), _agreed(seen, changed)
    _scope.set(Scope(local, request, block, made_of, scope.within))


def unbind(*names: str) -> None:
    """Take fields off again, in this flow and on the access event; unknown names are ignored."""
    scope = _scope.get()
    if scope is None:
        return
    request = scope.request
    base, seen = (NO_FIELDS, None) if request is None else (request.base, request.latest)
    local = {**scope.below(), **{name: base.get(name, UNBOUND) for name in names}}
    changed = None if request is None else request.drop(names)
    block, made_of = _without(scope.block, names), _agreed(seen, changed)
    _scope.set(Scope(local, request, block, made_of, scope.within))


def _without(fields: Fields, names: Container[str]) -> Fields:
    return {name: value for name, value in fields.items() if name not in names}


def _agreed(seen: Fields | None, changed: tuple[Fields, Fields] | None) -> Fields | None:
    """Return what a new scope is made of, unless another flow has bound something meanwhile."""
    return changed[1] if changed is not None and changed[0] is seen else None


@decorating
@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put fields on the lines of this block only; what was bound before stands again after it.

    The fields are local: siblings and the request never see them. As a decorator, of a function
    or an `async` one, it puts them on the lines of each call.
    """
    before = _scope.get()
    block = Block(before, fields)
    if before is None:
        _scope.set(Scope(NO_FIELDS, None, fields, within=block))
    else:
        _scope.set(before.with_block({**before.block, **fields}, block))
    try:
        yield
    except BaseException as error:
        _note_failure(error, _scope.get())
        raise
    finally:
        # Not ContextVar.reset: its token is refused across sync/async hops (Django).
        _scope.set(block.end(_scope.get()))


class request_scope:  # noqa: N801 - a context manager is called like a function
    """Run a block as `request`: nothing bound outside shows inside; it closes at its end.

    Blocks that have begun inside end with it, unless `inner_stay`.
    """

    __slots__ = ("_block", "_inner_stay", "_request")

    def __init__(self, request: Request, *, inner_stay: bool = False) -> None:
        self._request = request
        self._inner_stay = inner_stay

    def __enter__(self) -> Request:
        self._block = Block(_scope.get())
        _scope.set(opened(self._request, self._block))
        return self._request

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            _note_failure(error, _scope.get())
        try:
            self._request.close()
        finally:
            _scope.set(self._block.end(_scope.get(), with_inner=not self._inner_stay))


_FAILED_IN: Final = "_flowery_logging_failed_in"  # the attribute of an exception


class _FailedIn:
    """The scope that an exception has left; nothing of it goes along where that is pickled."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return bool, ()


def _note_failure(error: BaseException, scope: Scope | None) -> None:
    """Let an exception keep what was bound where it left its request, for who finds it later.

    Of blocks in each other the innermost is where it comes from. One that is raised again in
    another request, as a constant may be, belongs to that.
    """
    if scope is None or _is_inside(scope_of_failure(error), scope):
        return
    with sheltered:  # an exception that takes no attributes
        setattr(error, _FAILED_IN, _FailedIn(_as_seen(scope)))


def _is_inside(inner: Scope | None, outer: Scope) -> bool:
    if inner is None or inner.request is not outer.request:
        return False
    return all(inner.block.get(name, UNBOUND) is value for name, value in outer.block.items())


def scope_of_failure(error: BaseException | None) -> Scope | None:
    """Return the scope of the request that an exception has ended, or None.

    Where the exception was raised from another one, or holds others (a nursery's group), it is
    theirs, unless several of a group have ended different requests. Never raises.
    """
    try:
        return _scope_of_failure(error)
    except Exception as failure:
        let_through(failure)
        return None  # an exception whose attributes raise


def _scope_of_failure(error: BaseException | None) -> Scope | None:
    found: list[Scope] = []
    waiting = [error]
    for _ in range(_MOST_ERRORS):
        one = waiting.pop() if waiting else None
        if one is None:
            break
        noted = getattr(one, _FAILED_IN, None)
        if isinstance(noted, _FailedIn):
            found.append(noted.scope)
        else:
            waiting += _inner(one)
    return found[0] if found and all(f.request is found[0].request for f in found) else None


_MOST_ERRORS: Final = 100


def _inner(error: BaseException) -> list[BaseException | None]:
    """Return what an exception is made of, or was raised from, as a traceback shows it."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    group: Any = getattr(error, "exceptions", ())
    members = [one for one in group if isinstance(one, BaseException)] if _is_group(group) else []
    return [*members, *([before] if before is not None else [])]


def _is_group(members: object) -> bool:
    return isinstance(members, (tuple, list))


def opened(request: Request, block: Block | None = None) -> Scope:
    """Open `request` in the current flow; return the scope to run it in, with `inside`."""
    request.open()
    return Scope(request.base, request, made_of=request.latest, within=block)


class inside:  # noqa: N801 - a context manager is called like a function
    """Run a block in a scope that was current elsewhere, or earlier."""

    __slots__ = ("_before", "_scope")

    def __init__(self, scope: Scope | None) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._before = _scope.get()
        _scope.set(self._scope)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            _note_failure(error, _scope.get())
        _scope.set(self._before)


def stand_in(scope: Scope | None) -> None:
    """Let `scope` be the one of this flow from now on."""
    _scope.set(scope)


def whole(request: Request) -> Scope:
    """Return a scope that shows the last value of every name that `request` has.

    It is for the one event that tells of the request.
    """
    return _Whole(request.latest, request, made_of=request.latest)


def as_left(scope: Scope | None) -> Scope | None:
    """Return a scope that shows, in any flow, what the flow of `scope` has seen.

    For what is told of a flow that has ended, by whichever other one: beside its own fields only
    those of the flow that has opened the request.
    """
    if scope is None or scope.request is None:
        return scope
    request = scope.request
    seen = {**request.shared(), **request.renewed(scope.local)}
    return _Left(seen, request, scope.block, made_of=request.latest)


def _as_seen(scope: Scope) -> Scope:
    """Return what the current flow sees of its own scope, for who looks from another one later."""
    request = scope.request
    if request is None:
        return scope
    return _Left(scope.below(), request, scope.block, made_of=request.latest)


class _Left(Scope):
    """A scope whose flow has ended: nothing changes any more."""

    __slots__ = ()

    def below(self) -> Fields:
        return self.local


class _Whole(Scope):
    """A scope that shows all that its request has, whatever its flow has bound."""

    __slots__ = ()

    def fields(self) -> Fields:
        """Return the last values, also those bound meanwhile."""
        return self.local if self.request is None else self.request.latest


def carried(function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` so that it runs, in any thread, with what is bound here and now.

    `pool.submit(carried(work), 7)`, `pool.map(carried(work), items)`,
    `Thread(target=carried(run))`: threads and executors begin with an empty context (but for
    Python's own inheritance, from 3.14 on). What the function binds stays its own, and is seen by
    the request. Other `ContextVar`s are not carried. An `async` function stays one, and runs with
    it wherever it is awaited.
    """
    return around(function, partial(_along if is_async(function) else inside, _scope.get()))


@contextmanager
def _along(scope: Scope | None) -> Iterator[None]:
    """Run a block of a coroutine in a scope of elsewhere; it may be closed in another flow."""
    block = Block(_scope.get())
    _scope.set(_copied(scope, block))
    try:
        yield
    except BaseException as error:
        _note_failure(error, _scope.get())
        raise
    finally:
        _scope.set(block.end(_scope.get(), with_inner=True))


def _copied(scope: Scope | None, within: Block) -> Scope:
    if scope is None:
        return Scope(NO_FIELDS, within=within)
    return Scope(scope.local, scope.request, scope.block, scope.made_of, within)
