"""Where the lines go: outputs, and the directory of the files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from flowery_logging.config.setting import Setting
from flowery_logging.files import platform, stderr
from flowery_logging.files.names import name_bytes
from flowery_logging.foreign import ANYIO_WORKER

DEFAULT_DIRECTORY: Final = "/var/log/flowery"
FALLBACK_DIRECTORY: Final = "logs"
OUTPUTS: Final = ("file", "stdout", "console")
NO_OUTPUT: Final = "none"

_ALLOWED: Final = "a directory that exists or can be created, and can be written"


def outputs(setting: Setting) -> tuple[str, ...]:
    """Return the outputs; the file where none is given, and the console beside a terminal.

    The file also where standard output is not for lines.
    """
    if setting.value is None:
        return ("file", "console") if stderr.is_terminal() else ("file",)
    given = setting.value.split(",") if isinstance(setting.value, str) else setting.value
    allowed = f"any of {', '.join(OUTPUTS)}, comma-separated or a sequence; or {NO_OUTPUT}"
    if not isinstance(given, Iterable):
        raise setting.refuse("not a text or a sequence", allowed)
    names = [name.strip() if isinstance(name, str) else None for name in given]
    found = tuple(name for name in dict.fromkeys(names) if name in {*OUTPUTS, NO_OUTPUT})
    is_known = len(found) == len(set(names)) > 0
    if not is_known or (NO_OUTPUT in found and len(found) > 1):
        raise setting.refuse("unknown output", allowed)
    if _is_stdout_taken():
        found = tuple(dict.fromkeys("file" if name == "stdout" else name for name in found))
    return found


def _is_stdout_taken() -> bool:
    """Tell whether this is a worker of AnyIO's: it sends its results by standard output."""
    return sys.orig_argv[-2:] == ANYIO_WORKER


def as_given(setting: Setting) -> Any:
    """Return a directory as it is given: only where files are written it has to be one."""
    return setting.value


def choose_place(
    given: Setting, outputs: tuple[str, ...], service: str
) -> tuple[str | None, tuple[str, ...], str | None]:
    """Return directory, outputs and, where files were wanted but impossible, why.

    Raises ConfigError where somebody has given a directory that is none or cannot be written.
    """
    if "file" not in outputs:
        return None, outputs, None
    problems = []
    for candidate in _candidates(_directory(given)):
        problem = cannot_write(candidate, service)
        if problem is None:
            return str(candidate), outputs, None
        if given.source != "default":
            raise given.refuse(f"cannot be written ({problem})", _ALLOWED)
        problems.append(f"{candidate} cannot be written ({problem})")
    others = tuple(name for name in outputs if name != "file")
    if _is_stdout_taken():
        return None, others or (NO_OUTPUT,), None
    return None, tuple(dict.fromkeys(("stdout", *others))), " and ".join(problems)


def _directory(setting: Setting) -> str | None:
    """Return the absolute path of a directory, which may be missing; None where none is given."""
    if setting.value is None:
        return None
    if setting.value == "":
        raise setting.refuse("cannot be written (it is empty)", _ALLOWED)
    try:
        return str(Path(setting.value).expanduser().absolute())
    except FileNotFoundError:  # the working directory has been removed
        raise setting.refuse("there is no working directory", _ALLOWED) from None
    except (TypeError, ValueError, RuntimeError):
        raise setting.refuse("not a path", _ALLOWED) from None


def _candidates(directory: str | None) -> Iterator[Path]:
    """Yield the directory that is given; else those that are tried one after the other."""
    if directory is not None:
        yield Path(directory)
        return
    if Path(DEFAULT_DIRECTORY).is_dir():
        yield Path(DEFAULT_DIRECTORY)
    yield working_directory() / FALLBACK_DIRECTORY


def working_directory() -> Path:
    """Return the working directory; `/` where it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def shown_level(given: Setting, number: int | None, outputs: tuple[str, ...]) -> int | None:
    """Return from which level on events are shown on stderr too, if it is `number` by the setting.

    None where a person sees them anyway: on a terminal, on the console; by default, also where the
    lines themselves go to standard output. None too where nothing is to be written.
    """
    seen = {"console", NO_OUTPUT, *(("stdout",) if given.source == "default" else ())}
    return None if stderr.is_terminal() or seen.intersection(outputs) else number


def cannot_write(directory: str | Path, service: str = "") -> str | None:
    """Return why no file can be made in a directory (creating it if need be), or None.

    The name that is tried is as long as those of the service's files.
    """
    try:
        platform.make_directory(str(directory))
        name = f".flowery-{os.urandom(8).hex()}".ljust(name_bytes(service), "-")
        probe = Path(directory) / name
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    with suppress(OSError):  # a directory that only grows (`chattr +a`) can be written all the same
        probe.unlink()
    return None
