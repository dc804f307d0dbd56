"""A service that makes hostile log calls, and says how many of them have returned.

python -m tests.e2e.hostile_service SERVICE LOGS ENVIRONMENT COUNT SEED [SEED …]
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import flowery_logging
from tests.strategies import HostileEvent, hostile_events

MAX_BYTES = 4_000_000
# A call with these has a wrong signature: they are the method's own parameters.
PARAMETERS = {"self", "event"}


def main(service: str, directory: str, environment: str, count: str, *seeds: str) -> None:
    flowery_logging.setup(
        service=service,
        directory=directory,
        environment=environment,
        output="file",
        level="DEBUG",
        max_bytes=MAX_BYTES,
    )
    returned = 0
    for seed in seeds:
        for event in hostile_events(int(seed), int(count)):
            with flowery_logging.bound(**event.bound):
                _log(event)
            returned += 1
    flowery_logging.shutdown()
    print(returned)


def _log(event: HostileEvent) -> None:
    if event.kind == "stdlib":
        level = logging.getLevelName(event.level.upper())
        extra: Any = event.extras
        logging.getLogger("hostile").log(
            level, event.message, *event.args, extra=extra, exc_info=event.exception
        )
    else:
        fields = {
            key: value
            for key, value in event.extras.items()
            if isinstance(key, str) and key not in PARAMETERS
        }
        fields.setdefault("exc_info", event.exception)
        method = getattr(flowery_logging.get_logger("hostile"), event.level)
        method(event.message, *event.args, **fields)


if __name__ == "__main__":
    main(*sys.argv[1:])
