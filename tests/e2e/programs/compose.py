"""Builds a program that reads compose files with the library of `docker compose` itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .tools import GO, require

if TYPE_CHECKING:
    from .cache import Cache

# Of the library compose-go; go.mod beside main.go pins it.
VERSION = "2.4.9"
SOURCE = Path(__file__).with_name("compose_go")


def compose_binary(cache: Cache) -> Path:
    """The path of the program: `compose FILE [PROFILE …]` prints the project as JSON.

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return cache.obtain(f"compose-{VERSION}", _build) / "compose"


def _build(folder: Path) -> None:
    go = require(GO)
    source = folder / "source"
    shutil.copytree(SOURCE, source)
    build = subprocess.run(
        [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "compose"), "."],
        cwd=source,
        env=os.environ | {"GOFLAGS": "-mod=readonly"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if build.returncode:
        raise RuntimeError(f"Building compose {VERSION} failed:\n{build.stdout[-4000:]}")
