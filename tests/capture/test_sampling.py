"""Sampling by trace: what is left out is said, errors and slow requests are all there."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any

import freezegun
import pytest

import flowery_logging
from flowery_logging import ConfigError, continue_trace
from flowery_logging.integrations import asgi
from flowery_logging.system import System
from tests.conftest import Logged

log = logging.getLogger("shop.orders")
slog = flowery_logging.get_logger("shop.orders")

LOW, HIGH = "0" * 14, "f" * 14


def headers(end: str, start: str = "4bf92f3577b34da6a3") -> dict[str, str]:
    return {"traceparent": f"00-{start}{end}-00f067aa0ba902b7-01"}


def told(logged: Logged) -> int:
    """Return how many events are said to be left out."""
    records = [
        record for record in logged.records() if record["event"].get("action") == "log-sampled"
    ]
    return sum(record["numeric_labels"]["left_out"] for record in records)


async def send_nothing(_message: Any) -> None:
    """Take a part of a response."""


def messages(logged: Logged) -> list[str]:
    return [event["message"] for event in logged.events()]


def work() -> None:
    log.info("begin")
    slog.info("end", order_id=7)


def test_the_trace_decides(logged):
    logged.setup(sample=0.5)
    for end in (HIGH, LOW):
        with continue_trace(headers(end), end=end):
            work()
    work()  # without a trace
    flowery_logging.shutdown()
    assert messages(logged) == ["begin", "end"] * 2
    assert {event.get("labels", {}).get("end") for event in logged.events()} == {HIGH, None}
    assert told(logged) == 2
    numbers = [record["event"]["sequence"] for record in logged.records()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize(("rate", "kept"), [(0.0, 0), ("25%", 25), (0.5, 50), (0.75, 75), (1, 100)])
def test_the_share_is_right_and_a_higher_rate_keeps_what_a_lower_one_keeps(logged, rate, kept):
    logged.setup(sample=rate)
    for number in range(100):
        with continue_trace(headers(f"{number * 2**56 // 100:014x}")):
            log.info("n", extra={"n": number})
    assert [event["numeric_labels"]["n"] for event in logged.events()] == list(
        range(100 - kept, 100)
    )


def test_all_of_a_request_is_written_that_fails_behind_its_response(logged):
    """As a background task does: the response is whole, and the access event told by then."""

    async def app(scope, receive, send):
        log.info("before")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        raise ValueError

    logged.setup(sample=0)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(ValueError):
        asyncio.run(asgi.RequestMiddleware(app)(scope, None, send_nothing))  # type: ignore[arg-type]
    assert "before" in messages(logged)


@pytest.mark.parametrize("error", ["log", "exception", "raised", "failed"])
def test_all_of_a_request_with_an_error_is_written(logged, error):
    logged.setup(sample=0)
    try:
        with continue_trace(headers(LOW)):
            log.info("before")
            if error == "log":
                log.error("an error")
            elif error == "exception":
                log.info("handled", exc_info=ValueError())
            elif error == "failed":
                request = flowery_logging.context.current_request()
                assert request is not None
                request.fail()
            log.info("after")
            if error == "raised":
                raise ValueError
    except ValueError:
        pass
    with continue_trace(headers(LOW)):
        log.info("another request")
    flowery_logging.shutdown()
    found = messages(logged)
    assert found[0] == "before"
    assert found[-1] == "after"
    assert told(logged) == 1
    assert {event["trace"]["id"][-14:] for event in logged.events()} == {LOW}


def test_warnings_are_written_alone(logged):
    logged.setup(sample=0)
    with continue_trace(headers(LOW)):
        log.info("before")
        log.warning("odd")
    assert messages(logged) == ["odd"]


def test_a_slow_request_is_written(logged):
    logged.setup(sample="0%/2s")
    with freezegun.freeze_time("2026-11-23 10:00:00") as clock:
        with continue_trace(headers(LOW)):
            log.info("begin")
            clock.tick(2)
        with continue_trace(headers(LOW)):
            log.info("quick")
            clock.tick(1.9)
    assert messages(logged) == ["begin"]


async def ask(app: Any, path: str, trace: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in headers(trace).items()],
    }  # fmt: skip
    await app(scope, receive, send)


async def application(scope: Any, receive: Any, send: Any) -> None:
    log.info("inside %s", scope["path"])
    if scope["path"] == "/slow":
        duration.append(2_000_000_000)
    status = 500 if scope["path"] == "/broken" else 404 if scope["path"] == "/missing" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


duration: list[int] = []


def test_requests_of_a_web_service(logged, monkeypatch):
    import asyncio

    logged.setup(sample=0)
    duration.clear()
    real = System.perf_counter_ns
    monkeypatch.setattr(System, "perf_counter_ns", staticmethod(lambda: real() + sum(duration)))
    app = asgi.RequestMiddleware(application)
    for path in ("/ok", "/broken", "/missing", "/slow", "/ok"):
        asyncio.run(ask(app, path, LOW))
        duration.clear()
    flowery_logging.shutdown()
    assert messages(logged) == [
        "inside /broken", "GET /broken 500", "GET /missing 404", "inside /slow", "GET /slow 200",
    ]  # fmt: skip
    assert told(logged) == 5  # two of /ok with their access events, and "inside /missing"


def test_after_the_request(logged):
    logged.setup(sample=0)
    scopes = []
    for fails in (True, False):
        with continue_trace(headers(LOW)):
            scopes.append(flowery_logging.carried(lambda: log.info("in the background")))
            if fails:
                log.error("failed")
    for run in scopes:
        run()
    flowery_logging.shutdown()
    assert messages(logged) == ["failed", "in the background"]
    assert told(logged) == 1


def test_requests_beside_each_other(logged):
    logged.setup(sample=0.5)

    def serve(number: int) -> None:
        with continue_trace(headers(HIGH if number % 2 else LOW)):
            for n in range(50):
                log.info("n", extra={"n": n})

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flowery_logging.shutdown()
    assert (len(logged.events()), told(logged)) == (200, 200)


def test_a_request_that_holds_more_than_it_may(logged):
    logged.setup(sample=0)
    with continue_trace(headers(LOW)):
        for n in range(1000):
            log.info("x" * 1000, extra={"n": n})
        log.error("failed")
    flowery_logging.shutdown()
    found = [
        event["numeric_labels"]["n"] for event in logged.events() if event["log.level"] == "info"
    ]
    assert found == list(range(1000 - len(found), 1000))
    assert told(logged) == 1000 - len(found) > 0


def test_a_request_that_does_not_end_before_the_process(logged):
    logged.setup(sample=0)
    with continue_trace(headers(LOW)):
        log.info("x")
        flowery_logging.shutdown()
    assert messages(logged) == ["x"]
    assert told(logged) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_does_not_tell_what_its_parent_tells(logged):
    logged.setup(sample="0%/600s")  # on a busy machine a request is slow
    with continue_trace(headers(LOW)):
        log.info("of the parent")
        pid = os.fork()
        if pid == 0:
            try:
                log.info("of the child")
                log.error("failed")
                flowery_logging.shutdown()
            finally:
                os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    flowery_logging.shutdown()
    assert messages(logged) == ["of the child", "failed"]
    assert told(logged) == 1


def test_the_first_request_that_is_left_out_is_said_at_once(logged):
    logged.setup(sample=0)
    for _ in range(5):
        with continue_trace(headers(LOW)):
            log.info("x")
    assert told(logged) == 1
    assert logged.count("left_out_by_sampling") >= 5


def test_with_flood_control(logged):
    logged.setup(sample=0.5, flood=2)
    for end in (HIGH, LOW):
        with continue_trace(headers(end)):
            for n in range(10):
                log.info("n", extra={"n": n})
    flowery_logging.shutdown()
    events = [event for event in logged.events() if event["event"].get("action") != "log-flood"]
    assert [event["numeric_labels"]["n"] for event in events] == [0, 1]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, (0.1, 1)), ("0.1", (0.1, 1)), ("10%", (0.1, 1)), (".5/2s", (0.5, 2)), ((0.2, 3), (0.2, 3)),
        (0, (0.0, 1)), (1, None), ("100%", None), ("OFF", None), (None, None), ("5 % / 500", (0.05, 500)),
    ],
)  # fmt: skip
def test_how_it_is_given(value, expected):
    assert flowery_logging.config.resolve({"sample": value, "output": "none"}).sample == expected


@pytest.mark.parametrize(
    "value", [2, -0.1, "half", "101%", "0.1/never", True, (0.1,), [], float("nan")]
)
def test_what_cannot_be_used(value):
    with pytest.raises(ConfigError, match=r"^sample: .*allowed: a share of the traces"):
        flowery_logging.setup(sample=value, output="none")


@pytest.mark.parametrize("level", [35, 42, 45])
def test_levels_between_the_usual_ones_are_known_by_their_number(logged, level):
    logged.setup(sample=0)
    logging.addLevelName(45, "Audit")
    try:
        with continue_trace(headers(LOW)):
            log.log(level, "by logging")
        with continue_trace(headers(LOW)):
            flowery_logging.get_logger().log(level, "by structlog")
    finally:
        logging.addLevelName(45, "Level 45")
        del logging._nameToLevel["Audit"]
    messages = [event["message"] for event in logged.events()]
    assert {"by logging", "by structlog"} <= set(messages)


def test_an_error_that_flood_control_leaves_out_keeps_its_request(logged):
    logged.setup(sample=0, flood=1)
    for number in range(3):
        with continue_trace(headers(LOW)):
            log.info("request %s", number, extra={"request": number})
            log.error("failed")
    errors = [event for event in logged.events() if event["message"] == "failed"]
    assert len(errors) == 1
    kept = [event["message"] for event in logged.events()]
    assert "request 0" in kept


@pytest.mark.parametrize("gates", [{"sample": 0.5}, {"flood": 100}, {}])
def test_an_exception_logged_outside_keeps_the_fields_of_where_it_came_from(logged, gates):
    logged.setup(**gates)
    try:
        with continue_trace(headers(LOW), order="o-7"):
            raise ValueError("wilted")
    except ValueError:
        log.exception("outside")
    event = logged.last()
    assert event["labels"]["order"] == "o-7"
    assert event["trace"]["id"].endswith(LOW[-8:])


def test_the_context_is_encoded_once_also_where_a_gate_stands(logged):
    logged.setup(flood=1000)
    with flowery_logging.bound(order="o-7", tenant="kr"):
        for number in range(20):
            log.info("x", extra={"n": number})
        with flowery_logging.bound(tenant="jp"):
            log.info("inside", extra={"n": 20})
    labels = [event["labels"] for event in logged.events()]
    assert labels == [{"order": "o-7", "tenant": "kr"}] * 20 + [{"order": "o-7", "tenant": "jp"}]
