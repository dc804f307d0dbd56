"""`flowery-logging stats`: how many events there are, of what kind, how slow and how large."""

from flowery_logging.cli.stats.command import stats

__all__ = ["stats"]
