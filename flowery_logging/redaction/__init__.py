"""What must not be shown: secrets and personal numbers, by name, by form and by place."""

from flowery_logging.redaction.numbers import SMALLEST as SMALLEST_NUMBER, is_resident
from flowery_logging.redaction.redactor import MARKER, Redaction, Redactor, marker

__all__ = ["MARKER", "SMALLEST_NUMBER", "Redaction", "Redactor", "is_resident", "marker"]
