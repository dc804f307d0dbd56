"""Lines that others may write into the folder: whatever JSON, whatever bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

# Names on which the beats input throws, names that Filebeat, Logstash or Elasticsearch use, and
# names that are none of a field's.
NAMES = (
    *("message", "tags", "beat", "event", "log", "host", "agent", "input", "ecs", "type", "error"),
    *("data_stream", "process", "labels", "numeric_labels", "service", "trace", "cloud", "url"),
    *("@timestamp", "@metadata", "@version", "log.level", "log.offset", "event.id", "a.b", "_id"),
    *(
        "a[b]",
        "[]",
        "[",
        "]",
        "[tags]",
        "[@timestamp]",
        "[message]",
        "",
        " ",
        ".",
        "a.",
        ".a",
        "%{x}",
    ),
)
VALUES: tuple[Any, ...] = (
    *("text", "", 7, -1.5, 10**30, True, False, None, [], {}, ["a", 7], ["a"], [None], [[]]),
    *({"env": "prod"}, {"id": "x", "sequence": 1}, {"offset": 1, "file": {"path": "/p"}}),
    *({"name": {"deep": 1}}, {"_id": "mine", "raw_index": "theirs", "pipeline": "none"}),
)
BYTES = (
    b"plain text",
    b"bad \xff\xfe bytes",
    b'{"message":"bad \xff"}',
    b"\xef\xbb\xbfafter a byte order mark",
    b"a line of another system\r",
    b"nul \x00 inside",
    b"[1, 2] and more",
    b'{"a":1}{"b":2}',
    b'{"no": NaN}',
    b'{"torn": "',
    b"{" * 300,
    b'{"deep":' + b"[" * 499 + b"]" * 499 + b"}",
    b'{"deep":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    b'{"message":"x","deep":' + b'{"a":' * 700 + b"1" + b"}" * 701,
    b"x" * 1_000_000,
    b'{"message":"' + b"y" * 1_000_000 + b'"}',
)


def foreign_lines(count: int, seed: int) -> list[bytes]:
    """Return so many lines, without their ends: each name with each value once, then at random."""
    chosen = random.Random(seed)
    lines = list(_systematic())
    while len(lines) < count - len(BYTES):
        names = chosen.sample(NAMES, chosen.randint(1, 5))
        lines.append(_line({name: chosen.choice(VALUES) for name in names}))
    lines = lines[: count - len(BYTES)] + list(BYTES)
    chosen.shuffle(lines)
    return lines


def as_kept(line: bytes) -> str:
    """Return the text that stays of a line: Filebeat takes off a byte order mark and a CR."""
    text = line.decode(errors="replace")
    return text.removeprefix("\ufeff").removesuffix("\r")


def _systematic() -> Iterator[bytes]:
    for name in NAMES:
        for value in VALUES:
            yield _line({name: value})
            yield _line({"message": "m"} | {name: value})


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
