"""The settings: each argument of `setup()`, its variables, its check and its default.

What a user reads of them (docs/settings.md, the table of the README) is made from this table and
the words of scripts/settings.yml.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Final

from flowery_logging.config import checks
from flowery_logging.config.identity import DATASET, default_service
from flowery_logging.config.place import as_given, outputs
from flowery_logging.config.setting import Row

SETTINGS: Final[Mapping[str, Row]] = {
    # Who logs.
    "service": Row(
        ("FLOWERY_SERVICE_NAME", "OTEL_SERVICE_NAME", "OTEL:service.name",
         "ELASTIC_APM_SERVICE_NAME"),
        checks.text, find_out=default_service,
    ),
    "version": Row(
        ("FLOWERY_SERVICE_VERSION", "OTEL:service.version", "ELASTIC_APM_SERVICE_VERSION"),
        checks.optional_text,
    ),
    "environment": Row(
        ("FLOWERY_SERVICE_ENVIRONMENT", "OTEL:deployment.environment.name",
         "OTEL:deployment.environment", "ELASTIC_APM_ENVIRONMENT"),
        checks.optional_text,
    ),
    "node": Row(
        ("FLOWERY_SERVICE_NODE_NAME", "OTEL:service.instance.id", "ELASTIC_APM_SERVICE_NODE_NAME"),
        checks.text, find_out=socket.gethostname,
    ),
    # Where the lines go.
    "directory": Row(("FLOWERY_LOG_DIR",), as_given, may_be_path=True),
    "output": Row(("FLOWERY_LOG_OUTPUT",), outputs),
    "stderr_level": Row(("FLOWERY_LOG_STDERR_LEVEL",), checks.level_or_off, "ERROR"),
    # Which events.
    "level": Row(("FLOWERY_LOG_LEVEL",), checks.level, "INFO"),
    "levels": Row(("FLOWERY_LOG_LEVELS",), checks.levels, {}),
    "flight_recorder": Row(("FLOWERY_LOG_FLIGHT_RECORDER",), checks.level_or_off),
    # The files.
    "max_bytes": Row(("FLOWERY_LOG_MAX_BYTES",), checks.size, 64 * 1024**2),
    "max_age": Row(("FLOWERY_LOG_MAX_AGE",), checks.seconds, 86_400),
    "keep_bytes": Row(("FLOWERY_LOG_KEEP_BYTES",), checks.size, 1024**3),
    "keep_days": Row(("FLOWERY_LOG_KEEP_DAYS",), checks.days, 7),
    # Fields.
    "dataset": Row(("FLOWERY_LOG_DATASET",), checks.text, DATASET),
    "redact": Row(("FLOWERY_LOG_REDACT",), checks.names, ()),
    "redact_safe": Row(("FLOWERY_LOG_REDACT_SAFE",), checks.names, ()),
    "redact_personal": Row(("FLOWERY_LOG_REDACT_PERSONAL",), checks.personal, ()),
    "pseudonyms": Row(("FLOWERY_LOG_PSEUDONYMS",), checks.names, ()),
    "baggage": Row(("FLOWERY_LOG_BAGGAGE",), checks.baggage, ()),
    "fields": Row(("FLOWERY_LOG_FIELDS",), checks.fields, {}, may_be_path=True),
    "limits": Row(("FLOWERY_LOG_LIMITS",), checks.limits, {}),
    "processors": Row((), checks.processors, ()),
    "flood": Row(("FLOWERY_LOG_FLOOD",), checks.flood),
    "sample": Row(("FLOWERY_LOG_SAMPLE",), checks.sample),
    # What is caught.
    "capture_uncaught": Row(("FLOWERY_LOG_CAPTURE_UNCAUGHT",), checks.switch, True),
    "capture_warnings": Row(("FLOWERY_LOG_CAPTURE_WARNINGS",), checks.switch, True),
    "capture_signals": Row(("FLOWERY_LOG_CAPTURE_SIGNALS",), checks.switch, True),
}  # fmt: skip
