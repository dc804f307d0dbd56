"""`flowery-logging watch`: tells once when something goes wrong, and once when it is over."""

from flowery_logging.cli.watch.command import watch

__all__ = ["watch"]
