"""Where events come in: the standard library's records, structlog's events, uncaught errors."""
