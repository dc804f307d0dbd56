"""What tests of an application replace (clocks, calls of `os`) reaches neither lines nor retention."""

from __future__ import annotations

import subprocess

import pytest

from tests.files.conftest import Logs


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


NAMES = [
    "time.time", "time.monotonic", "os.write", "os.open", "os.close", "os.fstat", "os.stat",
    "os.getpid", "os.urandom", "os.mkdir", "os.makedirs", "os.path.join", "os.scandir",
    "os.utime", "os.unlink", "os.fspath",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the first event", "later"])
def test_a_mock_does_not_reach_us(logs: Logs, when: str) -> None:
    program = f"""
        from unittest import mock
        for name in {NAMES}:
            if {when!r} == "later": log.info("first")
            with mock.patch(name, side_effect=AssertionError("mocked")):
                for n in range(10): log.info("%s %d", name, n)
                flowery_logging.get_logger().info("last")
                flowery_logging.runtime.checkpoint()
            writer().close()
    """
    ok(logs.run(program, setup="max_bytes=5_000"))
    logs.check_sequences()
    expected = [text for name in NAMES for text in (*(f"{name} {n}" for n in range(10)), "last")]
    assert [m for m in logs.messages() if m != "first"] == expected
    assert len(logs.files()) >= 2 * len(NAMES)


@pytest.mark.parametrize("name", ["time.time", "os.getpid", "os.fspath"])
def test_the_first_logger_may_be_made_while_something_is_mocked(logs: Logs, name: str) -> None:
    """Neither the import of what makes it nor the look for the file of its caller is reached."""
    program = f"""
        from unittest import mock
        import time
        with mock.patch({name!r}, side_effect=AssertionError("mocked")) as mocked:
            flowery_logging.get_logger().info("first")
            assert {name} is mocked
        with mock.patch("time.time", lambda: 0.0):
            flowery_logging.get_logger("svc").info("second")
    """
    ok(logs.run(program, setup=""))
    assert logs.messages() == ["first", "second"]
    assert all(not record["@timestamp"].startswith("1970") for record in logs.records())


def test_all_of_os_mocked(logs: Logs) -> None:
    program = """
        from unittest import mock
        mocks = {name: mock.Mock(side_effect=AssertionError(name))
            for name in vars(os) if callable(getattr(os, name)) and name.islower()}
        del mocks["fspath"]  # without which plain logging raises
        with mock.patch.dict(vars(os), mocks):
            for n in range(40): log.info("event %d", n)
    """
    ok(logs.run(program, setup="max_bytes=5_000"))
    logs.check_sequences()
    assert logs.messages() == [f"event {n}" for n in range(40)]


@pytest.mark.slow
def test_a_frozen_clock_removes_no_file_and_stops_no_look(logs: Logs) -> None:
    """Freezegun also replaces what modules have imported. Events say the time it says."""
    pytest.importorskip("freezegun")
    program = f"""
        import freezegun
        log.info("before")
        target = writer()._journal.target
        due, target.look_at = target.look_at, float("inf")  # else a slow machine looks once more
        with freezegun.freeze_time("2050-01-01"):
            for n in range(60): log.info("frozen %d", n)
            flowery_logging.get_logger().info("frozen too")
        for path in os.scandir({str(logs.directory)!r}): os.unlink(path)
        target.look_at = due - 1
        log.info("after")
    """
    ok(logs.run(program, setup="max_bytes=1_000_000, keep_days=1, keep_bytes=1"))
    logs.check_sequences(ordered=False)  # what was removed is written again behind a header
    frozen = [r for r in logs.records() if r["message"].startswith("frozen")]
    assert len(frozen) == 61
    assert {r["@timestamp"] for r in frozen} == {"2050-01-01T00:00:00.000000Z"}
    assert logs.messages()[-1] == "after"


@pytest.mark.slow
def test_retention_at_a_frozen_clock(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 2050 all files of today are old; the file system knows better."""
    pytest.importorskip("freezegun")
    program = """
        import freezegun
        log.info("before")
        flowery_logging.shutdown()
        with freezegun.freeze_time("2050-01-01"):
            flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file", keep_days=1)
            for n in range(60): log.info("frozen %d", n)
    """
    monkeypatch.setenv("LOGS", str(logs.directory))
    ok(logs.run(program, setup="max_bytes=5_000"))
    assert "before" in logs.messages()
    logs.check_sequences()


def test_modules_torn_down(logs: Logs) -> None:
    """At the interpreter's end nothing can be imported, and a file may still be full or gone."""
    program = """
        class Late:
            def __init__(self): self.log, self.modules = log, sys.modules
            def __del__(self):
                self.modules.clear()
                for n in range(60): self.log.info("late %d", n, extra={"a": [n]})
        late = Late()
        log.info("before")
    """
    ok(logs.run(program, setup="max_bytes=5_000, keep_bytes=1"))
    logs.check_sequences()
    assert logs.messages() == ["before", *(f"late {n}" for n in range(60))]


CLOCKS = [
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter_ns",
    "time.thread_time_ns",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_of_a_test_reaches_no_kind_of_event(logs: Logs, name: str) -> None:
    """Nor is it asked: a mock may have a list of values, all of which the test needs itself."""
    program = f"""
        from unittest import mock
        from wsgiref.util import setup_testing_defaults
        from flowery_logging.integrations import wsgi
        def application(environ, start_response):
            log.info("within")
            start_response("500 Broken", [])
            return [b"x"]
        app = wsgi.RequestMiddleware(application)
        environ = {{}}
        setup_testing_defaults(environ)
        def caught():
            try: 1 / 0
            except ZeroDivisionError as error: return error
        error = caught()
        with mock.patch({name!r}, side_effect=AssertionError("mocked")) as mocked:
            response = app(environ, lambda *_: None)
            assert list(response) == [b"x"]
            response.close()
            with flowery_logging.continue_trace({{}}): flowery_logging.get_logger().error("job")
            sys.excepthook(type(error), error, error.__traceback__)
            assert not mocked.called
        with mock.patch({name!r}):  # a record of `logging` asks it
            log.exception("caught", exc_info=error)
            flowery_logging.ECSFormatter().format(log.makeRecord("app", 20, "", 0, "m", (), None))
    """
    ok(logs.run(program, setup="flood='9/1h', sample=0.0"))
    logs.check_sequences()
    expected = ["within", "GET / 500", "job", "Uncaught exception", "caught"]
    assert logs.messages() == expected


@pytest.mark.slow
def test_a_frozen_clock_does_not_tell_how_long_a_request_took(logs: Logs) -> None:
    pytest.importorskip("freezegun")
    program = """
        import freezegun
        from wsgiref.util import setup_testing_defaults
        from flowery_logging.integrations import wsgi
        def application(environ, start_response):
            start_response("200 OK", [])
            return [b"x"]
        environ = {}
        setup_testing_defaults(environ)
        with freezegun.freeze_time("2050-01-01"):
            response = wsgi.RequestMiddleware(application)(environ, lambda *_: None)
            list(response), response.close()
    """
    ok(logs.run(program))
    (access,) = (r for r in logs.records() if r["log"].get("logger") == "flowery_logging.access")
    assert access["@timestamp"] == "2050-01-01T00:00:00.000000Z"
    assert 0 < access["event"]["duration"] < 600 * 10**9


def test_requests_that_are_left_out_by_chance_leave_seeded_numbers_alone(logs: Logs) -> None:
    program = """
        import random
        from wsgiref.util import setup_testing_defaults
        from flowery_logging.integrations import wsgi
        def application(environ, start_response):
            start_response("200 OK", [])
            return [b"x"]
        app, environ = wsgi.RequestMiddleware(application, quiet={"/": 0.5}), {}
        setup_testing_defaults(environ)
        random.seed(7)
        for _ in range(50):
            assert list(app(environ, lambda *_: None)) == [b"x"]
        number = random.random()
        random.seed(7)
        assert number == random.random()
    """
    ok(logs.run(program))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["compile", "sub", "split", "search", "match", "fullmatch"])
def test_a_mocked_module_of_patterns_hides_no_text_and_shows_no_secret(
    logs: Logs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not either later: many patterns are compiled at the first text that needs them, and kept."""
    program = f"""
        from unittest import mock
        texts = [
            "card 4111111111111111 of kim", "postgres://kim:Xy12ab34@db/x", "call 010-1234-5678",
            "SELECT id FROM users WHERE password = 'Xy12ab34'", "login --password Xy12ab34 done",
            '{{"name": "api.token", "value": "Xy12ab34"}}', "password=Xy12ab34",
            "Authorization: Bearer Xy12ab34Xy12ab34Xy12ab34", "GET /a?token=Xy12ab34&b=1",
        ]
        parts = [("login.password", "Xy12ab34")]
        for when in ("mocked", "later"):
            with mock.patch("re." + {name!r} if when == "mocked" else "re.purge") as mocked:
                for text in texts:
                    log.info(text + " " + when, extra={{"headers": parts, "phone": "010 1234 5678"}})
            assert when == "later" or not mocked.called, mocked.mock_calls[:1]
    """
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", "at least 16 characters")
    ok(logs.run(program, setup="redact_personal=('phone',), pseudonyms=('phone',)"))
    logs.check_sequences()
    records = [r for r in logs.records() if r["log"].get("logger") == "app"]
    assert len(records) == 18
    for mocked, later in zip(records[:9], records[9:], strict=True):
        assert "[redacted" in mocked["message"]
        assert mocked["message"].replace("mocked", "later") == later["message"]
        assert mocked["labels"] == later["labels"]
    assert "Xy12ab34" not in "".join(path.read_text() for path in logs.files())
