"""Colours and columns are those of what takes a line now: others may have put a stream there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.terminals import Terminal, terminal
from tests.files.test_outputs import program

pytestmark = pytest.mark.slow

__all__ = ["terminal"]

LONG = "a long message " * 20
NO_TERMINALS = {
    "a text": """
        import contextlib, io
        with contextlib.redirect_stderr(io.StringIO()) as taken: log.warning(LONG)
        found = taken.getvalue()
    """,
    "a file": """
        import contextlib
        with open("taken", "w") as taken, contextlib.redirect_stderr(taken): log.warning(LONG)
        found = open("taken").read()
    """,
    "the runner of click": """
        import click, click.testing
        @click.command()
        def command(): log.warning(LONG)
        found = click.testing.CliRunner().invoke(command).output
    """,
    "a capture of pytest": """
        from _pytest.capture import SysCapture
        capture = SysCapture(2)
        capture.start(); log.warning(LONG); found = capture.snap(); capture.done()
    """,
    "another file at the descriptor": """
        kept = os.dup(2)
        os.dup2(os.open("taken", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        log.warning(LONG)
        os.dup2(kept, 2)
        found = open("taken").read()
    """,
    "an object that says it is a terminal": """
        class Tee:
            def __init__(self, *streams): self.streams = streams
            def write(self, text): [stream.write(text) for stream in self.streams]
            def flush(self): pass
            def isatty(self): return True
        import io
        taken = io.StringIO()
        sys.stderr = Tee(taken)
        log.warning(LONG)
        sys.stderr = sys.__stderr__
        found = taken.getvalue()
    """,
}


@pytest.mark.parametrize("text", NO_TERMINALS.values(), ids=NO_TERMINALS)
def test_what_is_no_terminal_gets_whole_lines_without_colours(
    terminal: Terminal, tmp_path: Path, text: str
) -> None:
    lines = [line.removeprefix(" " * 8) for line in text.splitlines()]
    body = "\n".join([
        f"LONG = {LONG!r}", "log.warning('before')", *lines, "log.warning('behind')",
        "open('found', 'w').write(found)",
    ])  # fmt: skip
    terminal.run(program(body, output="file,console", directory="logs"))
    found = (tmp_path / "found").read_text()
    assert LONG.strip() in found
    assert "\x1b" not in found
    assert terminal.raw.count("\x1b[33mwarning\x1b[0m") == 2, terminal.raw


TERMINALS = {
    "rich": "import rich.live, rich.console; live = rich.live.Live('', console=rich.console.Console(stderr=True)); live.start(); log.warning('shown'); live.stop()",
    "colorama": "import colorama; colorama.init(autoreset=True); log.warning('shown')",
    "the terminal opened again": "sys.stderr = open(os.ttyname(2), 'w'); log.warning('shown')",
}  # fmt: skip


@pytest.mark.parametrize("text", TERMINALS.values(), ids=TERMINALS)
def test_what_hands_colours_on_to_a_terminal_gets_them(terminal: Terminal, text: str) -> None:
    terminal.run(program(text, output="file,console", directory="logs"))
    (line,) = [line for line in terminal.raw.splitlines() if "shown" in line]
    assert "\x1b[33mwarning" in line


@pytest.mark.parametrize("raw", [False, True])
def test_a_proxy_of_prompt_toolkit_gets_colours_if_it_hands_them_on(
    terminal: Terminal, raw: bool
) -> None:
    text = f"""
from prompt_toolkit.patch_stdout import patch_stdout
with patch_stdout(raw={raw}): log.warning("shown")
"""
    process = program(text, output="file,console", directory="logs")
    terminal.run(process, stdout=terminal.follower, stdin=terminal.follower)
    assert "?[33m" not in terminal.raw
    assert ("\x1b[33mwarning" in terminal.raw) is raw
    assert "shown" in terminal.text
