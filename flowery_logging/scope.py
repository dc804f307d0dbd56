"""What a line shows of the fields that are bound, and the blocks that a flow is in."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from flowery_logging.event_parts import NO_FIELDS, Fields
from flowery_logging.request import Request

UNBOUND: Final = object()
"""Stands in a flow for a name that it has taken off."""


class Scope:
    """An immutable view from one context, and a cache for its readers.

    `local` is all that the flow saw when this scope was made, `block` what `bound` puts above, and
    `made_of` the request's `latest` that `local` agrees with, or None. `within` is the innermost
    block that the flow is in.
    """

    __slots__ = ("_rendered", "block", "local", "made_of", "overlaid", "request", "within")

    def __init__(
        self,
        local: Fields,
        request: Request | None = None,
        block: Fields = NO_FIELDS,
        made_of: Fields | None = None,
        within: Block | None = None,
    ) -> None:
        self.local = local
        self.request = request
        self.block = block
        self.made_of = made_of
        self.within = within
        # When an agent's span has made another view of this one, and which (see agents.py).
        self.overlaid: tuple[object, object, Scope | None] = (None, None, None)
        self._rendered: tuple[object, object, object, Any] = (None, None, None, None)

    def fields(self) -> Fields:
        """All fields that a line shows here."""
        return _visible({**self.below(), **self.block})

    def below(self) -> Fields:
        """All fields that a line shows here outside of `bound` blocks."""
        request = self.request
        if request is None or request.latest is self.made_of:
            return self.local
        lower, upper, opener = request.layers()
        return {**lower, **upper} if opener else {**lower, **request.renewed(self.local), **upper}

    def with_block(self, block: Fields, within: Block | None) -> Scope:
        """Return the same view with other fields of `bound`, in another block."""
        made_of = None if self.request is None else self.request.latest
        return Scope(self.below(), self.request, block, made_of, within)

    def without(self, names: Collection[str]) -> Scope:
        """Return the same view without these fields of `bound`."""
        kept = {name: value for name, value in self.block.items() if name not in names}
        return self.with_block(kept, self.within)

    def rendered(self, render: Callable[[Fields], Any]) -> Any:
        """Return `render(fields())`, made anew only after a change of the fields or of `render`.

        While nobody has bound anything since this scope was made, two comparisons tell. What was
        rendered and what it was rendered from are swapped as one tuple, so that another thread
        never sees the one without the other.
        """
        request = self.request
        lower: object = None if request is None else request.latest
        upper: object = None
        if lower is not self.made_of and request is not None:
            lower, upper, _ = request.layers()
        known_lower, known_upper, renderer, result = self._rendered
        if known_lower is lower and known_upper is upper and renderer is render:
            return result
        result = render(self.fields())
        self._rendered = (lower, upper, render, result)
        return result


def _visible(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not UNBOUND}


class Block:
    """A part of a flow that has a scope of its own, with the scope that stood before it.

    Blocks may end in another order than they have begun: of generators that take turns in one
    thread, of messages that one thread works at together. Then the innermost one that is open
    stands, and none leads back into one that has ended.

    Args:
        before: what stood when the block began.
        fields: what `bound` puts on its lines; None where it opens a request.
    """

    __slots__ = ("_outer", "before", "ended", "fields")

    def __init__(self, before: Scope | None, fields: Fields | None = None) -> None:
        self.before = before
        self.fields = fields
        self.ended = False
        self._outer: Block | None = None  # the one around it that was open as this one ended

    def end(self, current: Scope | None, *, with_inner: bool = False) -> Scope | None:
        """Return what stands after this block in a flow that shows `current` as the block ends.

        A flow that is not in the block keeps what it has: a generator may be closed in another one.
        What has begun inside ends too if `with_inner`, or if it only binds to a request that ends.
        """
        inner = self._open_since(current)
        before = self._close()
        if inner is None:
            return current
        if self.fields is None:
            inner = [] if with_inner else [block for block in inner if block.fields is None]
        if not inner or current is None:
            return before
        inner[-1].before = before
        return current if self.fields is None else _unbound(current, inner, self.fields)

    def _open_since(self, current: Scope | None) -> list[Block] | None:
        """Return the open blocks inside this one, the last first; None where the flow is not in it.

        A flow may be in a block that another one has ended: that of an asynchronous generator which
        was left open, and which the event loop closes in a task.
        """
        found: list[Block] = []
        block = _within(current)
        while block is not None:
            if block is self:
                return found
            if not block.ended:
                found.append(block)
            block = block.outer()
        return None

    def outer(self) -> Block | None:
        """Return the block around this one, or of an ended one the first that was still open."""
        return self._outer if self.ended else _within(self.before)

    def _close(self) -> Scope | None:
        """Keep nothing but the next open block, else flows that begin in each other never end."""
        outer = self.outer()
        while outer is not None and outer.ended:
            outer = outer.outer()
        before, self.before = self.before, None
        self._outer, self.ended = outer, True
        return before


def _within(scope: Scope | None) -> Block | None:
    return None if scope is None else scope.within


def _unbound(current: Scope, inner: list[Block], fields: Fields) -> Scope:
    """Take what a block has bound off the blocks inside it, but where they bind it themselves."""
    names = set(fields)
    for block, above in zip(reversed(inner), [*reversed(inner[:-1]), None], strict=True):
        names = set() if block.fields is None else names - block.fields.keys()
        if above is None:
            return current.without(names)
        above.before = above.before and above.before.without(names)
    return current
