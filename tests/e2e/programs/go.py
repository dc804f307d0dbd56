"""Builds programs from published Go modules, whose versions go.mod beside their source pins."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .tools import GO, require

if TYPE_CHECKING:
    from .cache import Cache


_SMALLER = ("-trimpath", "-ldflags=-s -w")


def binary(
    cache: Cache, name: str, version: str, package: str = ".", *, module: str = "", tags: str = ""
) -> Path:
    """The path of the program, built on first use from the folder `<module>_go` beside this file.

    The module has the program's name where no other is given; `tags` are Go's build tags.
    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """

    def build(folder: Path) -> None:
        go = require(GO)
        source = folder / "source"
        shutil.copytree(Path(__file__).with_name(f"{module or name}_go"), source)
        built = subprocess.run(
            [go, "build", "-tags", tags, *_SMALLER, "-o", str(folder / name), package],
            cwd=source,
            env=os.environ | {"GOFLAGS": "-mod=readonly"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if built.returncode:
            raise RuntimeError(f"Building {name} {version} failed:\n{built.stdout[-4000:]}")

    return cache.obtain(f"{name}-{version}", build) / name
