"""The blocks of runbooks.md, and a shell that runs them as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .processes.filebeat import CONFIGURATION

KIT: Final = CONFIGURATION.parent
_TEXT: Final = (KIT / "runbooks.md").read_text()


def _blocks(text: str, mark: str) -> list[str]:
    return re.findall(rf"^```{mark}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sections(mark: str) -> dict[str, list[str]]:
    """Return by title the blocks of this mark, of the sections that have any."""
    found = {
        section.partition("\n")[0]: _blocks(section, mark) for section in _TEXT.split("\n## ")[1:]
    }
    return {title: blocks for title, blocks in found.items() if blocks}


(_PRELUDE,) = _blocks(_TEXT, "sh prelude")


def run(block: str, folder: Path, variables: Mapping[str, str]) -> str:
    """Run a block in a shell of its own, after the prelude, and return what it prints."""
    commands = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["sh", "-eu", "-c", _PRELUDE + block],
        cwd=folder,
        env={**os.environ, "KIT": str(KIT), "PATH": commands, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, f"{block}\n{ran.stdout}{ran.stderr}"
    return str(ran.stdout)
