"""A logger never writes into, or closes, a file that is not its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.files.conftest import Logs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors as POSIX has them")


def run(logs: Logs, program: str, setup: str = "") -> None:
    done = logs.run(program, setup=setup)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("limit", [64, 256, 1024, 65_536, 1_000_000])
def test_all_descriptors_closed_and_files_of_the_application_opened(
    logs: Logs, tmp_path: Path, limit: int
) -> None:
    """Under each limit, at any moment before the next look: as what makes a daemon does."""
    program = f"""
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = min({limit}, hard) if hard != resource.RLIM_INFINITY else {limit}
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        for n in range(3):
            log.info("before %d", n)
            writer()._journal.target.look_at = float("inf")
            os.closerange(3, limit)
            theirs = [os.open(f"{tmp_path}/{{n}}-{{m}}", os.O_CREAT | os.O_RDWR) for m in range(20)]
            log.info("after %d", n)
            assert all(os.fstat(file).st_size == 0 for file in theirs)
            flowery_logging.shutdown()  # which must not close theirs
            for file in theirs: os.write(file, b"their own")
            flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
            for file in theirs: os.close(file)
    """
    run(logs, program)
    logs.check_sequences(ordered=False)
    own = [m for m in logs.messages() if m != "log can be written again"]
    assert own == [f"{when} {n}" for n in range(3) for when in ("before", "after")]
    assert {path.read_text() for path in tmp_path.glob("?-*")} == {"their own"}


def test_descriptors_are_high_but_bounded(logs: Logs) -> None:
    """The kernel's table of a process grows with its highest descriptor."""
    program = """
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        from flowery_logging.files import descriptors
        for limit in (1024, hard):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            writer().close()
            log.info("limit %d", limit)
            descriptor = writer()._journal.target.descriptor
            end = min(limit, descriptors.HIGHEST)
            assert end - descriptors.RESERVED <= descriptor < end, (descriptor, limit)
            assert not os.get_inheritable(descriptor)
        low = os.open("/dev/null", os.O_RDONLY)
        assert low < 20, "what was opened first was left open"
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))  # ours lies beyond that now
        for n in range(40): log.info("lowered %d", n)
    """
    run(logs, program, setup="max_bytes=5_000")
    logs.check_sequences(ordered=False)
    assert [m for m in logs.messages() if m.startswith("lowered")] == [
        f"lowered {n}" for n in range(40)
    ]


def test_a_child_does_not_close_a_file_that_has_got_the_number(logs: Logs, tmp_path: Path) -> None:
    """A fork in C: what was closed and opened before we notice is not ours."""
    program = f"""
        import ctypes
        log.info("parent")
        pid = ctypes.PyDLL(None).fork()
        if pid == 0:
            number = writer()._journal.target.descriptor
            theirs = os.open({str(tmp_path / "theirs")!r}, os.O_CREAT | os.O_RDWR)
            os.dup2(theirs, number)
            log.info("child")
            os.write(number, b"their own")
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    """
    run(logs, program)
    logs.check_sequences()
    assert sorted(logs.messages()) == ["child", "parent"]
    assert (tmp_path / "theirs").read_text() == "their own"


def test_python_daemon(logs: Logs, tmp_path: Path) -> None:
    """It forks twice and closes all descriptors; then the application opens its database."""
    pytest.importorskip("daemon")
    database = tmp_path / "database"
    program = f"""
        import daemon
        log.info("before")
        told, tell = os.pipe()
        if os.fork() == 0:
            with daemon.DaemonContext(files_preserve=[tell], working_directory="/"):
                log.info("daemon")
                file = os.open({str(database)!r}, os.O_CREAT | os.O_RDWR)
                for n in range(20): log.info("daemon %d", n)
                os.write(file, b"data")
                os.write(tell, b".")
            os._exit(0)
        os.close(tell)
        assert os.read(told, 1) == b"."
        os.wait()
    """
    run(logs, program)
    logs.check_sequences(ordered=False)
    assert database.read_bytes() == b"data"
    assert {f"daemon {n}" for n in range(20)} <= set(logs.messages())


def test_a_write_that_takes_nothing_for_ever(logs: Logs) -> None:
    """It is an error, as a full disk is: the call returns, the events wait, and it is said."""
    program = """
        log.info("before")
        target = writer()._journal.target
        write, target.write = target.write, lambda descriptor, line: 0
        for n in range(5): log.info("waits %d", n)
        assert flowery_logging.stats()["waiting"] == 5, flowery_logging.stats()
        assert flowery_logging.stats()["write_errors"]
        target.write = write
        log.info("after")
    """
    run(logs, program)
    logs.check_sequences(ordered=False)
    own = [m for m in logs.messages() if m != "log can be written again"]
    assert own == ["before", *(f"waits {n}" for n in range(5)), "after"]
    assert len(logs.files()) == 1, "files were strewn about"


def test_a_rotation_without_rights_goes_on_in_the_open_file_and_says_so(logs: Logs) -> None:
    program = f"""
        log.info("before")
        os.chmod({str(logs.directory)!r}, 0o500)
        if os.geteuid() == 0:
            os.setgid(65534); os.setuid(65534)
        for n in range(100): log.info("after %d", n)
        assert flowery_logging.stats()["write_errors"]
    """
    done = logs.run(program, setup="max_bytes=5_000")
    assert done.returncode == 0, done.stderr
    assert "cannot open the next file" in done.stderr
    assert "Permission denied" in done.stderr
    logs.check_sequences()
    assert logs.messages() == ["before", *(f"after {n}" for n in range(100))]
    assert len(logs.files()) == 1


def test_a_file_that_the_program_redirects_standard_error_to_is_its_own_wish(
    logs: Logs, tmp_path: Path
) -> None:
    """As python-daemon does, with a file that was opened with "w+"."""
    program = f"""
        log.error("before")
        out = open(f"{tmp_path}/daemon.out", "w+")
        os.dup2(out.fileno(), 2)
        log.error("boom")
    """
    run(logs, program)
    assert "boom" in (tmp_path / "daemon.out").read_text()


@pytest.mark.parametrize(("inherited", "times"), [(True, 1), (False, 1), (False, 2)])
def test_a_file_that_lands_at_the_number_of_standard_error_stays_empty(
    logs: Logs, tmp_path: Path, inherited: bool, times: int
) -> None:
    """Opened by Python, or in C without close-on-exec."""
    program = f"""
        log.error("before")
        os.close(2)
        opened = [os.open(f"{tmp_path}/data", os.O_CREAT | os.O_RDWR) for _ in range({times})]
        assert opened[0] == 2
        os.set_inheritable(2, {inherited})
        log.error("boom")
        assert os.fstat(2).st_size == 0
        os._exit(0)
    """
    run(logs, program)
    assert (tmp_path / "data").read_text() == ""


def test_where_the_limit_of_descriptors_is_not_told(logs: Logs) -> None:
    """As by a seccomp filter, of systemd's `SystemCallFilter=` for one, that refuses prlimit(2)."""
    program = """
        import resource
        from tests.files.interruptions import as_ours
        def refuse(which):
            raise PermissionError(1, "Operation not permitted")
        resource.getrlimit = as_ours(refuse)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(20):
            log.info("event %d", number)
        print(writer().waiting, len(os.listdir("/proc/self/fd")) - before)
    """
    done = logs.run(program, setup="max_bytes=2500")
    assert done.stdout == "0 1\n", done.stderr
    assert logs.messages() == [f"event {number}" for number in range(20)]
    assert all(path.stat().st_size for path in logs.files())
