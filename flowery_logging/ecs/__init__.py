"""What an event becomes: placed fields, an exception's text, a line without secrets."""

from flowery_logging.ecs.compose import Composer
from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.event import Event, Site, Static, identity
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.line import LineEncoder
from flowery_logging.ecs.plain import encoders
from flowery_logging.redaction import Redactor

__all__ = [
    "Composer",
    "Event",
    "Limits",
    "LineEncoder",
    "Placer",
    "Redactor",
    "Site",
    "Static",
    "encoders",
    "identity",
]
