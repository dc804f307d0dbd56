"""`logging.basicConfig` after `setup()`: the application gets the handler that it asks for."""

import json

import pytest

PROGRAM = """
import logging, sys
import flowery_logging
flowery_logging.setup("shop", directory="logs", output={output!r})
log = logging.getLogger("shop")
theirs = logging.basicConfig
logging.basicConfig({options})
log.debug("in detail")
log.info("sold")
log.warning("few left")
{after}
"""
LIKE_THIS = "format='%(levelname)s %(message)s'"
SOLD, ALL = ["sold", "few left"], ["in detail", "sold", "few left"]


@pytest.fixture
def run(tmp_path, programs):
    def run(options, after="", output="file"):
        code = PROGRAM.format(options=options, after=after, output=output)
        done = programs.run(code, tmp_path)
        assert done.returncode == 0, done.stderr
        lines = [x for path in tmp_path.glob("logs/*") for x in path.read_text().splitlines()]
        events = [json.loads(line) for line in lines]
        assert not [e for e in events if "configured after" in e["message"]]
        own = "flowery_logging"
        written = [event["message"] for event in events if event["log"]["logger"] != own]
        shown = [x for x in done.stderr.splitlines() if not x.startswith(f"{own}: ")]
        return written, shown

    return run


@pytest.mark.parametrize(
    ("options", "written", "shown"),
    [
        (LIKE_THIS, SOLD, ["INFO sold", "WARNING few left"]),
        (f"level='DEBUG', {LIKE_THIS}", ALL, ["DEBUG in detail", "INFO sold", "WARNING few left"]),
        (f"level='WARNING', {LIKE_THIS}", SOLD, ["WARNING few left"]),
        ("handlers=[logging.StreamHandler()], level=30", SOLD, ["WARNING:shop:few left"]),
    ],
)
def test_what_it_configures_is_there_and_the_files_have_no_less(run, options, written, shown):
    assert run(options) == (written, shown)


def test_the_applications_own_file_is_written(run, tmp_path):
    run(f"filename='own.log', {LIKE_THIS}", after="logging.shutdown()")
    assert (tmp_path / "own.log").read_text() == "INFO sold\nWARNING few left\n"


OWN_LEVEL = "logging.getLogger('shop').setLevel('INFO'); log.info('by its own level')"
VERBOSE = "logging.getLogger().setLevel('DEBUG'); log.debug('asked for later')"


@pytest.mark.slow
@pytest.mark.parametrize("after", [OWN_LEVEL, VERBOSE])
def test_the_level_that_it_gives_is_the_root_loggers_and_not_a_handlers(run, after):
    """As aiosmtpd's `-d`, and a `--verbose` that is read later."""
    _, shown = run(f"level='WARNING', {LIKE_THIS}", after=after)
    assert shown[0] == "WARNING few left"
    assert len(shown) == 2, shown


def test_where_we_show_the_lines_ourselves_nothing_is_shown_twice(run):
    _, shown = run(LIKE_THIS, output="file,console")
    assert [line for line in shown if line.endswith("sold")] != ["INFO sold"]
    assert sum("sold" in line for line in shown) == 1


def test_a_second_call_and_one_beside_other_handlers_do_nothing_as_ever(run):
    again = (
        f"logging.basicConfig(level='DEBUG', {LIKE_THIS})\nassert len(logging.root.handlers) == 2"
    )
    assert run(LIKE_THIS, after=again + "\nlog.debug('no')") == (
        SOLD,
        ["INFO sold", "WARNING few left"],
    )


def test_a_wrong_call_raises_what_it_raises(run):
    after = """
for wrong in ({"unknown": 1}, {"filename": "x", "stream": sys.stderr}):
    logging.root.handlers = logging.root.handlers[:1]
    try:
        logging.basicConfig(**wrong)
    except ValueError:
        log.info("refused")
"""
    written, _ = run(LIKE_THIS, after=after)
    assert written == [*SOLD, "refused", "refused"]


def test_after_shutdown_it_is_what_it_was(run):
    run("", after="flowery_logging.shutdown()\nassert logging.basicConfig is theirs.__wrapped__")


def test_what_another_thread_logs_meanwhile_is_written_and_nothing_is_told(run):
    after = """
import threading
logging.root.handlers = logging.root.handlers[:1]
class Slow(logging.Handler):
    def setFormatter(self, formatter):
        thread = threading.Thread(target=log.info, args=("meanwhile",))
        thread.start()
        thread.join()
    def emit(self, record):
        pass
logging.basicConfig(handlers=[Slow()])
log.info("afterwards")
"""
    written, _ = run(LIKE_THIS, after=after)
    assert written == [*SOLD, "meanwhile", "afterwards"]
