"""What importing a service's module does to logging, as a spawned worker sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from flowery_logging.cli.doctor import logs
from flowery_logging.cli.doctor.finding import Finding, fault, note
from flowery_logging.cli.doctor.overview import Overview, Process

TIMEOUT_SECONDS: Final = 60.0


def look_at(target: str) -> list[Finding]:
    """Import `module` or `module:name` in a process of its own and return what is wrong after it.

    What the import does, it does: connections, files, events.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = [sys.executable, "-m", "flowery_logging.cli.doctor.probe", target, str(result)]
        try:
            done = subprocess.run(  # noqa: S603 - our own probe, without a shell
                command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
                stdin=subprocess.DEVNULL, errors="replace",
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            what = f"importing {target} does not end within {TIMEOUT_SECONDS:.0f} s"
            return [fault("workers", what, "start servers under `if __name__ == '__main__'`")]
        if not result.exists():
            said = done.stderr.strip().splitlines()[-1:] or ["it ended the process"]
            return [
                fault("workers", f"{target} cannot be imported: {said[0]}", "see its traceback")
            ]
        return list(_findings(target, orjson.loads(result.read_bytes())))


def _findings(target: str, found: dict[str, Any]) -> Iterator[Finding]:
    if found["error"]:
        yield fault(
            "workers",
            f"{target} cannot be imported: {found['error']}",
            "a worker that is spawned imports it in the same way: see its traceback",
        )
        return
    if not found["set_up"]:
        yield fault(
            "workers",
            f"importing {target} does not call setup(): a process that is spawned (uvicorn's "
            "workers and reloader, a pool) writes its events nowhere",
            "put `import flowery_logging; flowery_logging.setup()` at the top of the module, not "
            'under `if __name__ == "__main__"`',
        )
    for name in found["disabled"]:
        yield fault("loggers", f"logger {name} is disabled", "see who did: its events are dropped")
    for name in found["detached"]:
        yield note(
            "loggers",
            f"logger {name} is detached (propagate is False)",
            "its events are written all the same, but handlers of the root logger (Sentry's) get "
            "none: take propagate = False away",
        )
    yield from _handlers(found)
    yield from _warnings(target, found["warnings"])


def _warnings(target: str, warnings: list[dict[str, Any]]) -> Iterator[Finding]:
    """Judge what the library warned of as if it stood in a file."""
    process = Process("", target, 0.0, warnings=warnings)
    overview = Overview([], {"": process})
    for look in (logs.configuration, logs.loggers, logs.names, logs.other_warnings):
        yield from look(overview)


def _handlers(found: dict[str, Any]) -> Iterator[Finding]:
    for logger, handler in found["exporting"]:
        yield fault(
            "handlers",
            f"{handler} on logger {logger} exports each event too: it arrives twice",
            "OTEL_LOGS_EXPORTER=none (EDOT, opentelemetry-instrument), or take the handler away",
        )
    for logger, stream, handlers in found["doubled"]:
        yield fault(
            "handlers",
            f"an event of logger {logger} is printed {len(handlers)} times to {stream}: "
            f"{', '.join(handlers)}",
            "keep one: basicConfig() and a server's or a team's own handler both print; "
            "propagate = False on the lower logger, or no handler on it",
        )
