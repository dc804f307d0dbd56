"""Exceptions of every shape: type, message and the whole chain."""

import logging
import sys
from typing import Any

import pytest

import flowery_logging
from tests.strategies import (
    BrokenError,
    FalsyError,
    chained,
    exceptions,
    raised,
    recursing,
)

log = logging.getLogger("shop.orders")

MODULE = "tests.strategies"


class ShopError(Exception):
    class Inner(Exception):
        pass


def written(logged, error, kind="stdlib"):
    if kind == "stdlib":
        log.error("failed", exc_info=error)
    else:
        flowery_logging.get_logger("shop.orders").error("failed", exc_info=error)
    return logged.last()["error"]


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (ValueError("x"), "ValueError", "x"),
        (ShopError("x"), f"{__name__}.ShopError", "x"),
        (ShopError.Inner("x"), f"{__name__}.ShopError.Inner", "x"),
        (KeyError("x"), "KeyError", "'x'"),
        (FalsyError("x"), f"{MODULE}.FalsyError", "x"),
        (BrokenError(), f"{MODULE}.BrokenError", "<unprintable BrokenError>"),
        (KeyboardInterrupt(), "KeyboardInterrupt", ""),
        (ValueError("한글\n\x00"), "ValueError", "한글\n\x00"),
        (ValueError("\ud800"), "ValueError", "\\ud800"),
    ],
)
def test_type_and_message(logged, kind, error, name, message):
    found = written(logged, raised(error), kind)
    assert found["type"] == name
    assert found["message"] == message
    assert "Traceback (most recent call last)" in found["stack_trace"]
    assert (
        found["stack_trace"].splitlines()[-1].startswith(name.rpartition(".")[2][:5])
        or name in found["stack_trace"]
    )


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
@pytest.mark.parametrize("make", exceptions())
def test_every_shape_is_written(logged, counted, kind, make):
    found = written(logged, make(), kind)
    assert found["type"]
    assert found["stack_trace"]
    assert counted("fallbacks") == 0
    assert counted("broken_records") == 0


def test_causes_and_contexts(logged):
    trace = written(logged, chained(4))["stack_trace"]
    assert trace.count("Traceback (most recent call last)") == 5
    assert "direct cause of the following exception" in trace
    assert "During handling of the above exception" in trace
    assert trace.index("ValueError: first") < trace.index("RuntimeError: number 3")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes and groups are of Python 3.11")
def test_notes_and_groups(logged):
    error = ValueError("inner")
    error.add_note("seen at night")
    group = ExceptionGroup("several", [error, ExceptionGroup("more", [TypeError("deep")])])  # noqa: F821
    trace = written(logged, raised(group))["stack_trace"]
    for part in ("several (2 sub-exceptions)", "inner", "seen at night", "TypeError: deep"):
        assert part in trace


def test_details_of_a_syntax_error(logged):
    trace = written(logged, raised(SyntaxError("bad", ("shop.py", 3, 5, "x = = 1\n"))))[
        "stack_trace"
    ]
    assert 'File "shop.py", line 3' in trace
    assert "x = = 1" in trace
    assert trace.endswith("SyntaxError: bad")


def test_a_long_trace_keeps_head_and_tail(logged, counted):
    found = written(logged, raised(ValueError("x" * 20_000 + "END")))
    assert 8100 < len(found["stack_trace"]) <= 8191
    assert found["stack_trace"].startswith("Traceback")
    assert found["stack_trace"].endswith("END")
    assert "characters left out" in found["stack_trace"]
    assert counted("cut_traces") == 2  # and the message


def test_a_trace_of_emoji_fits_what_the_template_indexes(logged):
    log.error("x", exc_info=raised(ValueError("😀" * 5000)), extra={"error.message": "short"})
    found = logged.event()["error"]
    assert "😀" in found["stack_trace"]
    assert len(found["stack_trace"].encode("utf-16-le")) // 2 <= 8191


def test_a_recursion_error_is_short(logged):
    found = written(logged, recursing())
    assert found["type"] == "RecursionError"
    assert "more times" in found["stack_trace"]


@pytest.mark.parametrize("exc_info", [True, 1, "yes"])
@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_true_means_the_exception_being_handled(logged, kind, exc_info):
    try:
        1 / 0
    except ZeroDivisionError:
        assert written(logged, exc_info, kind)["type"] == "ZeroDivisionError"


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_a_tuple_of_three(logged, kind):
    error = raised(ValueError("x"))
    found = written(logged, (type(error), error, error.__traceback__), kind)
    assert found["message"] == "x"
    assert "strategies.py" in found["stack_trace"]


def test_the_traceback_beside_an_exception_is_the_one_that_counts(logged):
    beside = raised(ValueError("other")).__traceback__
    log.error("x", exc_info=(ValueError, ValueError("x"), beside))
    odd: Any = (ValueError, raised(ValueError("x")), "no traceback")
    log.error("x", exc_info=odd)
    for event in logged.events():
        assert event["error"]["stack_trace"].startswith("Traceback (most recent call last)")
        assert "strategies.py" in event["error"]["stack_trace"]
        assert event["error"]["stack_trace"].endswith("ValueError: x")


class Undecided:
    """As an array of numpy is, or a frame of pandas."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


class UndecidedError(Undecided, Exception):
    pass


class Classless:
    @property  # type: ignore[misc]
    def __class__(self):
        raise ValueError("no class")


class StandIn:
    __class__ = ValueError  # type: ignore[assignment]


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_what_only_says_that_it_is_an_exception_is_written(logged, kind):
    assert written(logged, StandIn(), kind)["type"] == f"{__name__}.StandIn"


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_an_exception_whose_truth_raises_is_written(logged, kind):
    assert written(logged, UndecidedError("x"), kind)["message"] == "x"


@pytest.mark.parametrize("odd", [Undecided, Classless])
@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_what_cannot_be_asked_means_the_exception_being_handled(logged, kind, odd):
    try:
        1 / 0
    except ZeroDivisionError:
        assert written(logged, odd(), kind)["type"] == "ZeroDivisionError"


@pytest.mark.parametrize("exc_info", [
    None, False, (None, None, None), True, (), (None,), (ValueError, ValueError("two of three")),
    (ValueError, "no exception", None),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_no_exception_no_error(logged, kind, exc_info):
    log.info("x", exc_info=exc_info)
    flowery_logging.get_logger().info("x", exc_info=exc_info)
    assert all("error" not in event for event in logged.events())


@pytest.mark.parametrize("exc_info", [None, False])
def test_who_asks_for_no_exception_gets_none_where_one_is_handled(logged, exc_info):
    try:
        1 / 0
    except ZeroDivisionError:
        log.info("x", exc_info=exc_info)
        flowery_logging.get_logger().info("x", exc_info=exc_info)
    assert ["error" in event for event in logged.events()] == [False, False]


def test_another_handler_gets_the_traceback_beside_an_exception(logged):
    """As of an exception that has been raised again since: Sentry shows its frames."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[assignment,method-assign]
    error, others = raised(ValueError("x")), raised(ValueError("other"))
    log.addHandler(handler)
    try:
        logger = flowery_logging.get_logger("shop.orders")
        logger.error("x", exc_info=(ValueError, error, others.__traceback__))
        logger.error("x", exc_info=error)
    finally:
        log.removeHandler(handler)
    traces = [record.exc_info[2] for record in records if record.exc_info]
    assert traces == [others.__traceback__, error.__traceback__]


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_the_callers_own_values_stand(logged, kind):
    fields = {"error.type": "Mine", "error": {"code": 5}}
    if kind == "stdlib":
        log.error("x", exc_info=ValueError("theirs"), extra=fields)
    else:
        flowery_logging.get_logger().error("x", exc_info=ValueError("theirs"), **fields)
    found = logged.event()["error"]
    assert found["type"] == "Mine"
    assert found["code"] == "5"
    assert found["message"] == "theirs"


@pytest.mark.parametrize("kind", ["stdlib", "structlog"])
def test_a_scalar_named_error_beside_an_exception(logged, kind):
    if kind == "stdlib":
        log.error("x", exc_info=ValueError("y"), extra={"error": "mine"})
    else:
        flowery_logging.get_logger().error("x", exc_info=ValueError("y"), error="mine")
    event = logged.event()
    assert event["labels"] == {"error": "mine"}
    assert event["error"]["message"] == "y"


def test_stack_info(logged):
    log.info("x", stack_info=True)
    flowery_logging.get_logger().info("x", stack_info=True)
    for event in logged.events():
        assert event["error"]["stack_trace"].startswith("Stack (most recent call last)")
        assert "test_stack_info" in event["error"]["stack_trace"]
    log.error("x", stack_info=True, exc_info=ValueError("y"))
    last = logged.last()
    assert last["error"]["stack_trace"] == "ValueError: y"
    assert last["labels"]["stack_info"].startswith("Stack (most recent call last)")


class Shy(Exception):
    @property
    def __cause__(self) -> BaseException:  # type: ignore[override]
        raise RuntimeError("not told")


class Sourceless:
    def get_source(self, _: str) -> str:
        raise RuntimeError("no source")


def test_neither_attributes_nor_source_can_be_had(logged, counted):
    scope = {"__name__": "odd", "__loader__": Sourceless(), "Shy": Shy}
    exec(compile("def fail(): raise Shy('x')", "odd.py", "exec"), scope)
    with pytest.raises(Shy) as found:
        scope["fail"]()  # type: ignore[operator]
    log.error("failed", exc_info=found.value)
    error = logged.event()["error"]
    assert error["stack_trace"] == f"{Shy.__module__}.Shy: x"
    assert counted("fallbacks") == 0
