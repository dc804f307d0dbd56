"""The directory of the files, the disk it lies on, and how long retention keeps what is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from flowery_logging.cli.doctor.finding import Finding, fault, note
from flowery_logging.cli.doctor.overview import Overview, Service
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.config import Config

DAY: Final = 86_400.0
LEAST_SPAN_SECONDS: Final = 600.0
"""A rate is told from files that cover so long a time at least."""

FEW_INODES: Final = 0.02
FEW_BYTES: Final = 0.03

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs"}
)
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_RENAMED: Final = (".gz", ".zst", ".bz2", ".xz", ".1", ".2", ".old", ".bak")


def directory(path: Path) -> Iterator[Finding]:
    """Yield what is wrong with the directory itself."""
    if not path.exists():
        yield fault(
            "directory",
            f"{path} does not exist",
            "start a service that calls flowery_logging.setup(); or give the right DIR, or set "
            "FLOWERY_LOG_DIR: a service says on stderr where its logs go",
        )
        return
    if not path.is_dir():
        yield fault("directory", f"{path} is no directory", "give the folder of the log files")
        return
    yield from _rights(path)
    yield from _file_system(path)
    if is_readable(path):
        yield from _neighbours(path)


def is_readable(path: Path) -> bool:
    """Tell whether this user may list the files of a directory and open them."""
    return os.access(path, os.R_OK | os.X_OK)


def _rights(path: Path) -> Iterator[Finding]:
    if not is_readable(path):
        yield fault(
            "directory",
            f"{path} cannot be read by this user",
            f"run this as the services' user or as Filebeat's, or: sudo chmod g+rx {path}",
        )
        return
    if not os.access(path, os.W_OK):
        yield note(
            "directory",
            f"{path} cannot be written by this user",
            "right if the services run as another one; else: sudo chown USER " + str(path),
        )
    if path.stat().st_mode & 0o002:
        yield fault(
            "directory",
            f"{path} can be written by everybody",
            f"chmod o-w {path}: whoever can write there can forge or remove log files",
        )


def _file_system(path: Path) -> Iterator[Finding]:
    kind = file_system(path)
    if kind in _NETWORK:
        yield fault(
            "directory",
            f"{path} lies on a network file system ({kind})",
            "write to a local disk and let Filebeat ship: a mount that hangs blocks each log call",
        )
    elif kind in _IN_MEMORY:
        yield note(
            "directory",
            f"{path} lies in memory ({kind})",
            "what is not shipped is gone after a restart of the machine: take a disk",
        )


def file_system(path: Path) -> str:
    """Return the type of the file system on which a path lies; "" where it is not told."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            lines = [line.split() for line in mounts]
    except OSError:
        return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for fields in lines:
        point = fields[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[fields.index("-") + 1]
    return kind


def _neighbours(path: Path) -> Iterator[Finding]:
    """Find what others do to the files, which are never renamed here."""
    renamed = [entry.name for entry in os.scandir(path) if entry.name.endswith(_RENAMED)]
    ours = [name for name in renamed if ".ndjson" in name]
    if ours:
        yield fault(
            "directory",
            f"{len(ours)} log files were renamed or packed by somebody, as {min(ours)}",
            "take the directory out of logrotate: files are never renamed here, and Filebeat would "
            "read them again; keep_bytes and keep_days remove what is old",
        )
    for rule in _logrotate_rules(path):
        yield fault(
            "directory",
            f"logrotate works on the directory too: {rule}",
            "take it out of this file: keep_bytes and keep_days remove what is old",
        )


def _logrotate_rules(path: Path) -> Iterator[str]:
    wanted = f"{os.path.realpath(path)}/"
    folder = Path("/etc/logrotate.d")
    for rule in sorted(folder.glob("*")) if folder.is_dir() else ():
        try:
            text = rule.read_text(errors="replace")
        except OSError:
            continue
        if any(line.lstrip().startswith(wanted) for line in text.splitlines()):
            yield str(rule)


def disk(path: Path, overview: Overview, config: Config | None) -> Iterator[Finding]:
    """Yield whether the disk has room for what retention lets the services keep."""
    total, _, free = shutil.disk_usage(path)
    if free < total * FEW_BYTES:
        yield fault(
            "disk",
            f"{_bytes(free)} of {_bytes(total)} are free where {path} lies",
            "make room: when the disk is full 8 MiB of events wait in memory, then they are "
            "dropped and counted",
        )
    elif config is not None:
        wanted = sum(max(config.keep_bytes - one.size, 0) for one in overview.services.values())
        if wanted > free:
            yield fault(
                "disk",
                f"{len(overview.services)} services may write {_bytes(wanted)} more before "
                f"retention removes anything (keep_bytes {_bytes(config.keep_bytes)} each), and "
                f"{_bytes(free)} are free",
                "lower FLOWERY_LOG_KEEP_BYTES, or take a larger disk",
            )
    if not hasattr(os, "statvfs"):
        return
    inodes = os.statvfs(path)
    if inodes.f_files and inodes.f_favail < inodes.f_files * FEW_INODES:
        yield fault(
            "disk",
            f"{inodes.f_favail} of {inodes.f_files} inodes are free where {path} lies",
            "remove small files: df -i shows it; no new log file can be opened without one",
        )


def retention(overview: Overview, config: Config | None) -> Iterator[Finding]:
    """Yield the services whose files do not last a day, as an outage may."""
    for service in overview.services.values():
        short = _removed_young(service)
        rate = _rate(service)
        if short is not None:
            yield fault(
                "retention",
                f"retention removed files of {service.name} that were {short * 24:.1f} hours old",
                f"raise FLOWERY_LOG_KEEP_BYTES{_for_a_day(rate)}: what Filebeat cannot ship in "
                "that time is gone",
            )
        elif config is not None and rate and config.keep_bytes / rate < DAY:
            hours = config.keep_bytes / rate / 3600
            yield fault(
                "retention",
                f"{service.name} writes {_bytes(rate * DAY)} a day; keep_bytes "
                f"{_bytes(config.keep_bytes)} lasts {hours:.1f} hours",
                f"raise FLOWERY_LOG_KEEP_BYTES{_for_a_day(rate)}, so that an outage of a day loses "
                "nothing; or log less: flowery-logging stats --by callsite shows what costs",
            )


def _removed_young(service: Service) -> float | None:
    """Return the age in days of the youngest files that were removed, if that is below a day."""
    ages = [_days(record) for record in service.removals]
    youngest = min((age for age in ages if age is not None), default=None)
    return youngest if youngest is not None and youngest < 1 else None


def _days(record: dict[str, Any]) -> float | None:
    found = record.get("numeric_labels")
    value = found.get("removed_oldest_days") if isinstance(found, dict) else None
    return float(value) if isinstance(value, (int, float)) else None


def _rate(service: Service) -> float:
    """Return bytes a second; 0 where the files cover too short a time."""
    first, last = moment_of(service.first), moment_of(service.last)
    if first is None or last is None:
        return 0.0
    span = (last - first).total_seconds()
    return service.read / span if span >= LEAST_SPAN_SECONDS else 0.0


def _for_a_day(rate: float) -> str:
    return f" to {_bytes(2 * rate * DAY)}" if rate else ""


def _bytes(number: float) -> str:
    """Return a size as setup() takes it."""
    for unit in ("B", "kB", "MB"):
        if number < 1024:
            return f"{number:.0f}{unit}"
        number /= 1024
    return f"{number:.1f}GB" if number < 10 else f"{number:.0f}GB"
