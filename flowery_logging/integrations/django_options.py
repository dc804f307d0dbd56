"""The options of Django's middleware: those of every middleware, and what Django alone can do."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from flowery_logging.integrations import checks
from flowery_logging.integrations.options import Options


@dataclass(frozen=True)
class DjangoOptions(Options):
    """The keys of the setting `FLOWERY_REQUESTS`. Raises as `Options` does."""

    database_queries: bool = False
    """Count and time the queries of each request, and of each task, on its event."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.switch("database_queries", self.database_queries)

    def apply(self) -> None:
        """Install what is to be done beside the middleware."""
        if self.database_queries:
            from flowery_logging.integrations import django_queries  # only where it is asked for

            django_queries.instrument()


def options() -> DjangoOptions:
    """Return what the project has set. Raises ConfigError."""
    return DjangoOptions.of(getattr(settings, "FLOWERY_REQUESTS", {}))
