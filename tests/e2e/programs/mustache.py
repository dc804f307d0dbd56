"""Builds the syntax check for Logstash configurations from its published Go module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import go

if TYPE_CHECKING:
    from pathlib import Path

    from .cache import Cache

# go.mod beside tools.go pins it.
VERSION = "0.5.3"
PACKAGE = "github.com/breml/logstash-config/cmd/mustache"


def mustache_binary(cache: Cache) -> Path:
    """The path of the program `mustache`, built on first use.

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return go.binary(cache, "mustache", VERSION, PACKAGE)
