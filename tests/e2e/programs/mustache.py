"""Builds the syntax check for Logstash configurations from its published Go module."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .tools import GO, require

if TYPE_CHECKING:
    from .cache import Cache

# go.mod beside tools.go pins it.
VERSION = "0.5.3"
PACKAGE = "github.com/breml/logstash-config/cmd/mustache"
SOURCE = Path(__file__).with_name("mustache_go")


def mustache_binary(cache: Cache) -> Path:
    """The path of the program `mustache`, built on first use.

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return cache.obtain(f"mustache-{VERSION}", _build) / "mustache"


def _build(folder: Path) -> None:
    go = require(GO)
    source = folder / "source"
    shutil.copytree(SOURCE, source)
    build = subprocess.run(
        [go, "build", "-trimpath", "-o", str(folder / "mustache"), PACKAGE],
        cwd=source,
        env=os.environ | {"GOFLAGS": "-mod=readonly"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if build.returncode:
        raise RuntimeError(f"Building mustache {VERSION} failed:\n{build.stdout[-4000:]}")
