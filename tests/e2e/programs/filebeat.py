"""Builds Filebeat from its published Go modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .tools import GO, require

if TYPE_CHECKING:
    from .cache import Cache

# The newest release that can be had as a Go module; go.mod beside main.go pins it.
VERSION = "7.17.29"
SOURCE = Path(__file__).with_name("filebeat_go")


def filebeat_binary(cache: Cache) -> Path:
    """The path of the Filebeat program, built on first use (some minutes).

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return cache.obtain(f"filebeat-{VERSION}", _build) / "filebeat"


def _build(folder: Path) -> None:
    go = require(GO)
    source = folder / "source"
    shutil.copytree(SOURCE, source)
    build = subprocess.run(
        [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "filebeat"), "."],
        cwd=source,
        env=os.environ | {"GOFLAGS": "-mod=readonly"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if build.returncode:
        raise RuntimeError(f"Building Filebeat {VERSION} failed:\n{build.stdout[-4000:]}")
