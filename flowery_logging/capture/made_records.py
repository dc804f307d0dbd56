"""Records of `logging` that are made whatever is logged: `makeRecord` never raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from flowery_logging import presence
from flowery_logging.capture.callers import place_of_call
from flowery_logging.capture.own_classes import ordinary
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.records import Record, add_extra
from flowery_logging.circles import asks_others
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.exception import exc_info_of, exception_of
from flowery_logging.library_code import FILES
from flowery_logging.signalled import let_through


def safe_make_record(original: Callable[..., Record]) -> Callable[..., Any]:
    """Wrap `Logger.makeRecord` so that nothing that is logged raises in the caller.

    stdlib raises KeyError for names in `extra` that a record has itself, TypeError for an `extra`
    that is no mapping, and whatever the only argument raises when asked whether it is empty. Such
    fields are kept aside on the record. Where a record factory raises, the record is stdlib's.
    """

    @asks_others
    def make_record(  # type: ignore[no-untyped-def]
        self,  # noqa: ANN001
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: Any,
        exc_info: object,
        func: str | None = None,
        extra: object = None,
        sinfo: str | None = None,
    ) -> Record:
        if type(fn) is str and fn.startswith(FILES):
            fn, lno, func = place_of_call(name, fn, lno, func)
        try:
            return original(self, name, level, fn, lno, msg, args, exc_info, func, extra, sinfo)
        except Exception as error:
            let_through(error)
            record = _record(original, self, name, level, fn, lno, msg, exc_info, func, sinfo)
        record.args = args
        if extra is not None:
            add_extra(record, extra)
        return record

    return make_record


def _record(original: Callable[..., Record], logger: logging.Logger, *given: Any) -> Record:
    """Return the record of a call without its arguments and extra fields."""
    name, level, file, line, message, exc_info, function, stack = given
    try:
        record = original(
            logger, name, level, file, line, message, (), exc_info, function, None, stack
        )
    except Exception as error:
        let_through(error)
        record = Record(name, level, file, line, message, (), exc_info, function, stack)
        add_extra(record, {"record_factory_error": error})
        return record
    return record if hasattr(record, "__dict__") else ordinary(record)


make_record_patch: Final = Patch(logging.Logger, "makeRecord")


def log_before_setup(
    name: str | None,
    level: int,
    message: object,
    args: tuple[object, ...],
    fields: dict[str, Any],
    frame: FrameType | None,
) -> None:
    """Hand an event of `get_logger()` that comes before `setup()` to the standard library."""
    if presence.missing:
        presence.miss("get_logger() writes an event")
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(level):
        return
    exc_info = exc_info_of(exception_of(fields.pop("exc_info", None)))
    file, line, function = "", 0, ""
    if frame is not None:
        file, line, function = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    if not args:  # a text: handlers may expect one
        message = text(message)
    record = Record(logger.name, level, file, line, message, args, exc_info, function)
    add_extra(record, fields)
    logger.handle(record)
