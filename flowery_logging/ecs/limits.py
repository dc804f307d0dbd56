"""What one event and one process may hold; each cut leaves valid JSON and is counted."""

from __future__ import annotations

from typing import Final, NamedTuple

from flowery_logging.ecs.names import NAME_CHARS


class Limits(NamedTuple):
    """The limits of events, each configurable by `setup(limits=…)`."""

    line_bytes: int = 32_000  # other shippers stop at 32 KiB
    label_chars: int = 8_192
    name_chars: int = NAME_CHARS
    trace_chars: int = 8_191  # the templates index no longer `error.stack_trace`
    fields: int = 128
    items: int = 128
    depth: int = 8
    label_names: int = 256  # of a process; an index has 1 000 fields for all of them


LEAST: Final = Limits(
    line_bytes=4_096,
    label_chars=64,
    name_chars=16,
    trace_chars=256,
    fields=1,
    items=1,
    depth=1,
    label_names=16,
)
"""Below these an event would not say what it is about."""

MOST: Final = Limits(
    line_bytes=1_000_000, label_chars=8_192, name_chars=512, trace_chars=8_191, fields=1_000,
    items=10_000, depth=15, label_names=10_000,
)  # fmt: skip
"""Above these Elasticsearch refuses a document, or does not index its field."""
