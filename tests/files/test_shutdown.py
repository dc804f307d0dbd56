"""`shutdown()`, in any order, interrupted anywhere, any number of times."""

from __future__ import annotations

import pytest

from tests.files.conftest import Logs


@pytest.mark.slow
def test_interrupted_at_every_point(logs: Logs) -> None:
    """Ctrl-C at each of its steps: the next one goes on, a new setup() begins anew."""
    program = f"""
        from flowery_logging.files import removal
        from tests.files.interruptions import HOUSE, Handler
        removal.STEP_FILES = 1_000_000  # else the files that are left add to the points
        def setup():
            flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
        def state():
            root = logging.root
            return logging.Logger.makeRecord, logging.Logger._log, root.level, list(root.handlers)
        def stop():
            raise KeyboardInterrupt
        flowery_logging.shutdown()
        clean, step, where = state(), 0, "?"
        while where:
            step += 1
            setup()
            log.info("step %d", step)
            try:
                with Handler(step, stop, HOUSE) as handler:
                    flowery_logging.shutdown()
            except KeyboardInterrupt:
                pass
            where = handler.where
            if step % 2:
                setup()
                log.info("again %d", step)
            flowery_logging.shutdown()
            flowery_logging.shutdown()
            assert state() == clean, (step, where, state(), clean)
        print(step)
    """
    done = logs.run(program)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = int(done.stdout)
    assert steps > 30
    logs.check_sequences(ordered=False)
    expected = [
        text for n in range(1, steps + 1) for text in (f"step {n}", f"again {n}")[: 1 + n % 2]
    ]
    assert [m for m in logs.messages() if m != "log can be written again"] == expected


def test_again_after_an_interruption(logs: Logs) -> None:
    """The last step but one fails: all that come before it have been done."""
    program = """
        from flowery_logging import runtime
        uninstall = runtime._installation.recorder.uninstall
        def interrupted():
            runtime._installation.recorder.uninstall = uninstall
            raise KeyboardInterrupt
        log.info("one")
        runtime._installation.recorder.uninstall = interrupted
        try: flowery_logging.shutdown()
        except KeyboardInterrupt: pass
        flowery_logging.shutdown()
        flowery_logging.shutdown()
    """
    done = logs.run(program)
    assert done.returncode == 0, done.stderr
    assert logs.actions() == ["log-file-opened", "log-closed"]


@pytest.mark.slow
def test_threads_that_log_while_it_shuts_down_have_a_closing_record_behind_them(
    logs: Logs,
) -> None:
    program = f"""
        def work():
            while not ended.is_set(): log.info("x")

        ended = threading.Event()
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        for _ in range(5):
            log.info("goes on")
            flowery_logging.shutdown()
            flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
        flowery_logging.shutdown()
        ended.set()
        for thread in threads: thread.join()
    """
    done = logs.run(program)
    assert done.returncode == 0, done.stderr
    logs.check_sequences()
    assert logs.records()[-1]["event"].get("action") == "log-closed"


@pytest.mark.slow
@pytest.mark.parametrize("then", ["pass", "sys.exit(0)"])
def test_a_handler_that_shuts_down_in_the_middle_of_a_call(logs: Logs, then: str) -> None:
    program = f"""
        from tests.files.interruptions import Handler

        def handle():
            flowery_logging.shutdown()
            {then}

        log.info("one")
        for point in range(1, 1000):
            pid = os.fork()
            if pid == 0:
                handler = Handler(point, handle)
                log.info("of the child")
                with handler: log.info("interrupted")
                sys.exit(0 if handler.where else 3)
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]): break
        print(point)
    """
    done = logs.run(program)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10, "no code was interrupted"
    for records in logs.by_process().values():
        assert records[-1]["event"].get("action") == "log-closed"
    logs.check_sequences()
