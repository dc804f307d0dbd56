"""A file that is written whole or not at all, whoever reads it meanwhile."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Put a file of this content and these rights in the place of what is there. Raises OSError."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.absolute().parent, suffix=path.suffix)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(unfinished, mode)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
