"""Runs the blocks of a page one after the other in one folder, as its reader would.

A block of Python with a title is that file; one without is run. A block `sh` is run. In a block
`console` each line after `$` is a server: it is started, asked when it has a port, and ended. A
block `py` is a fragment, of which names come from elsewhere: it is compiled.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from examples.shop.ports import free_port

DEADLINE: Final = 300
"""Seconds that anything may take on a loaded machine."""
PORT: Final = "8000"
"""The port that the pages show; each run takes a free one."""
_BLOCK: Final = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_SHOWN: Final = {"json", "text", "yaml", "toml", "ini"}


class Block(NamedTuple):
    """A block of a page: its language, the file that it is, its text."""

    language: str
    title: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """Return the blocks of a page."""
    for language, title, text in _BLOCK.findall(page):
        yield Block(language, title, text)


class Reader:
    """Follows a page in a folder of its own, with the commands of an environment."""

    def __init__(self, folder: Path, commands: Path = Path(sys.executable).parent) -> None:
        self._folder = folder
        own = ("FLOWERY_", "OTEL_", "ELASTIC_", "DJANGO_", "PYTEST_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        path = f"{commands}:{os.environ['PATH']}"
        self._environment = {**kept, "PATH": path, "PYTHONPATH": str(folder)}

    def follow(self, page: str) -> None:
        """Do what each block of a page says."""
        for block in blocks(page):
            if block.title:
                (self._folder / block.title).write_text(block.text)
            elif block.language == "python":
                self.run("python", "-c", block.text)
            elif block.language == "py":
                compile(block.text, "fragment", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            elif block.language == "sh":
                self.run("bash", "-euo", "pipefail", "-c", block.text)
            elif block.language == "console":
                for line in block.text.splitlines():
                    self._serve(line.removeprefix("$ "))
            else:
                assert block.language in _SHOWN, block

    def run(self, *command: str) -> None:
        """Run one command, which has to succeed."""
        ran = subprocess.run(
            ["/usr/bin/env", *command],  # looks the command up in the environment's own path
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert ran.returncode == 0, f"{command[-1]}\n{ran.stdout}{ran.stderr}"

    def _serve(self, line: str) -> None:
        port = free_port()
        with (self._folder / "output").open("wb") as output:
            server = subprocess.Popen(
                line.replace(PORT, str(port)).split(),
                cwd=self._folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            before = self._events()
            self._until(server, lambda: _answers(port) if PORT in line else self._events() > before)
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # how servers end is tested elsewhere
            server.wait(DEADLINE)

    def _events(self) -> int:
        return sum(path.read_bytes().count(b"\n") for path in self._folder.rglob("*.ndjson"))

    def _until(self, server: subprocess.Popen[bytes], true: object) -> None:
        assert callable(true)
        deadline = time.monotonic() + DEADLINE
        while not true():
            said = (self._folder / "output").read_text(errors="replace")
            assert time.monotonic() < deadline, said
            assert server.poll() is None, said
            time.sleep(0.05)


def _answers(port: int) -> bool:
    """Tell whether a server answers, with whatever status."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
