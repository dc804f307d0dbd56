"""A writer in a directory of its own, on a disk that can be told how to answer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from flowery_logging.counters import Counters
from flowery_logging.files import FileSettings, LogFiles, Writer
from flowery_logging.files.journal import Halves
from tests.files.interruptions import as_ours


def halves(text: str) -> Halves:
    return b'{"message":"%b","event":{' % text.encode(), b"}\n"


def record(kind: str, facts: dict[str, Any]) -> Halves:
    return json.dumps({"kind": kind, "facts": facts})[:-1].encode() + b',"event":{', b"}\n"


def identity(entity: str) -> tuple[bytes, bytes, bytes]:
    return b'"id":"%b-' % entity.encode(), b'","sequence":', b"}"


class Case:
    """A writer in a directory of its own, and what was logged with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.max_bytes = 1_000_000
        self.keep_seconds = 1e9
        self.counters = Counters()
        self.writer = Writer(self.target, identity, record, self.counters)
        self.returned: list[str] = []
        self.is_child = False  # of a fork in the middle of a call
        self.may_repeat = False  # whole lines, under the same numbers

    def target(self, entity: str) -> LogFiles:
        keep = 1 << 40, self.keep_seconds
        return LogFiles(FileSettings(str(self.directory), "s", self.max_bytes, 1e6, *keep), entity)

    @property
    def place(self) -> Any:
        return self.writer._journal.target

    def log(self, text: str) -> None:
        self.writer.write(*halves(text))
        self.returned.append(text)

    def on_a_bad_day(self, *answers: int | None) -> None:
        """Let the next writes be answered so: by an error, or by half of what they are given.

        The last answer is given for ever; None is the disk's own.
        """
        write, left = os.write, list(answers)

        def answered(descriptor: int, line: bytes) -> int:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer == HALF:
                return write(descriptor, line[: len(line) // 2])
            if answer == NOTHING:
                return 0
            if answer is not None:
                raise OSError(answer, "a bad day")
            return write(descriptor, line)

        self.place.write = as_ours(answered)  # type: ignore[arg-type]

    def recover(self) -> None:
        self.place.write = os.write


HALF, NOTHING = -1, -2
