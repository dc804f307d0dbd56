"""What the rooms hand each other of an event, and the two objects that they find in its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Fields = Mapping[str, Any]

NO_FIELDS: Final[Fields] = {}

Halves = tuple[bytes, bytes]
"""What stands in a line before and after `event.id` and `event.sequence`."""

LABELS: Final = ("labels", "numeric_labels")
"""What is neither an ECS field nor declared: the first holds texts, the second numbers."""

MORE: Final = "more_fields"
"""The label that holds, as JSON, the fields beyond the limits of an event or of a process."""
