"""No event twice on one stream: plain stream handlers give way to us there, and only there."""

import pytest

PROGRAM = """
import logging, logging.config, os, sys
import flowery_logging
os.dup2({stdout}, 1)
log = logging.getLogger("shop")
{before}
flowery_logging.setup("shop", directory="logs", output={output!r})
{after}
log.warning("an order")
sys.stderr.flush()
print("lines", open("stderr.txt").read().count("an order"), file=sys.stderr)
flowery_logging.shutdown()
log.warning("after")
sys.stderr.flush()
print("after", open("stderr.txt").read().count("after\\n"), file=sys.stderr)
"""

BASIC = "logging.basicConfig()"
UVICORN = "import uvicorn.config; logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)"
UVICORN += "; log = logging.getLogger('uvicorn.error')"


@pytest.fixture
def printed(tmp_path, programs):
    def run(output, before="", after="", stdout=1):
        code = PROGRAM.format(output=output, before=before, after=after, stdout=stdout)
        done = programs.run(code, tmp_path)
        assert done.returncode == 0, done.stderr
        found = [line.split() for line in done.stderr.splitlines()]
        return {row[0]: int(row[1]) for row in found if len(row) == 2 and row[1].isdigit()}

    return run


@pytest.mark.parametrize("before", [BASIC, BASIC + "; logging.basicConfig(force=True)"])
def test_with_our_console_there_is_one_line(printed, before):
    assert printed("file,console", before) == {"lines": 1, "after": 1}


def test_without_it_their_line_stays(printed):
    assert printed("file", BASIC) == {"lines": 1, "after": 1}


def test_two_names_of_one_file_are_one_stream(printed):
    before = "logging.basicConfig(stream=sys.stdout)"
    assert printed("file,console", before, stdout=2) == {"lines": 1, "after": 1}


@pytest.mark.parametrize(
    "handler",
    [
        "type('Mine', (logging.StreamHandler,), {})()",
        "logging.StreamHandler(open('/dev/stderr', 'w'))",
    ],
)
def test_a_handler_of_somebodys_own_class_stays(printed, handler):
    found = printed("file,console", f"logging.getLogger().addHandler({handler})")
    assert found["lines"] == (2 if "Mine" in handler else 1)


def test_a_server_that_configures_later(printed):
    assert printed("file,console", after=UVICORN)["lines"] == 1
