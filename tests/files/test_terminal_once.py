"""On a terminal nothing stands twice: what the interpreter, a hook or a server prints there too."""

from __future__ import annotations

import pytest

from tests.files.terminals import Terminal, terminal
from tests.files.test_outputs import program

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
