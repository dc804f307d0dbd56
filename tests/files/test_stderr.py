"""Errors for people whose stderr is no terminal: each once, as plain lines."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from flowery_logging import ConfigError, config
from tests.files.conftest import Logs
from tests.files.test_outputs import run

DEADLINE = 300

QUEUE = "import logging.handlers as lh, queue; q = lh.QueueHandler(queue.Queue()); q.listener = lh.QueueListener(q.queue, logging.StreamHandler()); log.addHandler(q)"  # as dictConfig does from Python 3.12 on

HANDLERS = {
    "of logging": "logging.basicConfig()",
    "of the logger": "log.addHandler(logging.StreamHandler())",
    "that kept the stream": "log.addHandler(logging.StreamHandler(sys.__stderr__))",
    "above": "logging.getLogger('app').addHandler(logging.StreamHandler()); log = logging.getLogger('app.part.of')",
    "to the same place": "log.addHandler(logging.StreamHandler(open('/dev/stderr', 'w')))",
    "with a filter that lets it pass": "h = logging.StreamHandler(); h.addFilter(logging.Filter('app')); log.addHandler(h)",
    "with a filter that asks for more": "h = logging.StreamHandler(); h.addFilter(lambda r: r.pathname[0] != ''); log.addHandler(h)",
    "of a logger made by its class": "log = logging.Logger('made'); log.addHandler(logging.StreamHandler())",
    "behind a memory": "import logging.handlers as lh; log.addHandler(lh.MemoryHandler(9, target=logging.StreamHandler()))",
    "behind a queue": f"{QUEUE}; import atexit; q.listener.start(); atexit.register(q.listener.stop)",
    "of a class that changes the text": "H = type('H', (logging.StreamHandler,), {'emit': lambda h, r: logging.StreamHandler.emit(h, r)}); log.addHandler(H())",
    "of a class that writes by a method": "H = type('H', (logging.StreamHandler,), {'emit': lambda h, r: h.put(r.getMessage()), 'put': lambda h, t: h.stream.write('app: ' + t + '\\n')}); log.addHandler(H())",
    "of a class that writes by a function": "put = lambda text: print('app: ' + text, file=sys.stderr); H = type('H', (logging.StreamHandler,), {'emit': lambda h, r: put(r.getMessage())}); log.addHandler(H())",
    "of absl": "import absl.logging; log.addHandler(absl.logging.ABSLHandler(absl.logging.PythonFormatter()))",
    "of rich": "import rich.logging, rich.console; log.addHandler(rich.logging.RichHandler(console=rich.console.Console(file=sys.stderr)))",
}  # fmt: skip

NO_HANDLERS = {
    "none": "",
    "to stdout": "logging.basicConfig(stream=sys.stdout)",
    "to a file": "logging.basicConfig(filename=os.devnull)",
    "above its level": "h = logging.StreamHandler(); h.setLevel('CRITICAL'); log.addHandler(h)",
    "with a filter": "h = logging.StreamHandler(); h.addFilter(lambda record: False); log.addHandler(h)",
    "behind a queue that nobody reads": QUEUE,
    "of another logger": "logging.getLogger('other').addHandler(logging.StreamHandler())",
    "beyond propagate": "logging.basicConfig(); log.propagate = False; flowery_logging.setup()",
    "of a class that sends": "H = type('H', (logging.StreamHandler,), {'emit': lambda h, r: sent.append(h.format(r))}); sent = []; log.addHandler(H())",  # Google Cloud's, recipes for chats
    "of a class that sends by a method": "H = type('H', (logging.StreamHandler,), {'emit': lambda h, r: h.send(h.format(r)), 'send': lambda h, text: None}); log.addHandler(H())",
    "to a text": "import io; log.addHandler(logging.StreamHandler(io.StringIO()))",
}


def shown(tmp_path: Path, text: str, **setup: Any) -> list[str]:
    """The lines on stderr after the first one, which says where the logs are."""
    done = run(text, **{"directory": str(tmp_path / "logs"), "output": "file", **setup})
    assert done.returncode in {0, 1}
    first, *rest = done.stderr.splitlines()
    assert "FLOWERY_LOG_DIR" in first
    return rest


@pytest.mark.slow
def test_an_error_is_a_plain_line(tmp_path: Path) -> None:
    text = """
        log.info("not shown"); log.warning("not shown")
        log.error("주문 %d failed", 7, extra={"order_id": 7, "note": "two words", "long": "y" * 900})
    """
    (line,) = shown(tmp_path, text)
    head = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR app: 주문 7 failed "
    assert re.match(head, line)
    assert " order_id=7" in line
    assert " note='two words'" in line
    assert len(line) < 300


@pytest.mark.slow
def test_values_are_cut_and_quoted(tmp_path: Path) -> None:
    text = """
        log.error("m", extra={"a": "y" * 80, "b": "y" * 81, "c": "1\\n2", "d": ""})
    """
    (line,) = shown(tmp_path, text)
    whole, cut = "y" * 80, "y" * 80 + "…"
    assert line.endswith(f" ERROR app: m a={whole} b={cut} c='1\\n2' d=''")


@pytest.mark.slow
def test_a_traceback_stands_below_and_forges_no_line(tmp_path: Path) -> None:
    text = r"""
        try: raise ValueError("broken \x1b[31m\n2026-01-01T00:00:00.000Z ERROR app: forged")
        except ValueError: log.exception("evil \x1b[2J\n2026-01-01T00:00:00.000Z ERROR app: forged")
    """
    first, *rest = shown(tmp_path, text)
    assert "evil \\x1b[2J" in first
    assert all(line.startswith("    ") for line in rest)
    assert any("Traceback (most recent call last)" in line for line in rest)
    assert any("ValueError: broken" in line for line in rest)


WITHOUT_DESCRIPTOR = {
    "a buffer in memory": "raw = io.BytesIO(); seen = raw.getvalue",
    "a log of the server's, as mod_wsgi's": """
class Raw(io.BytesIO):
    def fileno(self): raise OSError("wsgi.errors log object has no file descriptor")
raw = Raw(); seen = raw.getvalue
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WITHOUT_DESCRIPTOR)
def test_a_stream_without_a_descriptor_shows_errors_too(tmp_path: Path, kind: str) -> None:
    text = f"""import io, os, sys
{WITHOUT_DESCRIPTOR[kind]}
sys.stderr = io.TextIOWrapper(raw, "utf-8")
import flowery_logging, logging
flowery_logging.setup("svc", directory={str(tmp_path)!r}, output="file")
logging.error("broken"); os.write(1, seen())"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    started, error = done.stdout.splitlines()
    assert "FLOWERY_LOG_DIR" in started
    assert error.endswith("ERROR root: broken")
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("level", ["warning", 30, "WARNING"])
def test_the_level_can_be_given(tmp_path: Path, level: Any) -> None:
    lines = shown(tmp_path, "log.info('a'); log.warning('b'); log.error('c')", stderr_level=level)
    assert [line.split()[1] for line in lines] == ["WARNING", "ERROR"]


@pytest.mark.slow
def test_levels_of_the_application_count_by_their_number(tmp_path: Path) -> None:
    text = """
        logging.addLevelName(25, "NOTICE"); logging.addLevelName(45, "IMPORTANT")
        flowery_logging.setup()
        for level in (25, 35, 45, 41, 50): log.log(level, "event")
    """
    levels = [re.split("Z | app:", line)[1] for line in shown(tmp_path, text)]
    assert levels == ["IMPORTANT", "LEVEL 41", "CRITICAL"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["\x1b[1;31mERROR\x1b[1;0m", "E", "오류", "엄청난 오류"])
def test_a_level_that_gets_another_name_later_is_shown(tmp_path: Path, name: str) -> None:
    text = f"logging.addLevelName(40, {name!r}); log.error('seen'); log.info('not')"
    (line,) = shown(tmp_path, text)
    assert line.endswith("app: seen")


@pytest.mark.slow
@pytest.mark.parametrize("name", [None, "", 7])
def test_whatever_a_level_is_named_no_call_raises(tmp_path: Path, name: Any) -> None:
    text = f"""
        logging.addLevelName(40, {name!r}); logging.addLevelName(20, "extra")
        log.error("a"); log.info("b"); log.critical("seen")
    """
    assert shown(tmp_path, text)[-1].endswith("app: seen")
    assert set(Logs(tmp_path / "logs").messages()) >= {"a", "b", "seen"}


@pytest.mark.slow
@pytest.mark.parametrize("level", ["OFF", "off"])
def test_it_can_be_turned_off(tmp_path: Path, level: str) -> None:
    assert shown(tmp_path, "log.error('a')", stderr_level=level) == []


@pytest.mark.slow
@pytest.mark.parametrize("handler", HANDLERS)
def test_what_another_handler_shows_is_not_shown_twice(tmp_path: Path, handler: str) -> None:
    done = run(f"{HANDLERS[handler]}\nlog.error('seen once')", directory=str(tmp_path))
    assert done.stderr.count("seen once") == 1, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("handler", NO_HANDLERS)
def test_what_no_handler_shows_is_shown(tmp_path: Path, handler: str) -> None:
    (line,) = shown(tmp_path, f"{NO_HANDLERS[handler]}\nlog.error('seen')")
    assert line.endswith("ERROR app: seen")


@pytest.mark.slow
def test_handlers_of_a_logger_made_by_its_class_show_nothing_of_another_name(
    tmp_path: Path,
) -> None:
    text = """
        other = logging.Logger("other"); other.addHandler(logging.StreamHandler())
        other.error("other"); log.error("seen")
    """
    other, line = shown(tmp_path, text)
    assert other == "other"
    assert line.endswith("ERROR app: seen")


SILENCED = "log.addHandler(logging.NullHandler()); log.propagate = False"


@pytest.mark.slow
@pytest.mark.parametrize("before", [SILENCED, f"{SILENCED}; log = log.getChild('part')"])
def test_what_is_silenced_on_purpose_is_not_shown(tmp_path: Path, before: str) -> None:
    """As Django's documentation says to do with `django.security.DisallowedHost`."""
    assert shown(tmp_path, f"{before}\nlog.error('a bot was here')") == []


@pytest.mark.slow
@pytest.mark.parametrize("library", ["multiprocessing", "billiard.util"])
def test_what_a_library_says_by_a_logger_set_apart_is_shown(tmp_path: Path, library: str) -> None:
    """As that a child of Celery's was killed; what such a child dies of has a name of its own."""
    (line,) = shown(tmp_path, f"import {library}\n{library}.get_logger().error('seen')")
    assert line.endswith("ERROR multiprocessing: seen")


@pytest.mark.slow
def test_a_filter_that_is_taken_away_counts_no_more(tmp_path: Path) -> None:
    text = """
        shown = logging.StreamHandler()
        shown.addFilter(lambda record: False)
        log.addHandler(shown)
        log.error("first")
        shown.filters.clear()
        log.error("second")
    """
    first, second = shown(tmp_path, text)
    assert first.endswith("ERROR app: first")
    assert second == "second"


DJANGO = "import django, django.conf; django.conf.settings.configure(DEBUG={debug}); django.setup()"


@pytest.mark.slow
@pytest.mark.parametrize("debug", [True, False])
def test_an_error_of_django_is_shown_once(tmp_path: Path, debug: bool) -> None:
    """By its own handler with `DEBUG`; without it, as in production, that one shows nothing."""
    error = "logging.getLogger('django.request').error('Internal Server Error: /boom')"
    lines = shown(tmp_path, f"{DJANGO.format(debug=debug)}\n{error}")
    assert sum("Internal Server Error: /boom" in line for line in lines) == 1
    assert sum("ERROR django.request:" in line for line in lines) == (not debug)


UNCAUGHT = {
    "in the main thread": "raise ValueError('once')",
    "in a thread": "import threading; t = threading.Thread(target=lambda: 1 / 0, name='once'); t.start(); t.join()",
    "in a destructor": "class X:\n    def __del__(self): raise ValueError('once')\nx = X(); del x",
}


FAILED_REQUEST = """
    import asyncio, logging.config
    from flowery_logging.integrations.asgi import RequestMiddleware
    {configured}
    async def app(scope, receive, send):
        raise ValueError("boom")
    async def request():
        scope = {{"type": "http", "method": "GET", "path": "/boom", "headers": []}}
        try:
            await RequestMiddleware(app)(scope, None, None)
        except ValueError as error:
            logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    asyncio.run(request())
"""
BY_THE_SERVER = (
    """logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)"""
)


@pytest.mark.slow
def test_a_failed_request_is_shown_although_django_has_configured_its_own_server(
    tmp_path: Path,
) -> None:
    configured = DJANGO.format(debug=False)
    lines = shown(tmp_path, FAILED_REQUEST.format(configured=configured))
    assert sum("ValueError: boom" in line for line in lines) == 1
    assert sum("flowery_logging.access: GET /boom" in line for line in lines) == 1


@pytest.mark.slow
def test_a_failed_request_is_shown_where_the_server_is_to_be_quiet(tmp_path: Path) -> None:
    """As by `uvicorn --log-level critical`."""
    configured = (
        "import uvicorn.config; logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG);"
        " [logging.getLogger(f'uvicorn.{name}').setLevel('CRITICAL') for name in ('error', 'access')]"
    )
    lines = shown(tmp_path, FAILED_REQUEST.format(configured=configured))
    assert sum("ValueError: boom" in line for line in lines) == 1
    assert sum("flowery_logging.access: GET /boom" in line for line in lines) == 1


@pytest.mark.slow
@pytest.mark.parametrize("server", [True, False])
def test_a_failed_request_is_shown_once(tmp_path: Path, server: bool) -> None:
    """By the server, if it shows its errors; else by us."""
    configured = "import uvicorn.config; logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)"
    lines = shown(tmp_path, FAILED_REQUEST.format(configured=configured if server else ""))
    assert sum("ValueError: boom" in line for line in lines) == 1
    assert sum(line.startswith("ERROR:") for line in lines) == server
    assert sum("flowery_logging.access: GET /boom" in line for line in lines) == (not server)


WSGI_REQUEST = """
import io, traceback, wsgiref.handlers, wsgiref.util
from flowery_logging.integrations.wsgi import RequestMiddleware
@RequestMiddleware
def app(environ, start_response): raise ValueError("boom")
environ = {{{environ}}}
wsgiref.util.setup_testing_defaults(environ)
{serve}
"""
BY_ITSELF = "try: app(environ, print)\nexcept ValueError: traceback.print_exc()"
PRINTING_SERVERS = {
    "wsgiref": (
        "",
        "wsgiref.handlers.SimpleHandler(io.BytesIO(), io.BytesIO(), sys.stderr, environ).run(app)",
    ),
    "mod_wsgi": ("'mod_wsgi.version': (6, 1, 1)", BY_ITSELF),
    "uwsgi": ("'uwsgi.version': b'2.0.31'", BY_ITSELF),
}


@pytest.mark.slow
@pytest.mark.parametrize("server", PRINTING_SERVERS)
def test_a_failed_request_is_shown_once_by_servers_that_print_it(
    tmp_path: Path, server: str
) -> None:
    environ, serve = PRINTING_SERVERS[server]
    lines = shown(tmp_path, WSGI_REQUEST.format(environ=environ, serve=serve))
    assert sum("ValueError: boom" in line for line in lines) == 1


@pytest.mark.slow
def test_a_failed_request_is_shown_where_the_server_takes_it_for_the_client(
    tmp_path: Path,
) -> None:
    """As wsgiref, which says nothing of a connection that was reset, whosever it was."""
    environ, serve = PRINTING_SERVERS["wsgiref"]
    text = WSGI_REQUEST.format(environ=environ, serve=serve)
    lines = shown(tmp_path, text.replace('ValueError("boom")', 'ConnectionResetError("boom")'))
    assert sum("ConnectionResetError: boom" in line for line in lines) == 1


@pytest.mark.slow
def test_a_failed_request_is_shown_where_nobody_prints_it(tmp_path: Path) -> None:
    serve = "try: app(environ, print)\nexcept ValueError: pass"
    lines = shown(tmp_path, WSGI_REQUEST.format(environ="", serve=serve))
    assert sum("ValueError: boom" in line for line in lines) == 1


@pytest.mark.slow
@pytest.mark.parametrize("logger", ["daphne.server", "waitress", "tornado.application"])
@pytest.mark.parametrize("server", [True, False])
def test_a_failed_request_is_shown_once_by_servers_that_log_to_the_root_logger(
    tmp_path: Path, logger: str, server: bool
) -> None:
    """They call `logging.basicConfig()`, as a rule."""
    program = FAILED_REQUEST.replace("uvicorn.error", logger)
    configured = f"logging.getLogger({logger!r})" + ("; logging.basicConfig()" if server else "")
    lines = shown(tmp_path, program.format(configured=configured))
    assert sum("ValueError: boom" in line for line in lines) == 1
    assert sum(line.startswith(f"ERROR:{logger}:") for line in lines) == server


@pytest.mark.slow
@pytest.mark.parametrize(("worker", "logs"), [("sync", True), ("gasgi", False)])
def test_a_failed_request_is_shown_once_whichever_worker_gunicorn_has(
    tmp_path: Path, worker: str, logs: bool
) -> None:
    """Its worker for ASGI says nothing once the response is complete."""
    if find_spec(f"gunicorn.workers.{worker}") is None:
        pytest.skip("this gunicorn has no such worker")
    program = FAILED_REQUEST if logs else FAILED_REQUEST.replace(BY_THE_SERVER, "pass")
    configured = (
        f"import gunicorn.workers.{worker};"
        " logging.getLogger('gunicorn.error').addHandler(logging.StreamHandler())"
    )
    program = program.replace("uvicorn.error", "gunicorn.error").format(configured=configured)
    lines = shown(tmp_path, program)
    assert sum("ValueError: boom" in line for line in lines) == 1


@pytest.mark.slow
@pytest.mark.parametrize("place", UNCAUGHT)
def test_what_the_interpreter_prints_is_not_shown_twice(tmp_path: Path, place: str) -> None:
    lines = shown(tmp_path, UNCAUGHT[place])
    text = "\n".join(lines)
    assert text.count("Traceback (most recent call last)") == 1
    assert text.count("ERROR") + text.count("CRITICAL") == 0
    assert len(Logs(tmp_path / "logs").messages()) == 1


@pytest.mark.slow
def test_the_console_is_enough(tmp_path: Path) -> None:
    done = run("log.error('once')", directory=str(tmp_path), output="file,console")
    assert done.stderr.count("once") == 1


@pytest.mark.slow
def test_a_terminal_gets_no_plain_lines(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    text = (
        f"import flowery_logging as f; f.setup('svc', directory={str(tmp_path)!r}, output='file')"
    )
    process = subprocess.Popen([sys.executable, "-c", f"{text}; f.get_logger().error('x y z')"], stderr=follower)  # fmt: skip
    assert process.wait(DEADLINE) == 0
    os.close(follower)
    assert b"x y z" not in os.read(leader, 65_536)
    os.close(leader)


@pytest.mark.slow
def test_lines_on_stdout_are_enough_unless_asked_for(tmp_path: Path) -> None:
    assert run("log.error('once')", output="stdout").stderr == ""
    assert "once" in run("log.error('once')", output="stdout", stderr_level="ERROR").stderr


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"stderr_level: unknown level: 'loud' .*, or OFF"):
        config.resolve({"service": "s", "output": "none"}, {"FLOWERY_LOG_STDERR_LEVEL": "loud"})


@pytest.mark.slow
def test_where_nothing_can_be_written_the_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    text = "import flowery_logging as f; f.setup('svc', output='file'); f.get_logger().info('x')"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "set FLOWERY_LOG_DIR" in done.stderr or "FLOWERY_LOG_DIR names" in done.stderr
    assert '"message":"x"' in done.stdout


@pytest.mark.slow
def test_a_configuration_error_is_said_by_the_exception_alone(tmp_path: Path) -> None:
    text = "import flowery_logging; flowery_logging.setup('svc', level='loud')"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.stderr.count("loud'") == 1 + done.stderr.count("setup('svc', level='loud')")
    assert "flowery_logging: " not in done.stderr


APPLICATION = """
import flowery_logging; flowery_logging.setup(service="svc", directory={directory!r}, output="file")
raise RuntimeError("no such database")
"""

CONFIGURATION = """
import flowery_logging; flowery_logging.setup(service="svc", directory={directory!r}, output="file")
logger_class = "flowery_logging.integrations.gunicorn.Logger"
control_socket_disable = True
"""

SERVERS = {
    "uvicorn": ["uvicorn", "--port", "0", "site_:app"],
    "gunicorn": ["gunicorn", "-b", "127.0.0.1:0", "--no-control-socket", "site_:app"],
    "gunicorn, our logger": ["gunicorn", "-b", "127.0.0.1:0", "-c", "conf.py", "site_:app"],
}


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_why_a_server_did_not_boot_is_shown_once(tmp_path: Path, server: str) -> None:
    options = {"directory": str(tmp_path / "logs")}
    (tmp_path / "site_.py").write_text(APPLICATION.format(**options))
    (tmp_path / "conf.py").write_text(CONFIGURATION.format(**options))
    done = subprocess.run(
        [sys.executable, "-m", *SERVERS[server]],
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.count("RuntimeError: no such database") == 1, done.stderr


@pytest.mark.slow
def test_why_a_server_got_no_port_is_shown_once(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(CONFIGURATION.format(directory=str(tmp_path / "logs")))
    (tmp_path / "site_.py").write_text("app = None")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "gunicorn", "-b", bind, "-c", "conf.py", "site_:app"],
            cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.count("Can't connect to ('127.0.0.1'") == 1, done.stderr


@pytest.mark.slow
def test_a_request_that_failed_is_told_as_on_the_console(tmp_path: Path) -> None:
    """Its address, path and measures stand in the message, or are for machines."""
    text = """
        from flowery_logging.integrations.wsgi import RequestMiddleware
        def app(environ, start_response):
            start_response("503 Service Unavailable", [])
            return [b""]
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "QUERY_STRING": "page=2",
                   "REMOTE_ADDR": "1.2.3.4", "HTTP_USER_AGENT": "curl/8"}
        list(RequestMiddleware(app)(environ, lambda *given: None))
    """
    (line,) = shown(tmp_path, text)
    assert re.fullmatch(
        r"\S+Z ERROR flowery_logging\.access: GET /a\?page=2 503 [\d.]+ ms trace=\w{8}", line
    )
