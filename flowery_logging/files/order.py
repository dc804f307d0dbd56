"""The order in which a process has written its files.

The number in a file's name counts within a series: one service, one directory and one start. A
second `setup()` that names another service or directory begins a new series, maybe within the same
second. Events are numbered on through all of them, so their numbers tell which file came first.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from os.path import dirname
from typing import NamedTuple

from flowery_logging.files.reader import Kind, LogFile, read


class Series(NamedTuple):
    """What the files have in common whose numbers go on from one to the next."""

    directory: str
    service: str
    start: datetime
    entity: str


def series_of(file: LogFile) -> Series:
    """Return the series that a file belongs to."""
    name = file.name
    return Series(dirname(file.path), name.service, name.start, name.entity)


def newest_of_series(files: Iterable[LogFile]) -> list[LogFile]:
    """Return the last file of each series: only these can be in use."""
    ordered = sorted(files, key=attrgetter("name"))
    return list({series_of(file): file for file in ordered}.values())


def by_process(files: Iterable[LogFile]) -> list[list[LogFile]]:
    """Return the files of each process, in the order in which it wrote them."""
    ordered = sorted(files, key=lambda file: (file.name.entity, file.name))
    return [_written(list(group)) for _, group in groupby(ordered, lambda file: file.name.entity)]


def continued(files: Collection[LogFile]) -> set[str]:
    """Return the paths of the files that a later one of their process follows."""
    last = {group[-1].path for group in by_process(newest_of_series(files))}
    return {file.path for file in files} - last


def _written(files: list[LogFile]) -> list[LogFile]:
    """Order the files of one process; only if it has several series, one has to look into them."""
    return files if len(set(map(series_of, files))) == 1 else sorted(files, key=_first_number)


def _first_number(file: LogFile) -> int:
    """Return the number of a file's first event; one that has none yet comes last."""
    try:
        numbers = (line.sequence for line in read(file) if line.kind is Kind.EVENT)
        return next(numbers, sys.maxsize)
    except OSError:
        return sys.maxsize  # the reading itself tells it
