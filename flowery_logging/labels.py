"""The two objects of a line for what is neither an ECS field nor declared."""

from __future__ import annotations

from typing import Final

LABELS: Final = ("labels", "numeric_labels")
"""The first holds texts, the second numbers."""
