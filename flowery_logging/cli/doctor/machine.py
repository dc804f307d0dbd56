"""The processes of this machine that write to the directory, and what they were started with."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping

from flowery_logging.cli.doctor.finding import Finding, fault, note
from flowery_logging.cli.doctor.overview import Overview, Process
from flowery_logging.config import Config, resolve
from flowery_logging.config.setting import ConfigError
from flowery_logging.config.variables import unknown_variables

_SPAWNED = "multiprocessing.spawn"


def settings(environ: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    """Return what `setup()` would take from an environment, and why it would not."""
    found = list(variables(environ, "this environment"))
    try:
        # Any directory that is there: which one it is, is looked at elsewhere.
        return resolve({"directory": tempfile.gettempdir()}, environ), found
    except ConfigError as error:
        found.append(fault("variables", f"setup() would refuse: {error}", "give what is allowed"))
        return None, found


def variables(environ: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Yield the variables that nothing reads; values are not shown, they may be secrets."""
    for name, near in unknown_variables(environ).items():
        fix = f"did you mean {near}?" if near else "docs/settings.md lists those that are read"
        yield fault("variables", f"{name} in {where} is read by nothing", fix)


def of_processes(overview: Overview) -> Iterator[Finding]:
    """Yield unknown variables and doubled exports of the processes that run here."""
    for process in _running(overview):
        where = f"the environment of {process.service} (process {process.pid})"
        environ = _environment(process.pid)
        yield from variables(environ, where)
        yield from exporters(environ, where)


def exporters(environ: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Yield that OpenTelemetry's own handler sends each event a second time."""
    switch = "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED"
    exporter = environ.get("OTEL_LOGS_EXPORTER", "")
    if environ.get(switch, "").strip().lower() == "true" and exporter.strip().lower() != "none":
        yield fault(
            "handlers",
            f"{switch}=true in {where}: OpenTelemetry exports each event too, so it arrives twice",
            "OTEL_LOGS_EXPORTER=none; traces and metrics stay as they are",
        )


def silent_workers(overview: Overview) -> Iterator[Finding]:
    """Yield children that were spawned by a writer and have written nothing.

    They may have had nothing to say: `doctor --import` tells for certain.
    """
    known = {process.pid for process in overview.processes.values()}
    for process in _running(overview):
        for child in _descendants(process.pid):
            if child not in known and _SPAWNED in _command(child) and _is_worker(child):
                yield note(
                    "workers",
                    f"process {child}, spawned by {process.service} ({process.pid}), has written "
                    "nothing here",
                    "if it should, setup() must stand at the top of the module that workers import "
                    '(not under `if __name__ == "__main__"`): doctor --import MODULE looks',
                )


def _is_worker(pid: int) -> bool:
    """Tell a worker from `multiprocessing`'s own helper, which logs nothing."""
    return "resource_tracker" not in _command(pid)


def _running(overview: Overview) -> Iterator[Process]:
    """Yield the writers of this machine whose number is theirs here, not that of a container."""
    for process in overview.processes.values():
        if process.is_here() and process.pid and _holds(process.pid, process.path):
            yield process


def _holds(pid: int, path: str) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        return any(_same(f"{folder}/{name}", path) for name in os.listdir(folder))
    except OSError:
        return False


def _same(link: str, path: str) -> bool:
    try:
        return os.path.samefile(link, path)
    except OSError:
        return False


def _environment(pid: int) -> dict[str, str]:
    pairs = (text.partition("=") for text in _proc(pid, "environ").split("\0"))
    return {name: value for name, sign, value in pairs if sign}


def _command(pid: int) -> str:
    return _proc(pid, "cmdline").replace("\0", " ")


def _descendants(pid: int) -> Iterator[int]:
    for text in _proc(pid, f"task/{pid}/children").split():
        yield int(text)
        yield from _descendants(int(text))


def _proc(pid: int, name: str) -> str:
    """Return what the kernel says of a process; "" where it does not."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
