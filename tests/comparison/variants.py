"""What a library does with something more: for a row and a library, a probe that says yes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.comparison import beside_probes, file_probes, line_probes, request_probes
from tests.comparison.asking import DEADLINE, Probe, answer
from tests.comparison.libraries import SMALL, EcsLogging, Library, Loguru, Structlog

VARIANTS: Final[dict[tuple[str, str], Probe]] = {}
"""By the name of the row and that of the library."""


def variant(row: str, *libraries: str) -> Callable[[Probe], Probe]:
    def note(function: Probe) -> Probe:
        VARIANTS.update({(row, library): function for library in libraries})
        return function

    return note


@variant("names_of_ecs", "python-json-logger")
def renamed_keys(_library: Library, folder: Path) -> str:
    from pythonjsonlogger.json import JsonFormatter

    class Renaming(Library):
        def formatter(self) -> logging.Formatter:
            return JsonFormatter(
                ["levelname", "message"],
                timestamp="@timestamp",
                rename_fields={"levelname": "log.level"},
                static_fields={"ecs.version": "9.4.0"},
            )

    return line_probes.names_of_ecs(Renaming(), folder)


class _StructlogWithEcs(Structlog):
    """`ecs_logging.StructlogFormatter`, as the documentation of ecs-logging has it."""

    def start(self, folder: Path, *, rotate: bool = False) -> None:
        import ecs_logging
        import structlog

        formatter: Any = ecs_logging.StructlogFormatter()
        super().start(folder, rotate=rotate)
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                formatter,
            ],
            logger_factory=structlog.WriteLoggerFactory(file=(folder / "app.log").open("a")),
        )

    def text(self, event: dict[str, Any]) -> Any:
        return event.get("message")


@variant("names_of_ecs", "structlog")
def formatter_of_ecs_logging(_library: Library, folder: Path) -> str:
    return line_probes.names_of_ecs(_StructlogWithEcs(), folder)


@variant("fields_of_a_block", "ecs-logging")
def context_of_structlog(_library: Library, folder: Path) -> str:
    return request_probes.fields_of_a_block(_StructlogWithEcs(), folder)


@variant("trace_of_the_caller", "ecs-logging")
def agent_of_elastic_apm(_library: Library, folder: Path) -> str:
    import elasticapm
    from elasticapm.contrib.asgi import ASGITracingMiddleware

    class WithAgent(EcsLogging):
        def middleware(self, application: Any) -> Any:
            client = elasticapm.Client(
                service_name="shop", disable_send=True, metrics_interval="0ms", instrument=False,
                central_config=False, cloud_provider="none", verify_config=False, log_level="off",
            )  # fmt: skip
            return ASGITracingMiddleware(application, client=client)

    return request_probes.trace_of_the_caller(WithAgent(), folder)


@variant("rotation_with_two_processes", "logging", "ecs-logging", "python-json-logger")
def concurrent_log_handler(library: Library, folder: Path) -> str:
    from concurrent_log_handler import ConcurrentRotatingFileHandler

    class Concurrent(type(library)):  # type: ignore[misc]
        def start(self, folder: Path, *, rotate: bool = False) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            path = str(folder / "app.log")
            handler = ConcurrentRotatingFileHandler(path, maxBytes=SMALL, backupCount=2)
            handler.setFormatter(self.formatter())
            logging.basicConfig(level="INFO", handlers=[handler], force=True)

    return file_probes.rotation_with_two_processes(Concurrent(), folder)


@variant("rotation_with_two_processes", "loguru")
def enqueue(_library: Library, folder: Path) -> str:
    """One thread writes for all processes that have inherited the logger."""
    from loguru import logger

    library = Loguru()
    library.start(folder, rotate=True, enqueue=True)
    for name in ("one", "other"):
        child = os.fork()
        if child == 0:
            library.info(f"{name} {'x' * 3000}")
            logger.complete()
            os._exit(0)
        os.waitpid(child, 0)
    for number in range(9):
        library.info(f"{number} {'x' * 3000}")
    logger.complete()
    whole = b"".join(library.lines(folder))
    return answer(all(f'"{name} x'.encode() in whole for name in ("one", "other", *range(9))))


@variant("lines_of_other_libraries", "structlog")
def processor_formatter(_library: Library, folder: Path) -> str:
    import structlog

    class Formatted(Library):
        def formatter(self) -> logging.Formatter:
            return structlog.stdlib.ProcessorFormatter(
                processor=structlog.processors.JSONRenderer(),
                foreign_pre_chain=[structlog.processors.add_log_level],
            )

    return beside_probes.lines_of_other_libraries(Formatted(), folder)


@variant("lines_of_other_libraries", "loguru")
def handler_that_hands_over(library: Library, folder: Path) -> str:
    from loguru import logger

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logger.opt(exception=record.exc_info).log(record.levelname, record.getMessage())

    logging.basicConfig(handlers=[Handler()], level=0, force=True)
    return beside_probes.lines_of_other_libraries(library, folder)


@variant("uncaught_exceptions", "loguru")
def catch(library: Library, folder: Path) -> str:
    from loguru import logger

    library.start(folder)

    @logger.catch
    def pay(reason: str) -> None:
        raise RuntimeError(reason)

    thread = threading.Thread(target=pay, args=("in a thread",))
    thread.start()
    thread.join(DEADLINE)
    pay("at the end")
    whole = b"".join(library.lines(folder))
    return answer(b"in a thread" in whole and b"at the end" in whole)


@variant("a_layout_of_your_own", "flowery_logging", "ecs-logging", "python-json-logger")
def handler_of_your_own(library: Library, folder: Path) -> str:
    library.start(folder)
    handler = logging.FileHandler(folder / "mine.txt")
    handler.setFormatter(logging.Formatter("%(levelname)s|%(message)s"))
    logging.getLogger("shop").addHandler(handler)
    library.info("placed", order_id=7)
    return answer((folder / "mine.txt").read_text() == "INFO|placed\n")
