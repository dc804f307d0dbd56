"""The command `scan`: what no log should hold, by field and call site, without the values."""

from flowery_logging.cli.scan.command import scan

__all__ = ["scan"]
