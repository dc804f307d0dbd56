"""A small disk that can be filled to its last byte."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

BLOCK = 1 << 20


class Disk:
    """A tmpfs over a folder, as a context manager; `mounted` is False where we may not mount."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder = folder
        self._megabytes = megabytes
        self._ballast = folder / "ballast"
        self.mounted = False

    def __enter__(self) -> Self:
        options = ["-t", "tmpfs", "-o", f"size={self._megabytes}m"]
        command = ["mount", *options, "flowery-chaos", str(self._folder)]
        try:
            done = subprocess.run(command, check=False, capture_output=True)
        except FileNotFoundError:
            return self
        self.mounted = done.returncode == 0
        return self

    def __exit__(self, *error: object) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self._folder)], check=True)

    def fill(self) -> None:
        """Leave no room; what others free meanwhile is theirs."""
        with self._ballast.open("ab", buffering=0) as file:
            size = BLOCK
            while size:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                except OSError:
                    size //= 2

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()
