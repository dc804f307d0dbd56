"""Runs programs that use the package, each in a process of its own, without waiting for imports.

A process that has imported the package, and done nothing else, forks for each program: most of the
second that a new interpreter takes is spared. What is uncaught in a program ends it as it would
end any other.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import json, os, signal, sys
import flowery_logging.ecs
flowery_logging.ecs.encoders()
for _line in sys.stdin:
    _job = json.loads(_line)
    _pid = os.fork()
    if _pid == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(_pid, 0)[1]), flush=True)
else:
    os._exit(0)
for _target, _path in ((0, os.devnull), (1, _job["out"]), (2, _job["err"])):
    _fd = os.open(_path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.dup2(_fd, _target)
    os.close(_fd)
signal.alarm(300)  # a program that never ends is ended
os.chdir(_job["cwd"])
sys.argv[:] = [_job["path"]]
exec(compile(_job["code"], _job["path"], "exec"))
"""


@dataclass(frozen=True)
class Done:
    """How a program has ended."""

    returncode: int
    stdout: str
    stderr: str


class Programs:
    """Runs one program after the other."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def run(self, code: str, directory: Path, name: str = "program.py") -> Done:
        """Run a program in a directory, as a file of this name, until it ends."""
        server = self._started()
        out, err = directory / "stdout.txt", directory / "stderr.txt"
        out.unlink(missing_ok=True)
        err.unlink(missing_ok=True)
        job = {"code": code, "cwd": str(directory), "path": str(directory / name)}
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps({**job, "out": str(out), "err": str(err)}) + "\n")
        server.stdin.flush()
        status = server.stdout.readline()
        return Done(int(status), out.read_text(), err.read_text())

    def _started(self) -> subprocess.Popen[str]:
        if self._server is None:
            pipe = subprocess.PIPE
            self._server = subprocess.Popen(
                [sys.executable, "-c", SERVER],
                stdin=pipe,
                stdout=pipe,
                text=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            )
        return self._server

    def close(self) -> None:
        """End the process that waits for programs."""
        if self._server is not None:
            assert self._server.stdin is not None
            assert self._server.stdout is not None
            self._server.stdin.close()
            self._server.wait(300)
            self._server.stdout.close()
