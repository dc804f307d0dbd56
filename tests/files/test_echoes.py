"""What was shown comes back only if it was logged again: no event hides another one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.files.test_console import on_terminal
from tests.files.test_outputs import run

pytestmark = pytest.mark.slow

REFUSED = "payment refused for customer 7: the connection to the upstream service was refused"
TEE = """
class Tee:
    def __init__(self, stream): self.stream = stream
    def write(self, text): return self.stream.write(text)
    def flush(self): self.stream.flush()
    def isatty(self): return self.stream.isatty()
import sys; sys.stderr = Tee(sys.stderr)
"""


def test_an_error_that_happens_again_is_shown_again(tmp_path: Path) -> None:
    """The message takes two rows, and the second row of the first event stands in the others."""
    body = f"{TEE}\nfor _ in range(3): log.error('{REFUSED}, try again')"
    text = on_terminal(body, tmp_path, 80, NO_COLOR="1")
    assert len(re.findall(r"error +orders payment refused", text)) == 3, text


FAILED = """
def fail():
    raise ConnectionError("the upstream service refused the connection")
try: fail()
except ConnectionError: log.exception("no payment")
"""
HIDDEN = {
    "a heading within a message": "worker 3 said: Traceback (most recent call last):",
    "a heading alone": "Traceback (most recent call last):",
    "the text of an exception": "ConnectionError: the upstream service refused the connection",
}


@pytest.mark.parametrize("output", ["file", "file,console"])
@pytest.mark.parametrize("message", HIDDEN.values(), ids=HIDDEN)
def test_what_stood_in_a_traceback_may_be_a_message(
    tmp_path: Path, message: str, output: str
) -> None:
    text = f"{TEE}{FAILED}for _ in range(2): log.error({message!r})"
    shown = run(text, output=output, directory=str(tmp_path)).stderr
    event = re.compile(rf"^\S+ error .*{re.escape(message)}$", re.IGNORECASE | re.MULTILINE)
    assert len(event.findall(shown)) == 2, shown
