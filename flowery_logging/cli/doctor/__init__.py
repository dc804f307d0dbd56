"""`flowery-logging doctor`: what is wrong with a set-up, each finding with its fix."""

from flowery_logging.cli.doctor.command import doctor

__all__ = ["doctor"]
