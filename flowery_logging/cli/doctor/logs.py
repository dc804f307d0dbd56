"""What the files themselves complain about: the library's own warnings and records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from flowery_logging.cli.doctor.finding import Finding, fault, note
from flowery_logging.cli.doctor.overview import Overview, Process
from flowery_logging.cli.reading.fields import value_at, values_of
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.ecs import Limits
from flowery_logging.files.reader import Record
from flowery_logging.installation import own_warnings

MAX_LABELS: Final = Limits().label_names
"""Names of labels that a process makes by default; the kit's template has room for as many."""

ALMOST: Final = 0.8

FUTURE_SECONDS: Final = 5.0

_UNDONE: Final = {
    own_warnings.DETACHED: (
        "propagate = False",
        (
            "take it away: the library undoes it at the next event, but handlers of the root "
            "logger (Sentry's) get nothing from a detached logger"
        ),
    ),
    own_warnings.DISABLED: (
        "disabled",
        (
            'whoever configured logging did it: give it "disable_existing_loggers": False; the '
            "library undoes it at the next event"
        ),
    ),
}
"""By the label that names the loggers: what was done to them, and what mends it."""

_SHOWN: Final = 3


def configuration(overview: Overview) -> Iterator[Finding]:
    """Yield who has configured logging after `setup()`, and other changes of the set-up."""
    for process, action, text in _warnings(overview):
        if action == own_warnings.CONFIGURED_LATER:
            yield fault(
                "configuration",
                f"{process.service}: logging is configured after setup(), at {_after(text)}",
                "call setup() after it, or take it away: with Django LOGGING_CONFIG = None, with "
                "alembic disable_existing_loggers=False; until then the library undoes it",
            )
        elif action == own_warnings.SET_UP_AGAIN:
            yield fault(
                "configuration",
                f"{process.service}: {text}",
                "name the service in one place: the first setup(), or FLOWERY_SERVICE_NAME",
            )


def loggers(overview: Overview) -> Iterator[Finding]:
    """Yield the loggers that write nothing."""
    for process, action, text in _warnings(overview):
        if action == own_warnings.DISABLED_BEFORE:
            yield fault(
                "loggers",
                f"{process.service}: disabled loggers write nothing: {_after(text)}",
                "whoever configured logging before setup() disabled them: give it "
                '"disable_existing_loggers": False, or call setup() first',
            )
    for process in overview.current():
        for record in process.warnings:
            yield from _undone(process, record)


def _undone(process: Process, record: Record) -> Iterator[Finding]:
    """Yield the loggers that were silenced after `setup()`."""
    if value_at(record, "event.action") != own_warnings.CONFIGURED_LATER:
        return
    for label, (what, fix) in _UNDONE.items():
        found = ", ".join(map(str, values_of(record, label)))
        if found:
            yield fault("loggers", f"{process.service}: {what} after setup(): {found}", fix)


def other_warnings(overview: Overview) -> Iterator[Finding]:
    """Yield what else the library warns of: the text says what to do."""
    for process, action, text in _warnings(overview):
        if action not in own_warnings.ALL:
            yield note(
                "lines", f"{process.service} warns: {text}", "docs/troubleshooting.md says more"
            )


def unknown_variables(overview: Overview) -> Iterator[Finding]:
    """Yield variables that a process has found and does not know."""
    for process, action, text in _warnings(overview):
        if action == own_warnings.UNKNOWN_VARIABLES:
            yield fault(
                "variables",
                f"{process.service} was started with variables that nothing reads: {_after(text)}",
                "correct the name, or take the variable away",
            )


def names(overview: Overview) -> Iterator[Finding]:
    """Yield the processes that make as many names of labels as there is room for, or nearly."""
    for process, action, _ in _warnings(overview):
        if action == own_warnings.NO_ROOM:
            some = ", ".join(sorted(process.labels)[:_SHOWN])
            shown = f" ({some} …)" if some else ""
            yield fault(
                "names",
                f"{process.service} has used up its names of labels{shown}: further fields "
                "stand together in labels.more_fields, and cannot be searched one by one",
                "put what varies into the value, not into the name: order_id=7 instead of "
                "order_7=True",
            )
    for process in overview.current():
        count = len(process.labels)
        if MAX_LABELS * ALMOST <= count < MAX_LABELS:
            yield note(
                "names",
                f"{process.service} makes {count} names of labels; a process has {MAX_LABELS}, "
                "unless limits= of setup() says otherwise",
                "put what varies into the value, not into the name",
            )


def lines(overview: Overview) -> Iterator[Finding]:
    """Yield foreign lines, and events that were dropped."""
    for path, count in overview.foreign.items():
        if count:
            yield fault(
                "lines",
                f"{count} lines in {path} are no events of the library",
                "another program writes to this file: give it one of its own",
            )
    for service in overview.services.values():
        dropped = [one for one in service.recoveries if any(values_of(one, "dropped_sequences"))]
        if dropped:
            yield fault(
                "lines",
                f"{service.name} dropped events {len(dropped)} times while the disk took none, "
                f"last at {dropped[-1].get('@timestamp')}",
                "make room on the disk, or lower FLOWERY_LOG_KEEP_BYTES; flowery-logging audit "
                "counts what was dropped",
            )


def clock(overview: Overview, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield signs of a clock that is wrong or was set back."""
    for service in overview.services.values():
        ahead = _seconds(service.last) - now()
        if ahead > FUTURE_SECONDS:
            yield fault(
                "clock",
                f"{service.name} has events of the future: the last one is {ahead:.0f} s ahead",
                "synchronise the clocks of this machine and of the one that wrote it: "
                "timedatectl set-ntp true, or chronyd",
            )
    for file in overview.files:
        back = file.name.start.timestamp() - file.modified
        if back > FUTURE_SECONDS:
            yield fault(
                "clock",
                f"{file.path} was written {back:.0f} s before its process started",
                "the clock was set back: let chronyd or systemd-timesyncd slew it; files copied "
                "without their times (cp without -p) look the same",
            )


def ends(overview: Overview) -> Iterator[Finding]:
    """Say that nobody has written for long: the directory may be the wrong one."""
    last = max((service.last for service in overview.services.values()), default="")
    if last and not any(process.running for process in overview.processes.values()):
        yield note(
            "directory",
            f"no process writes here now; the last event is of {last}",
            "if a service runs, it logs elsewhere: its start-up line on stderr says where",
        )


def _warnings(overview: Overview) -> Iterator[tuple[Process, str, str]]:
    """Yield the library's own warnings: what each is about (own_warnings.py), and its text."""
    for process in overview.current():
        for record in process.warnings:
            action = str(value_at(record, "event.action") or "")
            yield process, action, str(record.get("message"))


def _after(text: str) -> str:
    """Return what a warning names: what stands behind its first colon."""
    return text.partition(": ")[2]


def _seconds(timestamp: str) -> float:
    """Return seconds since the epoch; 0 for what is no time."""
    moment = moment_of(timestamp)
    return moment.timestamp() if moment else 0.0
