"""Rights that a process gives up after `setup()`: its log directory goes with it.

gunicorn's `user`, python-daemon's `uid` and the like: a process that starts as root makes the
directory, and becomes a user who could not write there. So the functions of `os` that change the
user for good are watched while root runs: they hand the directory over before, and say at once what
will fail afterwards. uWSGI changes the user in C and says before to whom.

Who changes the effective user alone comes back: a server of files does so for each operation of a
user, who must not become the owner of the logs. Nor must the user of another program, whom a
`preexec_fn` sets.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from traceback import walk_stack
from typing import Any, Final

from flowery_logging.capture.patch import Patch
from flowery_logging.config import Config
from flowery_logging.config.place import cannot_write
from flowery_logging.files import names, stderr
from flowery_logging.foreign import getframe

_USERS: Final = {"setuid": 1, "setreuid": 2, "setresuid": 3}
"""The functions that can change the user for good, and how many users that takes."""

_RUNNERS: Final = frozenset(
    {
        "asyncio.subprocess",  # uvloop's own way of it runs in C
        "gevent.subprocess",
        "ptyprocess.ptyprocess",
        "subprocess",
        "twisted.internet.process",
    }
)
"""The modules that start a program as another user: by a `preexec_fn`, Twisted by `uid`."""


class Handover:
    """Watches changes of the user, from `install` to `uninstall`."""

    def __init__(self) -> None:
        self._directory = ""
        self._patches = [
            (Patch(os, name), number) for name, number in _USERS.items() if hasattr(os, name)
        ]
        self._said: set[tuple[int, str]] = set()

    def install(self, config: Config) -> None:
        """Begin to watch, if this process has the right to become somebody else."""
        self._directory = config.directory or ""
        if getattr(os, "geteuid", lambda: -1)() != 0:
            return
        for patch, number in self._patches:
            patch.apply_once(partial(self._watched, number))
        user, group = _user_of_uwsgi()
        if user and self._directory:
            give(self._directory, user, group)

    def uninstall(self) -> None:
        """Put back the functions, unless somebody else has replaced them since."""
        self._directory = ""
        for patch, _ in self._patches:
            patch.undo()

    def _watched(self, number: int, theirs: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(theirs)
        def change_user(*users: Any) -> Any:
            watched = bool(self._directory) and _is_for_good(users, number)
            watched = watched and not _is_before_another_program()
            if watched:
                give(self._directory, users[number > 1], os.getegid())  # the effective one
            result = theirs(*users)
            if watched:
                self._look()
            return result

        change_user.__module__ = os.__name__  # where a child to which it is sent finds it
        return change_user

    def _look(self) -> None:
        """Say at once, and once, if the user that the process has become cannot write."""
        problem = cannot_write(self._directory)
        key = os.geteuid(), self._directory
        if problem is None or key in self._said:
            return
        self._said.add(key)
        stderr.say(
            f"flowery_logging: user {key[0]} cannot write {key[1]} ({problem}): this process can "
            "make no file there; give the directory to that user, or set FLOWERY_LOG_DIR to one "
            "that is\n"
        )


def _is_for_good(users: Sequence[object], number: int) -> bool:
    """Tell whether root cannot come back when a function has been called with these users."""
    return len(users) == number and all(isinstance(user, int) and user > 0 for user in users)


def _is_before_another_program() -> bool:
    """Tell whether a `preexec_fn` is running: what becomes somebody else logs nothing more."""
    callers = (frame.f_globals.get("__name__") for frame, _ in walk_stack(getframe()))
    return any(name in _RUNNERS for name in callers)


def give(directory: str, user: int, group: int) -> None:
    """Give a directory that only root can write, and our files in it, to a user. Never raises.

    Not one that this user can write anyway, nor one that holds more than our files. Group 0 stands
    for "as it is".
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        entries = os.listdir(descriptor)
        if status.st_uid == 0 and _is_closed_to(status, user, group) and _are_ours(entries):
            for name in entries:
                os.chown(name, user, group or -1, dir_fd=descriptor, follow_symlinks=False)
            os.fchown(descriptor, user, group or -1)
    except OSError:
        pass  # root without that right, as in some containers: said after the change
    finally:
        os.close(descriptor)


def _is_closed_to(status: os.stat_result, user: int, group: int) -> bool:
    """Tell whether the bits of a directory keep a user from writing in it."""
    write = stat.S_IWOTH
    if status.st_gid in {group, *_groups(user, group)}:
        write = stat.S_IWGRP
    return not status.st_mode & write


def _groups(user: int, group: int) -> list[int]:
    import pwd

    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except (KeyError, OSError):
        return []


def _are_ours(entries: Iterable[str]) -> bool:
    return all(names.parse(name) is not None for name in entries)


def _user_of_uwsgi() -> tuple[int, int]:
    """Return the user and the group that uWSGI is configured to become; 0 where it is not."""
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    if not isinstance(options, dict):
        return 0, 0
    return _number(options.get("uid"), "pwd"), _number(options.get("gid"), "grp")


def _number(value: object, database: str) -> int:
    """Return the number of a user (`pwd`) or group (`grp`) given by number or name; 0: neither."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
    if text.isdecimal():
        return int(text)
    import grp
    import pwd

    try:
        return pwd.getpwnam(text).pw_uid if database == "pwd" else grp.getgrnam(text).gr_gid
    except KeyError:
        return 0
