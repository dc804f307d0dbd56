"""A document made smaller until its line fits: strings are cut, then labels are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from flowery_logging.event_parts import MORE
from flowery_logging.redaction.left_out import shorten

Tree = dict[str, Any]

_STEPS: Final = (8192, 4096, 2048, 1024, 512, 256, 128, 64)
_MESSAGE_CHARS: Final = 2048
"""What a message keeps, as long as other fields can still be cut."""
_FEW_ITEMS: Final = 16

_ESSENTIAL: Final = frozenset({
    "@timestamp", "log.level", "ecs.version", "process",
    "message", "service", "host", "data_stream", "log", "event", "trace", "transaction", "span",
    "error",
})  # fmt: skip


def shrink(tree: Tree, fits: Callable[[Tree], bool]) -> Tree:
    """Return a copy of the tree that fits, cutting the longest strings first.

    Each string keeps its head and tail. If that is not enough, labels are left out from the last
    one on, and the label `more_fields` says how many.
    """
    smaller = tree
    for limit in _STEPS:
        smaller = {name: _cut(value, limit) for name, value in tree.items()}
        smaller["message"] = shorten(tree["message"], max(limit, _MESSAGE_CHARS))
        if fits(smaller):
            return smaller
    return _without_labels(smaller, _surplus(tree["labels"].get(MORE)), fits)


def _surplus(more: object) -> int:
    """Return how many fields stand in the label of those that were too many.

    A text that was cut itself counts as one.
    """
    if more is None:
        return 0
    try:
        return len(orjson.loads(str(more)))
    except orjson.JSONDecodeError:
        return 1


def _cut(value: object, limit: int) -> Any:
    if type(value) is str:
        return shorten(value, limit)
    if isinstance(value, dict):
        return {key: _cut(item, limit) for key, item in value.items()}
    if isinstance(value, list):
        items = value[:_FEW_ITEMS] if limit <= 256 else value
        return [_cut(item, limit) for item in items]
    return value


def _without_labels(tree: Tree, surplus: int, fits: Callable[[Tree], bool]) -> Tree:
    """Leave out labels; `surplus` fields stood together in one of them already."""
    labels = [item for item in tree["labels"].items() if item[0] != MORE]
    numbers = list(tree["numeric_labels"].items())
    kept = total = len(labels) + len(numbers)
    while kept:
        kept //= 2
        texts = dict(labels[:kept])
        left_out = total - kept + surplus
        texts[MORE] = f"{left_out} fields left out: the line would be too long"
        fewer = dict(numbers[: max(0, kept - len(labels))])
        smaller = {**tree, "labels": texts, "numeric_labels": fewer}
        if fits(smaller):
            return smaller
    return _with_less_of_the_message({k: v for k, v in tree.items() if k in _ESSENTIAL}, fits)


def _with_less_of_the_message(tree: Tree, fits: Callable[[Tree], bool]) -> Tree:
    """Cut the message: the last resort, for a line limit below what a long one takes."""
    for limit in _STEPS[3:]:
        if fits(tree):
            break
        tree = {**tree, "message": shorten(tree["message"], limit)}
    return tree
