"""The command `exporter`: metrics of services that show none, read from their files."""

from flowery_logging.cli.exporter.command import exporter

__all__ = ["exporter"]
