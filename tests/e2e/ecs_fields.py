"""Which fields of an index are neither ECS's nor the callers' own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowery_logging.ecs import fields

if TYPE_CHECKING:
    from collections.abc import Iterable

OF_THE_CALLERS = ("labels", "numeric_labels")
# The library's own beside ECS; the template types them.
OF_THE_LIBRARY = {"parent.id", "error.group", "baggage"}


def outside_ecs(names: Iterable[str]) -> set[str]:
    """The dotted names that are not ECS fields and lie not under labels or numeric_labels."""
    known = OF_THE_LIBRARY | set(fields.types())
    return {
        name for name in names if name not in known and name.split(".")[0] not in OF_THE_CALLERS
    }
