"""Packages beside the environment of the tests: other versions, and those that must not be in it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".cache"


def installed_aside(name: str, *arguments: str, inputs: str = "") -> Path:
    """Return a folder with what pip installs, by its arguments; it is kept in the ignored `.cache`.

    `inputs`: the content of files that the arguments name. What is there is whole, whatever
    interrupts. Raises CalledProcessError.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = "\n".join((*arguments, inputs))
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:16]
    folder = CACHE / f"{name}-{version}-{digest}"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=CACHE))
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
        subprocess.run((*pip, *arguments, "--target", str(partial)), cwd=ROOT, check=True)
        with suppress(OSError):  # another process was faster
            partial.rename(folder)
        shutil.rmtree(partial, ignore_errors=True)
    return folder
