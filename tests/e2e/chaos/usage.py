"""What a program takes of the machine, read from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Peak:
    """The most that was seen at any sample: open descriptors, and resident memory in MB."""

    descriptors: int = 0
    megabytes: int = 0

    def sample(self, pid: int | None) -> None:
        """Look at a process now; one that has ended counts for nothing."""
        try:
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return
        megabytes = pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
        self.descriptors = max(self.descriptors, descriptors)
        self.megabytes = max(self.megabytes, megabytes)
