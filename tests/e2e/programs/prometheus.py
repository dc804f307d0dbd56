"""Builds Prometheus and promtool from their published Go module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import go

if TYPE_CHECKING:
    from pathlib import Path

    from .cache import Cache

# The module's version of Prometheus 3.16.0; go.mod beside tools.go pins it.
VERSION = "0.316.0"
PACKAGE = "github.com/prometheus/prometheus/cmd"

# Without what finds targets in clouds, and the libraries of all these clouds.
TAGS = "remove_all_sd"


def prometheus_binary(cache: Cache) -> Path:
    """The path of the server `prometheus`, built on first use (some minutes), without web pages.

    Raises `MissingToolError`, or `RuntimeError` with the end of the build's output.
    """
    return _binary(cache, "prometheus")


def promtool_binary(cache: Cache) -> Path:
    """The path of `promtool`, which checks and tests rules, built on first use. Raises as above."""
    return _binary(cache, "promtool")


def _binary(cache: Cache, name: str) -> Path:
    package = f"{PACKAGE}/{name}"
    return go.binary(cache, name, VERSION, package, module="prometheus", tags=TAGS)
