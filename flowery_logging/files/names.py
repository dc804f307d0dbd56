"""Names of log files: `<service>-<UTC start>-<entity>-<nnnn>.ndjson`; how long their lines are."""

from __future__ import annotations

import re
import sys
import unicodedata
from datetime import datetime, timezone
from typing import Final, NamedTuple

SUFFIX: Final = ".ndjson"
MAX_SERVICE_BYTES: Final = 150  # a file name has at most 255 bytes; the rest takes about 60

MAX_LINE_BYTES: Final = 1024 * 1024
"""No line of ours is longer: an event has 32 000 bytes at most."""

_ENTITY_CHARS: Final = 24
_MOST_FILES: Final = 10**9  # of one process

# Opening a file in an ASCII, Latin or EUC locale takes no letters but those of that encoding, and a
# reader that has another locale reads others.
_LETTERS: Final = re.UNICODE if sys.getfilesystemencoding() == "utf-8" else re.ASCII

# So Python reads bytes of a name that are no letters in the locale.
_UNKNOWN_BYTES: Final = "\udc80-\udcff"

_FOREIGN = re.compile(r"[^\w.-]+", _LETTERS)
_NAME = re.compile(
    rf"(?P<service>[\w.{_UNKNOWN_BYTES}-]+)-(?P<start>\d{{8}}T\d{{6}}Z)-(?P<entity>[0-9a-f]{{24}})"
    r"-(?P<number>\d{4,})"
    r"\.ndjson",
)


def service_part(service: str) -> str:
    """Return a service's name as it stands in file names: letters, digits, `_`, `.`, `-`.

    Other characters become `_`, a leading dot too (hidden files are skipped by shippers); letters
    of any script stay, where the locale is one of UTF-8. At most 150 bytes.
    """
    name = _FOREIGN.sub("_", unicodedata.normalize("NFC", service))
    name = "_" + name[1:] if name.startswith((".", "-")) else name
    return name.encode()[:MAX_SERVICE_BYTES].decode(errors="ignore")


class LogName(NamedTuple):
    """The parts of one log file's name."""

    service: str  # as `service_part` makes it
    start: datetime  # of the process, UTC, whole seconds
    entity: str  # process.entity_id
    number: int  # 1, 2, 3 … within the process

    def __str__(self) -> str:
        # Not strftime(), which imports a module: at the interpreter's end that fails.
        start = self.start.isoformat()[:19].replace("-", "").replace(":", "")
        return f"{self.service}-{start}Z-{self.entity}-{self.number:04d}{SUFFIX}"


def name_bytes(service: str) -> int:
    """Return how long the name of a file of a service can become, in bytes."""
    start = datetime(2000, 1, 1, tzinfo=timezone.utc)
    longest = LogName(service_part(service), start, "0" * _ENTITY_CHARS, _MOST_FILES)
    return len(str(longest).encode())


def is_of(service: str, name: str) -> bool:
    """Tell whether a file name looks like one of a service; `parse` knows.

    `service` is as `service_part` makes it.
    """
    match = _NAME.fullmatch(name) if name.startswith(service) else None
    return match is not None and match["service"] == service


def parse(name: str) -> LogName | None:
    """Return the parts of a file name, or None where it is not a name of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    # Not strptime: it holds a lock, which a fork at the wrong moment leaves held in the child.
    digits = match["start"].replace("T", "")
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        start = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    return LogName(match["service"], start, match["entity"], int(match["number"]))
