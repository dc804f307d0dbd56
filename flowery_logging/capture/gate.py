"""What decides, before an event is encoded, whether and where it is written. Off by default."""

from __future__ import annotations

from typing import Any, Final, Protocol

from flowery_logging import library_code
from flowery_logging.ecs import Event, Site

PASSES: Final = object()
"""The event goes on its way."""


class Gate(Protocol):
    """Decides about each event of one set-up. It numbers nothing, so nothing is missing."""

    def target(self, event: Event) -> Any:
        """Return PASSES; None to leave it out; or what takes its halves in the writer's place."""
        ...

    def tell(self) -> None:
        """Write how much was left out that was not said yet."""
        ...


def is_own(site: Site) -> bool:
    """Tell whether a call site is one of the library's own."""
    return library_code.is_own(str(site.log.get("logger", "")))
