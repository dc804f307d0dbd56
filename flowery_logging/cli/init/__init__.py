"""The command `init`: what to add to a service that exists."""

from flowery_logging.cli.init.command import init

__all__ = ["init"]
