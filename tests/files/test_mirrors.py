"""Lines that are shown again: what the showing causes is written, and not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.conftest import Logs
from tests.files.test_outputs import run

LOGGING_STREAM = """
    import io, logging.handlers, queue, threading
    echo = logging.getLogger("echo")
    class Stream:
        encoding = "utf-8"
        def __init__(self): self.busy, self.lock = False, threading.RLock()
        def write(self, text):
            for line in text.rstrip().splitlines(): self.log(line.rstrip())
        def log(self, line): echo.error("%s", line)
        def flush(self): pass
        def isatty(self): return False
    class Guarded(Stream):
        def log(self, line):
            if not self.busy:
                self.busy = True
                try: super().log(line)
                finally: self.busy = False
    class Locked(Stream):
        def log(self, line):
            with self.lock: super().log(line)
    class Threaded(Stream):
        def log(self, line):
            thread = threading.Thread(target=super().log, args=(line,))
            thread.start()
            thread.join()
    class Detached(Stream):
        def __init__(self):
            super().__init__()
            self.lines = queue.SimpleQueue()
            self.thread = threading.Thread(target=self.run, daemon=True)
            self.thread.start()
        def log(self, line): self.lines.put(line)
        def run(self):
            while (line := self.lines.get()) is not None: echo.error("stderr: %s", line)
    class Buffered(io.StringIO):
        def isatty(self): return False
        def write(self, text):
            super().write(text)
            if "\\n" in self.getvalue():
                echo.error("%s", self.getvalue().rstrip())
                self.seek(0)
                self.truncate()
"""

KINDS = ["Stream", "Guarded", "Locked", "Threaded", "Detached", "Buffered"]


def written(tmp_path: Path, name: str, text: str, output: str) -> list[str]:
    program = "\n".join([
        LOGGING_STREAM,
        f"    stream = sys.{name} = {text}",
    ])  # fmt: skip
    done = run(program, output=output, directory=str(tmp_path))
    assert done.returncode == 0, done.stderr
    return Logs(tmp_path).messages()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("output", ["file,console", "file"])
def test_a_stream_that_logs_makes_one_event_of_what_is_shown(
    tmp_path: Path, kind: str, output: str
) -> None:
    body = f"""{kind}()
    for n in range(3): log.error("event %d", n)
    deadline = time.monotonic() + 300
    while flowery_logging.stats()["events"] < 7 and time.monotonic() < deadline: time.sleep(0.01)
    sys.stderr = sys.__stderr__
    """
    messages = written(tmp_path, "stderr", body, output)
    for number in range(3):
        own = f"event {number}"
        assert messages.count(own) == 1
        assert len([m for m in messages if own in m and m != own]) == 1
    assert len(messages) == 6


@pytest.mark.slow
@pytest.mark.parametrize("logger", [
    "logging.getLogger('echo')",
    "logging.LoggerAdapter(logging.getLogger('echo'), {})",
    "flowery_logging.get_logger('echo')",
])  # fmt: skip
@pytest.mark.parametrize("output", ["file,console", "file"])
def test_a_stream_that_holds_a_logger_gets_no_line_of_ours(
    tmp_path: Path, logger: str, output: str
) -> None:
    """As the common recipe `StreamToLogger` does; the process's own standard error has it."""
    body = f"""Stream()
    stream.logger = {logger}
    stream.log = stream.logger.error
    log.error("mine")
    try: 1 / 0
    except ZeroDivisionError: log.exception("failed")
    print("theirs", file=sys.stderr)
    sys.stderr = sys.__stderr__
    """
    program = f"{LOGGING_STREAM}\n    stream = sys.stderr = {body}"
    done = run(program, output=output, directory=str(tmp_path))
    assert Logs(tmp_path).messages() == ["mine", "failed", "theirs"]
    assert [done.stderr.count(text) for text in ("mine", "ZeroDivisionError: ")] == [1, 1]


@pytest.mark.slow
def test_a_traceback_that_comes_back_line_by_line_ends_too(tmp_path: Path) -> None:
    body = """Detached()
    try: 1 / 0
    except ZeroDivisionError: log.exception("failed")
    last, deadline = -1, time.monotonic() + 300
    while last != flowery_logging.stats()["events"] and time.monotonic() < deadline:
        last = flowery_logging.stats()["events"]
        time.sleep(1)
    sys.stderr = sys.__stderr__
    """
    messages = written(tmp_path, "stderr", body, "file")
    assert messages.count("failed") == 1
    assert len(messages) < 30


@pytest.mark.slow
def test_stdout_that_logs_is_passed_by(tmp_path: Path) -> None:
    body = """Guarded()
    for n in range(3): log.error("event %d", n)
    """
    assert written(tmp_path, "stdout", body, "file,stdout") == ["event 0", "event 1", "event 2"]


@pytest.mark.slow
def test_a_lock_of_the_stream_that_logs_stops_nobody(tmp_path: Path) -> None:
    """One thread shows a line, and another logs under the lock that the showing needs."""
    body = """Locked()
    def under_the_lock():
        for n in range(200):
            with stream.lock: log.info("inner %d", n)
    threads = [threading.Thread(target=under_the_lock) for _ in range(3)]
    for thread in threads: thread.start()
    for n in range(200): log.info("outer %d", n)
    for thread in threads: thread.join(300)
    assert not any(thread.is_alive() for thread in threads)
    """
    messages = written(tmp_path, "stderr", body, "file,console")
    assert sum(m.startswith(("inner", "outer")) for m in messages) == 800


@pytest.mark.slow
def test_lines_of_many_threads_are_shown_in_their_order(tmp_path: Path) -> None:
    body = """
    import threading
    def work():
        for n in range(300): log.info("event")
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    """
    from tests.files.test_outputs import parsed

    done = run(body, output="file,stdout", directory=str(tmp_path))
    numbers = [r["event"]["sequence"] for r in parsed(done.stdout)]
    assert numbers == list(range(2, 1203))


@pytest.mark.slow
def test_a_stream_that_raises_is_counted_and_no_more(tmp_path: Path) -> None:
    body = """
    class Broken:
        def write(self, text): raise RuntimeError("no")
        def flush(self): pass
    sys.stderr = Broken()
    log.error("one")
    print(flowery_logging.stats()["mirror_errors"])
    """
    done = run(body, output="file", directory=str(tmp_path))
    assert done.stdout == "1\n", done.stderr
    assert Logs(tmp_path).messages() == ["one"]
