"""Builds Filebeat from its published Go modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import go

if TYPE_CHECKING:
    from pathlib import Path

    from .cache import Cache

# The newest release that can be had as a Go module; go.mod beside main.go pins it.
VERSION = "7.17.29"


def filebeat_binary(cache: Cache) -> Path:
    """The path of the Filebeat program, built on first use (some minutes).

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return go.binary(cache, "filebeat", VERSION)
