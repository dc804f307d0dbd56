"""`flowery-logging trace`: one request over all services, as a tree or as a page to send."""

from flowery_logging.cli.trace.command import trace

__all__ = ["trace"]
