"""The libraries that are compared, each set up as its documentation says for JSON in a file.

`logging` alone has no JSON: its lines are text.
"""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import orjson

NAME: Final = "shop"
SMALL: Final = 30_000
"""Bytes after which a file is full, where a probe wants it to rotate."""


class NoneOfThatError(Exception):
    """The library has nothing of the kind."""


class Library:
    """`logging` alone, and what all that write by its handlers share."""

    name = "logging"
    distribution: str | None = None
    module = "logging"

    def start(self, folder: Path, *, rotate: bool = False) -> None:
        """Write to files in a folder from here on; with `rotate` to three of `SMALL` bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "app.log"
        handler: logging.Handler = logging.FileHandler(path)
        if rotate:
            handler = logging.handlers.RotatingFileHandler(path, maxBytes=SMALL, backupCount=2)
        handler.setFormatter(self.formatter())
        logging.basicConfig(level="INFO", handlers=[handler], force=True)

    def formatter(self) -> logging.Formatter:
        return logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")

    def start_on_terminal(self) -> None:
        """Write to standard error, for people where that can be chosen."""
        logging.basicConfig(level="INFO", force=True)
        logging.getLogger().handlers[0].setFormatter(self.formatter())

    def start_with_layout(self, folder: Path) -> None:
        """Write lines LEVEL|MESSAGE to a file. Raises NoneOfThatError."""
        folder.mkdir()
        logging.basicConfig(
            filename=folder / "app.log", format="%(levelname)s|%(message)s", level="INFO"
        )

    def info(self, message: str, /, *args: Any, **fields: Any) -> None:
        logging.getLogger(NAME).info(message, *args, extra=fields)

    def failed(self, message: str) -> None:
        """Log an error with the exception that is handled just now."""
        logging.getLogger(NAME).exception(message)

    def bound(self, **fields: Any) -> AbstractContextManager[Any]:
        """Put fields on the lines of a block. Raises NoneOfThatError."""
        raise NoneOfThatError(fields)

    def middleware(self, application: Any) -> Any:
        """Return an ASGI application as the library sees its requests."""
        return application

    def lines(self, folder: Path) -> list[bytes]:
        return [line for path in self.files(folder) for line in path.read_bytes().splitlines()]

    def files(self, folder: Path) -> list[Path]:
        return sorted(folder.glob("app*.log*"))

    def events(self, folder: Path) -> list[dict[str, Any]]:
        """Return the lines that are JSON objects, as the strictest reader takes them."""
        return [event for line in self.lines(folder) if (event := strict(line)) is not None]

    def text(self, event: dict[str, Any]) -> Any:
        """Return the message of an event."""
        return event.get("message")


class EcsLogging(Library):
    name = "ecs-logging"
    distribution = "ecs-logging"
    module = "ecs_logging"

    def formatter(self) -> logging.Formatter:
        import ecs_logging

        return ecs_logging.StdlibFormatter()

    def start_with_layout(self, folder: Path) -> None:
        raise NoneOfThatError(folder)


class PythonJsonLogger(Library):
    name = "python-json-logger"
    distribution = "python-json-logger"
    module = "pythonjsonlogger.json"

    def formatter(self) -> logging.Formatter:
        from pythonjsonlogger.json import JsonFormatter

        return JsonFormatter(["levelname", "name", "message"], timestamp=True)

    def start_with_layout(self, folder: Path) -> None:
        raise NoneOfThatError(folder)


class Structlog(Library):
    """As its page on performance says, with exceptions as its JSON tutorial has them."""

    name = "structlog"
    distribution = "structlog"
    module = "structlog"

    def start(self, folder: Path, *, rotate: bool = False) -> None:
        import structlog

        if rotate:
            raise NoneOfThatError("rotation")
        folder.mkdir(parents=True, exist_ok=True)
        structlog.configure(
            cache_logger_on_first_use=True,
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.dict_tracebacks,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(serializer=orjson.dumps),
            ],
            logger_factory=structlog.BytesLoggerFactory(file=(folder / "app.log").open("ab")),
        )

    def start_on_terminal(self) -> None:
        """It needs nothing for that."""

    def start_with_layout(self, folder: Path) -> None:
        import structlog

        folder.mkdir()
        file = (folder / "app.log").open("a")
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                lambda _logger, _name, fields: f"{fields['level']}|{fields['event']}",
            ],
            logger_factory=structlog.WriteLoggerFactory(file=file),
        )

    def info(self, message: str, /, *args: Any, **fields: Any) -> None:
        import structlog

        structlog.get_logger().info(message, *args, **fields)

    def failed(self, message: str) -> None:
        import structlog

        structlog.get_logger().exception(message)

    def bound(self, **fields: Any) -> AbstractContextManager[Any]:
        import structlog

        return structlog.contextvars.bound_contextvars(**fields)

    def text(self, event: dict[str, Any]) -> Any:
        return event.get("event")


class Loguru(Library):
    name = "loguru"
    distribution = "loguru"
    module = "loguru"

    def start(self, folder: Path, *, rotate: bool = False, **options: Any) -> None:
        from loguru import logger

        rotation: dict[str, Any] = {"rotation": SMALL, "retention": 2} if rotate else {}
        logger.remove()
        logger.add(folder / "app.log", serialize=True, level="INFO", **rotation, **options)

    def start_on_terminal(self) -> None:
        """It needs nothing for that."""

    def start_with_layout(self, folder: Path) -> None:
        from loguru import logger

        logger.remove()
        logger.add(folder / "app.log", format="{level}|{message}")

    def info(self, message: str, /, *args: Any, **fields: Any) -> None:
        from loguru import logger

        logger.info(message, *args, **fields)

    def failed(self, message: str) -> None:
        from loguru import logger

        logger.exception(message)

    def bound(self, **fields: Any) -> AbstractContextManager[Any]:
        from loguru import logger

        return logger.contextualize(**fields)

    def text(self, event: dict[str, Any]) -> Any:
        return event.get("record", {}).get("message")


class Flowery(Library):
    name = "flowery_logging"
    distribution = "flowery_logging"
    module = "flowery_logging"

    def start(self, folder: Path, *, rotate: bool = False) -> None:
        import flowery_logging

        size: dict[str, Any] = {"max_bytes": SMALL} if rotate else {}
        flowery_logging.setup("shop", directory=folder, output="file", **size)

    def start_on_terminal(self) -> None:
        import flowery_logging

        flowery_logging.setup("shop", output="console")

    def start_with_layout(self, folder: Path) -> None:
        raise NoneOfThatError(folder)

    def bound(self, **fields: Any) -> AbstractContextManager[Any]:
        import flowery_logging

        return flowery_logging.bound(**fields)

    def middleware(self, application: Any) -> Any:
        from flowery_logging.integrations.asgi import RequestMiddleware

        return RequestMiddleware(application)

    def files(self, folder: Path) -> list[Path]:
        return sorted(folder.glob("*.ndjson"))

    def events(self, folder: Path) -> list[dict[str, Any]]:
        """Leave out what the library says of its files."""
        return [
            event for event in super().events(folder) if event["log"]["logger"] != "flowery_logging"
        ]


LIBRARIES: Final = (
    Flowery(), EcsLogging(), PythonJsonLogger(), Structlog(), Loguru(), Library(),
)  # fmt: skip


def by_name(name: str) -> Library:
    """Return the library of this name. Raises KeyError."""
    return {library.name: library for library in LIBRARIES}[name]


def strict(line: bytes) -> dict[str, Any] | None:
    """Return the object that a line is; None where a strict reader refuses it."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Return what stands in an event, by dotted path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    else:
        yield path, value
