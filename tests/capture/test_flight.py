"""The flight recorder: what it writes, when, and what nobody else may notice of it."""

import asyncio
import contextlib
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

import flowery_logging
from flowery_logging import context, continue_trace
from flowery_logging.capture.flight import REQUEST_BYTES, TOTAL_BYTES, FlightRecorder
from flowery_logging.capture.structlog import BoundLogger
from flowery_logging.capture.structlog_output import render
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.request import Request

log = logging.getLogger("flight")


@pytest.fixture
def written(tmp_path):
    """Set up with a recorder; return a function that ends it and reads the events."""

    def begin(**options):
        settings = {"flight_recorder": "DEBUG", "output": "file", **options}
        flowery_logging.setup(service="shop", directory=tmp_path, **settings)

    def read():
        flowery_logging.shutdown()
        rows = [r for p in sorted(tmp_path.glob("*.ndjson")) for r in p.read_text().splitlines()]
        events = list(map(json.loads, rows))
        numbers = [event["event"]["sequence"] for event in events]
        assert numbers == list(range(numbers[0], numbers[0] + len(events)))
        return [e for e in events if e["log"]["logger"] != "flowery_logging"]

    read.begin = begin  # type: ignore[attr-defined]
    begin()
    yield read
    flowery_logging.shutdown()


def job(fails):
    log.debug("a detail of %d", 7, extra={"order_id": 7})
    flowery_logging.get_logger("flight").debug("another", item="rose")
    log.info("at work")
    if fails:
        raise ValueError("꽃")


def run(fails, **headers):
    try:
        with continue_trace(headers):
            job(fails)
    except ValueError:
        log.exception("it failed")


def test_a_request_that_fails_is_written_with_its_details_and_their_own_times(written):
    run(True)
    working, detail, another, failed = written()
    assert [e["message"] for e in (working, detail, another, failed)] == [
        "at work", "a detail of 7", "another", "it failed",
    ]  # fmt: skip
    assert detail["log.level"] == another["log.level"] == "debug"
    assert detail["@timestamp"] <= another["@timestamp"] <= working["@timestamp"]
    assert detail["trace"] == another["trace"] == working["trace"]
    assert detail["numeric_labels"] == {"order_id": 7}
    assert another["labels"] == {"item": "rose"}
    assert detail["log"]["origin"]["function"] == another["log"]["origin"]["function"] == "job"


def test_the_call_site_is_the_callers_also_with_processors_of_his_own(written):
    mine = structlog.wrap_logger(
        flowery_logging.get_logger("flight")._logger,  # type: ignore[attr-defined]
        processors=[lambda _, __, event: {**event, "seen": True}, render],
        wrapper_class=BoundLogger,
    )
    with contextlib.suppress(ValueError), continue_trace({}):
        mine.debug("a detail")
        raise ValueError
    (detail,) = written()
    assert detail["labels"] == {"seen": "true"}
    assert detail["log"]["origin"]["file"]["name"] == "test_flight.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_that_fails_too_writes_only_details_of_its_own(written, tmp_path):
    with contextlib.suppress(ValueError), continue_trace({}):
        log.debug("of the parent")
        pid = os.fork()
        if pid == 0:
            try:
                log.debug("of the child")
                request = context.current_request()
                assert request is not None
                request.fail()
                flowery_logging.shutdown()
            finally:
                os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        raise ValueError
    flowery_logging.shutdown()
    rows = [row for path in tmp_path.glob("*.ndjson") for row in path.read_text().splitlines()]
    events = [e for e in map(json.loads, rows) if e["log"]["logger"] == "flight"]
    assert {e["message"]: e["process"]["pid"] for e in events} == {
        "of the parent": os.getpid(),
        "of the child": pid,
    }
    assert len(events) == 2


def test_details_behind_the_failure_are_written_too(written):
    with context.request_scope(Request()) as request:
        log.debug("before")
        request.fail()
        log.debug("behind")
    assert [e["message"] for e in written()] == ["before", "behind"]


def test_a_request_that_ends_well_leaves_nothing_below_the_level(written):
    run(False)
    assert [e["message"] for e in written()] == ["at work"]


def test_outside_a_request_nothing_is_kept(written):
    log.debug("nowhere")
    run(True)
    assert "nowhere" not in [e["message"] for e in written()]


def test_other_handlers_see_no_more_than_before(written):
    seen = []

    class Theirs(logging.Handler):
        def emit(self, record):
            seen.append((record.name, record.levelname))

    handler, own = Theirs(), logging.getLogger("own.level")
    logging.getLogger().addHandler(handler)
    own.setLevel(logging.DEBUG)
    try:
        with continue_trace(None):
            log.debug("no")
            own.debug("yes")
            logging.getLogger("own.level.child").debug("yes")
            log.info("yes")
    finally:
        logging.getLogger().removeHandler(handler)
        own.setLevel(logging.NOTSET)
    assert seen == [("own.level", "DEBUG"), ("own.level.child", "DEBUG"), ("flight", "INFO")]
    assert [e["message"] for e in written()] == ["yes"] * 3


@pytest.mark.parametrize("lowest", [None, "INFO", "WARNING"])
def test_off_nothing_is_changed(written, lowest):
    written.begin(flight_recorder="DEBUG")
    on = logging.Logger.callHandlers
    flowery_logging.shutdown()
    written.begin(flight_recorder=None)
    before = logging.Logger.callHandlers
    written.begin(flight_recorder=lowest)
    assert logging.Logger.callHandlers is before is not on
    assert not log.isEnabledFor(logging.DEBUG)
    run(True)
    assert [e["message"] for e in written()] == ["at work", "it failed"]


def test_shutdown_takes_it_all_back(written):
    wrapped = logging.Logger.callHandlers
    flowery_logging.shutdown()
    assert logging.Logger.callHandlers is not wrapped


def test_the_level_may_change_while_it_runs(written):
    flowery_logging.set_level("WARNING")
    run(True)
    flowery_logging.set_level("DEBUG")
    run(False)
    messages = [e["message"] for e in written()]
    assert messages == ["a detail of 7", "another", "at work", "it failed",
                        "a detail of 7", "another", "at work"]  # fmt: skip


def test_a_second_setup_may_turn_it_off(written):
    written.begin(flight_recorder="OFF")
    run(True)
    assert [e["message"] for e in written()] == ["at work", "it failed"]


def test_the_environment_may_turn_it_on(written, monkeypatch):
    flowery_logging.shutdown()
    monkeypatch.setenv("FLOWERY_LOG_FLIGHT_RECORDER", "debug")
    written.begin(flight_recorder=None)
    run(True)
    assert len(written()) == 4


def test_a_level_that_is_none_is_refused():
    with pytest.raises(flowery_logging.ConfigError, match="flight_recorder"):
        flowery_logging.setup(flight_recorder="LOUD")


def test_requests_at_once_keep_their_own(written):
    async def request(number):
        with continue_trace({"traceparent": f"00-{number + 1:032x}-{'1' * 16}-01"}) as found:
            log.debug("detail", extra={"number": number})
            await asyncio.sleep(0)
            log.debug("detail", extra={"number": number})
            if number % 10 == 0:
                raise ValueError(found.trace_id)

    async def main():
        return await asyncio.gather(*map(request, range(200)), return_exceptions=True)

    asyncio.run(main())
    events = written()
    assert len(events) == 40
    for event in events:
        number = event["numeric_labels"]["number"]
        assert number % 10 == 0
        assert event["trace"]["id"] == f"{number + 1:032x}"


@pytest.mark.parametrize(("status", "kept"), [(200, 0), (404, 0), (500, 1)])
def test_a_web_request_that_ends_with_a_server_error_is_one(written, status, kept):
    async def app(scope, receive, send):
        log.debug("detail")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(RequestMiddleware(app)(scope, receive, send))
    assert len([e for e in written() if e["message"] == "detail"]) == kept


def test_a_request_keeps_its_last_events_within_its_bound(written):
    with contextlib.suppress(ValueError), continue_trace(None):
        for number in range(5000):
            log.debug("x" * 1000, extra={"number": number})
        raise ValueError
    events = [e for e in written() if e["log.level"] == "debug"]
    numbers = [e["numeric_labels"]["number"] for e in events]
    assert numbers == list(range(5000 - len(numbers), 5000))
    assert REQUEST_BYTES / 2500 < len(numbers) < REQUEST_BYTES / 1000


def test_all_requests_together_keep_their_bound_and_give_it_back():
    class Nowhere:
        counters = None

    recorder = FlightRecorder(Nowhere())  # type: ignore[arg-type]
    open_requests = [Request() for _ in range(300)]
    for request in open_requests:
        with context.inside(context.opened(request)):
            for _ in range(300):
                recorder.write(b"x" * 900, b"y" * 100)
    assert recorder.total <= TOTAL_BYTES
    assert recorder.total > TOTAL_BYTES - 1000
    for request in open_requests[:-1]:
        request.close()
    open_requests.clear()
    del request
    assert recorder.total == 0


def test_threads_of_one_request_lose_nothing(written):
    def work(number):
        log.debug("detail", extra={"number": number})

    with (
        contextlib.suppress(ValueError),
        continue_trace(None),
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(flowery_logging.carried(work), range(200)))
        raise ValueError
    numbers = [e["numeric_labels"]["number"] for e in written() if e["message"] == "detail"]
    assert sorted(numbers) == list(range(200))
