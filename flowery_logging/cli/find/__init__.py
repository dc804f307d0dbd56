"""`flowery-logging find`: the requests in which an order number, a user or a text occurs."""

from flowery_logging.cli.find.command import find

__all__ = ["find"]
