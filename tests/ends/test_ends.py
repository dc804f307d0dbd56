"""What the audit says of each process of a server after each way to end it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ends.kinds import KINDS
from tests.ends.servers import Running, ends, running

TERM, INT, HUP, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL
CLEAN, SIGNAL, UNCLEAN = {"clean"}, {"signal"}, {"unclean"}

# What all processes are after a TERM, an INT and a graceful reload (with a TERM afterwards). A
# server that sends itself its signal again ends by it; where None stands there is no reload, and
# HUP ends the process.
TABLE = {
    "uvicorn": (SIGNAL, {"signal", "clean"}, None),
    "uvicorn --lifespan off": (SIGNAL, {"signal", "clean"}, None),
    "uvicorn --workers": (SIGNAL, {"signal", "clean"}, SIGNAL),
    "uvicorn --workers --lifespan off": (SIGNAL, {"signal", "clean"}, SIGNAL),
    "uvicorn --reload": (SIGNAL, {"signal", "clean"}, SIGNAL),
    "gunicorn sync": (CLEAN, CLEAN, CLEAN),
    "gunicorn sync --preload": (CLEAN, CLEAN, CLEAN),
    "gunicorn sync, our logger": (CLEAN, CLEAN, CLEAN),
    "gunicorn gthread": (CLEAN, CLEAN, CLEAN),
    "gunicorn gevent": (CLEAN, CLEAN, CLEAN),
    # At an INT gunicorn sends QUIT, which this worker does not heed, and then KILL.
    "gunicorn uvicorn": (SIGNAL, UNCLEAN, SIGNAL),
    "gunicorn asgi": (CLEAN, CLEAN, CLEAN),
    # When the first worker has ended it sends TERM to the others, which may just have ended too.
    "hypercorn": ({"signal", "clean"}, {"signal", "clean"}, {"signal", "clean"}),
    "hypercorn, no workers": (CLEAN, CLEAN, None),
    "granian asgi": (CLEAN, CLEAN, CLEAN),
    "granian wsgi": (CLEAN, CLEAN, CLEAN),
    "daphne": (CLEAN, CLEAN, None),
    "waitress": (SIGNAL, CLEAN, None),
    "waitress-serve": (SIGNAL, CLEAN, None),
    "uwsgi": (CLEAN, CLEAN, None),
    "uwsgi --master": (CLEAN, CLEAN, CLEAN),
    "celery prefork": (CLEAN, CLEAN, None),
    "celery threads": (CLEAN, CLEAN, None),
    "celery solo": (CLEAN, CLEAN, None),
}
KEEPS_ITS_CODE = {"gunicorn sync --preload"}
"""Whose new workers do not load the application again."""


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    kind = KINDS[request.param]
    with running(tmp_path, kind) as found:
        found.up(kind.loaded)
        yield found


def reload(server: Running, name: str) -> None:
    """Let a server exchange its workers, gracefully, and wait until the new ones have loaded."""
    loaded = server.loaded()
    before = server.answering() if name in KEEPS_ITS_CODE else frozenset()
    if name == "uvicorn --reload":
        server.until(lambda: has_seen_a_change(server))
    else:
        server.process.send_signal(HUP)
    if name in KEEPS_ITS_CODE:
        server.answering(but=before)
    else:
        server.up(2 * loaded)


def has_seen_a_change(server: Running) -> bool:
    """Change the application, unless its watcher has seen that: it may not watch yet."""
    if "Reloading" in server.output():
        return True
    program = server.folder / "main.py"
    if time.time() - program.stat().st_mtime > 2:
        with program.open("a") as file:
            file.write("# changed\n")
    return False


@pytest.mark.slow
@pytest.mark.parametrize("server", TABLE, indirect=True, ids=str)
def test_term(server, request):
    server.end(TERM)
    assert set(ends(server.logs)) <= TABLE[request.node.callspec.params["server"]][0]


@pytest.mark.slow
@pytest.mark.parametrize("server", TABLE, indirect=True, ids=str)
def test_int(server, request):
    server.end(INT)
    assert set(ends(server.logs)) <= TABLE[request.node.callspec.params["server"]][1]


@pytest.mark.slow
@pytest.mark.parametrize("server", TABLE, indirect=True, ids=str)
def test_hup(server, request):
    name = request.node.callspec.params["server"]
    expected = TABLE[name][2]
    if expected is None:
        server.end(HUP)
        assert set(ends(server.logs)) <= SIGNAL | CLEAN
    else:
        reload(server, name)
        server.end(TERM)
        assert set(ends(server.logs)) <= expected


@pytest.mark.slow
@pytest.mark.parametrize("server", TABLE, indirect=True, ids=str)
def test_kill(server):
    server.end(KILL)
    assert set(ends(server.logs)) == UNCLEAN
