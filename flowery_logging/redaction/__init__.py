"""What must not be shown: secrets and personal numbers, by name, by form and by place.

`find(text)` tells where secrets stand in a text. A `Redactor` with further kinds finds those too:

    emails = Kind("email", find_emails, sign=lambda encoded: b"@" in encoded, is_name=is_email_name)
    Redactor(kinds=[emails]).find("to kim@shop.example")  # [Span(start=3, end=19, kind="email")]
"""

from flowery_logging.redaction.counting import UNCOUNTED, Counting
from flowery_logging.redaction.harmless import SHORTEST_TOKEN, are_uuids, is_of_clock, is_uuid
from flowery_logging.redaction.markers import BY_NAME, MARKER, is_marker, kind_of_marker, marker
from flowery_logging.redaction.numbers import (
    SMALLEST as SMALLEST_NUMBER,
    Span,
    is_resident,
    kind_of_digits,
)
from flowery_logging.redaction.redaction import Kind, Make, Redaction
from flowery_logging.redaction.redactor import Redactor, find

__all__ = [
    "BY_NAME",
    "MARKER",
    "SHORTEST_TOKEN",
    "SMALLEST_NUMBER",
    "UNCOUNTED",
    "Counting",
    "Kind",
    "Make",
    "Redaction",
    "Redactor",
    "Span",
    "are_uuids",
    "find",
    "is_marker",
    "is_of_clock",
    "is_resident",
    "is_uuid",
    "kind_of_digits",
    "kind_of_marker",
    "marker",
]
