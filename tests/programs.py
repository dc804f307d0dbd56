"""Runs programs that use the package, each in a process of its own, without waiting for imports.

A process that has imported the package, and done nothing else, forks for each program: most of the
second that a new interpreter takes is spared. What is uncaught in a program ends it as it would
end any other.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "import flowery_logging.ecs; flowery_logging.ecs.encoders()"

SERVER = """
import json, os, socket, sys, time
%s
_socket = socket.socket(fileno=int(sys.argv[1]))
while True:
    _job, _fds, _, _ = socket.recv_fds(_socket, 1 << 20, 2)
    if not _job:
        os._exit(0)
    _pid = os.fork()
    if _pid == 0:
        break
    for _fd in _fds:
        os.close(_fd)
    _socket.send(b"%%d" %% _pid)
    _socket.send(b"%%d" %% os.waitstatus_to_exitcode(os.waitpid(_pid, 0)[1]))
_socket.close()
for _target, _fd in enumerate([os.open(os.devnull, os.O_RDWR), *_fds]):
    if _fd != _target:
        os.dup2(_fd, _target)
        os.close(_fd)
_job = json.loads(_job)
os.chdir(_job["cwd"])
os.environ.clear()
os.environ.update(_job["env"])
time.tzset()
sys.argv[:] = _job["argv"]
exec(compile(_job["code"], _job["path"], "exec"))
"""


@dataclass(frozen=True)
class Done:
    """How a program has ended."""

    returncode: int
    stdout: str
    stderr: str


def python_variables(env: Mapping[str, str]) -> dict[str, str]:
    """What an interpreter reads as it starts."""
    return {name: env[name] for name in env if name.startswith(("PYTHON", "LC_", "LANG"))}


class Programs:
    """Runs one program after the other.

    Args:
        options: those of the interpreter.
        imports: what is imported already when a program begins.
    """

    def __init__(self, *options: str, imports: str = PACKAGE) -> None:
        self._command = [sys.executable, *options, "-c", SERVER % imports]
        self._server: subprocess.Popen[bytes] | None = None
        self._jobs: Any = None
        self._one = threading.Lock()
        self._env: dict[str, str] = {}

    def can_run(self, env: Mapping[str, str] = os.environ) -> bool:
        """Whether a new interpreter would start as the one that forks."""
        self._start()
        return self._env == python_variables(env)

    def run(
        self,
        code: str,
        directory: Path | None = None,
        name: str = "program.py",
        *,
        argv: list[str] | None = None,
        env: Mapping[str, str] = os.environ,
        timeout: float = 300,
    ) -> Done:
        """Run a program in a directory, as a file of this name, until it ends.

        Raises TimeoutExpired if it does not.
        """
        cwd = Path.cwd() if directory is None else directory
        path = name if directory is None else str(directory / name)
        job = {"code": code, "cwd": str(cwd), "path": path, "env": dict(env)}
        with self._one:
            return self._asked({**job, "argv": argv or [path]}, timeout)

    def _asked(self, job: dict[str, Any], timeout: float) -> Done:
        self._start()
        (out, their_out), (err, their_err) = os.pipe(), os.pipe()
        socket.send_fds(self._jobs, [json.dumps(job).encode()], [their_out, their_err])
        os.close(their_out)
        os.close(their_err)
        pid = self._number()
        timer = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        timer.start()
        texts: dict[int, str] = {}
        readers = [threading.Thread(target=_read, args=(fd, texts)) for fd in (out, err)]
        for reader in readers:
            reader.start()
        status = self._number()
        ended = timer.is_alive()
        timer.cancel()
        for reader in readers:
            reader.join()
        if not ended:
            raise subprocess.TimeoutExpired(job["path"], timeout, texts[out], texts[err])
        return Done(status, texts[out], texts[err])

    def _number(self) -> int:
        """Return the next answer. Raises RuntimeError if who forks has ended: an import failed."""
        answer = b""
        with suppress(ConnectionResetError):
            answer = self._jobs.recv(32)
        if not answer and self._server is not None:
            raise RuntimeError(self._server.communicate(timeout=300)[1].decode())
        return int(answer)

    def _start(self) -> None:
        if self._server is not None:
            return
        self._jobs, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._env = python_variables(os.environ)
        self._server = subprocess.Popen(
            [*self._command, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # a program's own are pipes too, and Python has looked at it
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        theirs.close()

    def close(self) -> None:
        """End the process that waits for programs."""
        if self._server is not None:
            self._jobs.close()
            self._server.communicate(timeout=300)
            self._server = None


def _read(descriptor: int, texts: dict[int, str]) -> None:
    with open(descriptor) as pipe:
        texts[descriptor] = pipe.read()
