"""`flowery-logging audit`: whether everything has arrived."""

from flowery_logging.cli.audit.command import audit

__all__ = ["audit"]
