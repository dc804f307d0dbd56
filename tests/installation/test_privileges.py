"""A process that starts as root and becomes somebody else goes on writing, or says at once why not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.conftest import Logs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else"
    ),
]

DEADLINE = 300
NOBODY = 65534


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory of root's that everybody can enter; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="flowery-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def run(home: Path, text: str, **environ: str) -> subprocess.CompletedProcess[str]:
    begin = "import ctypes, logging, os, sys, flowery_logging\nlog = logging.getLogger('app')\n"
    return subprocess.run(
        [sys.executable, "-c", begin + textwrap.dedent(text)],
        cwd=home, capture_output=True, text=True, timeout=DEADLINE, check=True,
        env={**os.environ, **environ},
    )  # fmt: skip


CHANGES = [
    "os.setgid(65534); os.setuid(65534)",
    "os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)",
    "os.setregid(65534, 65534); os.setreuid(65534, 65534)",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("before", ["", "log.info('before')"])
def test_what_root_has_made_goes_with_the_process(home: Path, change: str, before: str) -> None:
    done = run(
        home,
        f"""
        flowery_logging.setup("svc", max_bytes=4000)
        {before}
        if os.fork() == 0:
            {change}
            for n in range(50): log.info("event %d", n)
            sys.exit()
        os.wait()
        """,
    )
    assert "cannot" not in done.stderr
    logs = Logs(home / "logs")
    assert [m for m in logs.messages() if m.startswith("event")] == [
        f"event {n}" for n in range(50)
    ]
    assert {(p.stat().st_uid, p.stat().st_gid) for p in [logs.directory, *logs.files()]} == {
        (NOBODY, NOBODY)
    }


FOR_A_MOMENT = [
    "os.setegid(65534); os.seteuid(65534)",
    "os.setresgid(-1, 65534, -1); os.setresuid(-1, 65534, -1)",
    "os.setregid(-1, 65534); os.setreuid(-1, 65534)",
    "os.setresgid(65534, 65534, 0); os.setresuid(65534, 65534, 0)",
]


@pytest.mark.parametrize("change", FOR_A_MOMENT)
def test_what_root_has_made_stays_roots_where_it_comes_back(home: Path, change: str) -> None:
    """As servers of files do for each operation of a user, who would get the logs of all."""
    done = run(
        home,
        f"""
        flowery_logging.setup("svc")
        log.info("before")
        {change}
        log.info("as the user")
        os.setresuid(0, 0, 0); os.setresgid(0, 0, 0)
        log.info("after")
        """,
    )
    assert "cannot" not in done.stderr
    logs = Logs(home / "logs")
    assert logs.messages() == ["before", "as the user", "after"]
    assert {path.stat().st_uid for path in [logs.directory, *logs.files()]} == {0}


OTHER_PROGRAMS = {
    "subprocess": "subprocess.run(['true'], preexec_fn=become, check=True)",
    "asyncio": "asyncio.run(in_a_loop())",
    "gevent": "import gevent.subprocess; gevent.subprocess.check_call(['true'], preexec_fn=become)",
    "ptyprocess": "import ptyprocess; ptyprocess.PtyProcess.spawn(['true'], preexec_fn=become).wait()",
    "uvloop": "import uvloop; uvloop.run(in_a_loop())",
    "twisted": """
        from twisted.internet import protocol, reactor
        class Program(protocol.ProcessProtocol):
            def processEnded(self, reason): reactor.stop()
        start = "/bin/true", ["true"], {}, None, 65534, 65534
        reactor.callWhenRunning(lambda: reactor.spawnProcess(Program(), *start))
        reactor.run()
    """,
}  # fmt: skip


@pytest.mark.parametrize("by", OTHER_PROGRAMS)
def test_what_root_has_made_stays_roots_where_another_program_gets_a_user(
    home: Path, by: str
) -> None:
    """As a hub of notebooks starts each one; its user would get the logs of the hub."""
    if by != "subprocess":
        pytest.importorskip(by)
    run(
        home,
        f"""
        import asyncio, subprocess
        flowery_logging.setup("svc")
        log.info("before")
        def become(): os.setgid(65534); os.setuid(65534)
        async def in_a_loop():
            program = await asyncio.create_subprocess_exec("true", preexec_fn=become)
            assert await program.wait() == 0
        {OTHER_PROGRAMS[by].strip()}
        log.info("after")
        """,
    )
    logs = Logs(home / "logs")
    assert logs.messages() == ["before", "after"]
    assert {path.stat().st_uid for path in [logs.directory, *logs.files()]} == {0}


@pytest.mark.parametrize("closed", ["directory", "parent", "foreign"])
def test_what_will_fail_is_said_at_once_and_what_waits_goes_to_stderr(
    home: Path, closed: str
) -> None:
    directory = home / "logs"
    if closed == "parent":
        home.chmod(0o700)
    elif closed == "foreign":
        directory.mkdir(mode=0o750)
        (directory / "of somebody else").touch()
    attribute = "os.chown = os.fchown = lambda *_, **__: None" if closed == "directory" else ""
    done = run(
        home,
        f"""
        flowery_logging.setup("svc", directory={str(directory)!r})
        {attribute}
        os.setuid(65534)
        print("running", file=sys.stderr)
        log.info("waits")
        """,
    )
    _, said, running, *rest = done.stderr.splitlines()
    assert said.startswith(f"flowery_logging: user 65534 cannot write {directory} (")
    assert "FLOWERY_LOG_DIR" in said
    assert running == "running"
    assert sum('"message":"waits"' in line for line in rest) == 1
    assert sum('"message":"log closed"' in line for line in rest) == 1
    assert closed == "parent" or directory.stat().st_uid == 0


def test_what_comes_after_the_change_stands_in_the_file_that_is_open(home: Path) -> None:
    directory = home / "logs"
    directory.mkdir(mode=0o750)
    (directory / "of somebody else").touch()
    done = run(
        home,
        f"""
        flowery_logging.setup("svc", directory={str(directory)!r}, max_bytes=2500)
        log.info("event")
        os.setuid(65534)
        for _ in range(9):
            log.info("event")
        """,
    )
    (path,) = directory.glob("*.ndjson")
    assert path.read_text().count('"message":"event"') == 10
    assert f"user 65534 cannot write {directory} (" in done.stderr
    assert "this process can make no file there" in done.stderr


def test_a_change_in_c_is_found_out_at_the_first_event(home: Path) -> None:
    done = run(
        home,
        """
        flowery_logging.setup("svc")
        ctypes.PyDLL(None).setuid(65534)
        log.info("waits")
        """,
    )
    assert "Permission denied" in done.stderr
    assert '"message":"waits"' in done.stderr


def test_the_user_that_uwsgi_becomes_is_known_before(home: Path) -> None:
    done = run(
        home,
        """
        import types
        sys.modules["uwsgi"] = types.SimpleNamespace(opt={"uid": b"nobody", "gid": b"65534"})
        flowery_logging.setup("svc")
        ctypes.PyDLL(None).setgid(65534), ctypes.PyDLL(None).setuid(65534)
        log.info("written")
        """,
    )
    assert "cannot" not in done.stderr
    assert Logs(home / "logs").messages() == ["written"]


def test_what_root_makes_belongs_to_the_owner_of_the_place(home: Path) -> None:
    os.chown(home, NOBODY, NOBODY)
    run(home, "flowery_logging.setup('svc', directory='a/b'); log.info('x')")
    made = [home / "a", home / "a" / "b", *(home / "a" / "b").iterdir()]
    assert len(made) == 3
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(NOBODY, NOBODY)}


def test_a_directory_that_the_user_can_write_stays_whose_it_is(home: Path) -> None:
    (home / "logs").mkdir()
    (home / "logs").chmod(0o1777)
    done = run(home, "flowery_logging.setup('svc'); os.setuid(65534); log.info('x')")
    assert "cannot" not in done.stderr
    assert (home / "logs").stat().st_uid == 0
    assert Logs(home / "logs").messages() == ["x"]


def test_the_functions_are_put_back(home: Path) -> None:
    done = run(
        home,
        """
        names = "setuid", "setreuid", "setresuid"
        before = [getattr(os, name) for name in names]
        flowery_logging.setup("svc")
        flowery_logging.setup("svc")
        flowery_logging.shutdown()
        print(before == [getattr(os, name) for name in names])
        """,
    )
    assert done.stdout == "True\n"


SITE = """
import logging
import flowery_logging; flowery_logging.setup(service="svc", output="file")
def application(environ, start_response):
    logging.getLogger("app").info("served")
    start_response("200 OK", [])
    return [b"served"]
"""

CONFIGURATION = """
import os
user = group = 65534
workers = 2
bind = "127.0.0.1:0"
control_socket_disable = True
def when_ready(server):
    address = server.LISTENERS[0].sock.getsockname()
    with open("port.new", "w") as file: file.write(str(address[1]))
    os.rename("port.new", "port")
"""


@pytest.mark.parametrize("preload", [True, False])
def test_gunicorn_with_a_user_of_its_own(home: Path, preload: bool) -> None:
    (home / "site_.py").write_text(SITE)
    first = "" if preload else 'import flowery_logging; flowery_logging.setup(service="svc")\n'
    (home / "conf.py").write_text(f"{first}{CONFIGURATION}\npreload_app = {preload}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "conf.py", "site_:application"],
        cwd=home, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + DEADLINE
    while not (home / "port").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    for _ in range(10):
        url = f"http://127.0.0.1:{(home / 'port').read_text()}/"
        with urllib.request.urlopen(url, timeout=DEADLINE) as response:
            assert response.read() == b"served"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=DEADLINE)
    assert "cannot" not in errors
    assert Logs(home / "logs").messages().count("served") == 10
