"""On a terminal nothing stands twice: what the interpreter, a hook or a server prints there too."""

from __future__ import annotations

import re

import pytest

from tests.files.terminals import Terminal, terminal
from tests.files.test_outputs import program

pytestmark = pytest.mark.slow

__all__ = ["terminal"]

PRINTED = {
    "in the main thread": "raise ValueError(ONCE)",
    "in a thread": "import threading; t = threading.Thread(target=int, args=(ONCE,)); t.start(); t.join()",
    "in a destructor": "class X:\n    def __del__(self): raise ValueError(ONCE)\nx = X(); del x",
    "in a process": "import multiprocessing as m; p = m.get_context('fork').Process(target=int, args=(ONCE,)); p.start(); p.join()",
    "by a hook of somebody's": "sys.excepthook = lambda *error: print('mine:', error[1], file=sys.stderr)\nraise ValueError(ONCE)",
    "by rich": "import rich.traceback; rich.traceback.install(); int(ONCE)",
    "a warning": "import warnings; warnings.warn(ONCE)",
    "a warning that is captured": "import warnings; logging.captureWarnings(True); warnings.warn(ONCE)",
}  # fmt: skip


@pytest.mark.parametrize("text", PRINTED.values(), ids=PRINTED)
def test_what_the_interpreter_prints_is_shown_once(terminal: Terminal, text: str) -> None:
    """In the words of the interpreter; a captured warning, which nobody prints, in ours."""
    text = f"ONCE = 'on' + 'ce'\n{text}"
    shown = terminal.run(program(text, output="file,console", directory="logs"))
    assert shown.count("once") == 1, shown


HYPERCORN = """
import asyncio, urllib.error, urllib.request
import hypercorn.asyncio, hypercorn.config
from fastapi import FastAPI
from flowery_logging.integrations import fastapi
app = FastAPI()
fastapi.instrument(app)
@app.get("/fails")
def fails():
    raise ValueError("o" + "nce")
def ask(port):
    try: urllib.request.urlopen(f"http://127.0.0.1:{port}/fails", timeout=100)
    except urllib.error.HTTPError as error: assert error.code == 500
async def main():
    config = hypercorn.config.Config()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        config.bind = [f"fd://{listening.fileno()}"]
        end = asyncio.Event()
        serving = asyncio.create_task(hypercorn.asyncio.serve(app, config, shutdown_trigger=end.wait))
        await asyncio.to_thread(ask, port)
        end.set()
        await serving
import socket
asyncio.run(main())
"""  # fmt: skip


@pytest.mark.slow
def test_beside_hypercorn_no_line_is_shown_twice(terminal: Terminal) -> None:
    """It adds its handler when it serves, which is after `setup()`."""
    shown = terminal.run(program(HYPERCORN, output="file,console", directory="logs"))
    assert shown.count("Running on http://") == 1, shown
    assert shown.count("ValueError: once") == 1, shown
    assert "[INFO]" not in shown


BARS = """
import tqdm, tqdm.contrib.logging, threading
before = logging.getLogger().handlers
with {redirected}:
    for n in tqdm.tqdm(range(5), mininterval=0, desc="bar"): log.info("event %d", n)
assert logging.getLogger().handlers is before
log.info("behind")
flowery_logging.shutdown()
assert logging.getLogger().handlers == [], logging.getLogger().handlers
"""


@pytest.mark.parametrize(
    "redirected", ["tqdm.contrib.logging.logging_redirect_tqdm()", "threading.Lock()"]
)
def test_beside_a_bar_of_tqdm_each_event_has_a_row_of_its_own(
    terminal: Terminal, redirected: str
) -> None:
    pytest.importorskip("tqdm")
    body = BARS.format(redirected=redirected)
    shown = terminal.run(program(body, output="file,console", directory="logs"))
    rows = [row.rpartition("\r")[2] for row in shown.split("\n")]
    events = [row for row in rows if "event" in row]
    assert len(events) == 5, shown
    assert all(re.fullmatch(r"[\d:.]+ info +svc event \d", row.rstrip()) for row in events), events
    assert any(row.startswith("bar: 100%") for row in rows)
