"""`flowery-logging resend`: creates again what has not arrived."""

from flowery_logging.cli.resend.command import resend

__all__ = ["resend"]
