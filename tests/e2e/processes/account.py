"""The account under which a program runs: Elasticsearch refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from pathlib import Path


class PopenOptions(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user to switch to, or none where the programs run as the tests do."""

    user: int | None = None
    group: int | None = None

    @classmethod
    def current(cls) -> Account:
        """The account of the tests themselves."""
        return cls()

    @classmethod
    def unprivileged(cls) -> Account:
        """`nobody` where the tests run as root, else the account of the tests."""
        if os.geteuid() != 0:
            return cls.current()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def popen_options(self) -> PopenOptions:
        """What `subprocess.Popen` needs to run a program under this account."""
        if self.user is None or self.group is None:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def can_read(self, path: Path) -> bool:
        """Whether this account gets through all folders to `path` and may read it."""
        probe = subprocess.run(
            ["test", "-r", str(path)], check=False, cwd="/", **self.popen_options()
        )
        return probe.returncode == 0

    def give(self, folder: Path) -> None:
        """Make `folder` and all in it this account's."""
        if self.user is None or self.group is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.user, self.group)
