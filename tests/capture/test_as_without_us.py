"""Where Python looks whether a hook is its own: it says what it would say without us."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

SETUP = "import flowery_logging\nflowery_logging.setup('svc', directory='logs', output='file')\n"


def said(folder, program, *options, ours, text="", before=""):
    """Run a program with us or without; return its outputs, without our first line, and events."""
    setup = SETUP if ours else ""
    (folder / "program.py").write_text(before + setup + textwrap.dedent(program))
    done = subprocess.run(
        [sys.executable, *options, *([] if text else ["program.py"])], cwd=folder, check=True,
        input=setup + text, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHON_BASIC_REPL": "1"},
    )  # fmt: skip
    shown = [line for line in done.stderr.splitlines() if not line.startswith("flowery_logging: ")]
    lines = [line for path in folder.glob("logs/*") for line in path.read_text().splitlines()]
    events = [e for e in map(json.loads, lines) if e["log"]["logger"] != "flowery_logging"]
    return (done.stdout, shown), events


CONSOLE = """
import code, sys
class Remote(code.InteractiveConsole):
    sent = ""
    def write(self, data): Remote.sent += data
console = Remote(filename="<remote>")
for line in ("1/0", "a b", "def f(): raise KeyError('x')", "", "f()"):
    console.push(line)
print(Remote.sent)
"""


@pytest.mark.slow
def test_a_console_shows_errors_by_its_own_write_and_they_are_no_programs(tmp_path):
    plain, _ = said(tmp_path, CONSOLE, ours=False)
    ours, events = said(tmp_path, CONSOLE, ours=True)
    assert ours == plain
    assert "ZeroDivisionError" in plain[0]
    assert events == []


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_hook_of_somebodys_own_takes_precedence_over_the_consoles_write(tmp_path, late):
    theirs = "import sys\nsys.excepthook = lambda kind, *_: print('theirs', kind)\n"
    before, after = ("", theirs) if late else (theirs, "")
    plain, _ = said(tmp_path, after + CONSOLE, ours=False, before=before)
    ours, _ = said(tmp_path, after + CONSOLE, ours=True, before=before)
    assert ours == plain
    assert "theirs <class 'ZeroDivisionError'>" in plain[0]


@pytest.mark.slow
def test_what_is_typed_into_asyncios_console_is_no_programs(tmp_path):
    (_, shown), events = said(tmp_path, "", "-m", "asyncio", ours=True, text="1/0\n")
    assert any("ZeroDivisionError" in line for line in shown)
    assert events == []


UNCLOSED = """
async def never_awaited(): pass
never_awaited()
open("program.py")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [(), pytest.param(("-X", "tracemalloc=5"), marks=pytest.mark.slow)]
)
def test_a_warning_says_where_its_object_was_made(tmp_path, options):
    plain, _ = said(tmp_path, "\n\n" + UNCLOSED, "-W", "default", *options, ours=False)
    ours, events = said(tmp_path, UNCLOSED, "-W", "default", *options, ours=True)
    assert ours == plain
    assert any("tracemalloc" in line or "allocated at" in line for line in plain[1])
    assert len(events) == 2


@pytest.mark.slow
def test_a_warning_behind_somebodys_own_hook_is_theirs(tmp_path):
    theirs = "import warnings\nwarnings.showwarning = lambda *given: print(*given)\n" + UNCLOSED
    plain, _ = said(tmp_path, theirs + "\n\n", "-W", "default", ours=False)
    ours, _ = said(tmp_path, theirs, "-W", "default", ours=True)
    assert len(ours[0].splitlines()) == len(plain[0].splitlines()) == 2
    assert ours[1] == plain[1]


@pytest.mark.slow
def test_a_module_of_the_programs_that_has_the_name_of_the_consoles(tmp_path):
    (tmp_path / "code.py").write_text(
        "import sys\n"
        "class Job:\n"
        "    def tell(self): sys.excepthook(*sys.exc_info())\n"
        "    def run(self):\n"
        "        try: 1 / 0\n"
        "        except ZeroDivisionError: self.tell()\n"
    )
    program = "import code\ncode.Job().run()\n"
    plain, _ = said(tmp_path, program, ours=False)
    ours, events = said(tmp_path, program, ours=True)
    assert ours == plain
    assert [e["message"] for e in events] == ["Uncaught exception"]
