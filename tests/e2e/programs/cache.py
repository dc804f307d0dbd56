"""The folder in which the programs wait for the next run."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).resolve().parents[3]


class Cache:
    """Finished programs by name; an unfinished one never carries its final name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def from_environment(cls) -> Cache:
        """The folder `FLOWERY_E2E_CACHE`, else `.cache/e2e` in the repository."""
        named = os.environ.get("FLOWERY_E2E_CACHE")
        return cls(Path(named).absolute() if named else REPOSITORY / ".cache" / "e2e")

    def obtain(self, name: str, build: Callable[[Path], None]) -> Path:
        """The folder `name`, filled by `build` first where it is not there yet.

        `build` gets an empty folder beside it. If it raises, that folder goes and the error
        passes on; what a killed run left goes with the next build. Two runs at once wait for
        each other.
        """
        finished = self.folder / name
        with self._lock():
            if not finished.exists():
                self._build(finished, build)
        return finished

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _build(self, finished: Path, build: Callable[[Path], None]) -> None:
        for abandoned in self.folder.glob("unfinished-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        beside = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.folder))
        try:
            build(beside)
            # mkdtemp is for the owner alone; another account will run what lies here.
            beside.chmod(0o755)
            beside.rename(finished)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
