"""Builds a program that reads compose files with the library of `docker compose` itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import go

if TYPE_CHECKING:
    from pathlib import Path

    from .cache import Cache

# Of the library compose-go; go.mod beside main.go pins it.
VERSION = "2.4.9"


def compose_binary(cache: Cache) -> Path:
    """The path of the program: `compose FILE [PROFILE …]` prints the project as JSON.

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return go.binary(cache, "compose", VERSION)
