"""No event twice on one stream: plain stream handlers give way to us there, and only there."""

import json

import pytest

PROGRAM = """
import logging, logging.config, os, sys
import flowery_logging
os.dup2(os.open("stderr.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
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
        shown = (tmp_path / "stderr.txt").read_text()
        assert done.returncode == 0, shown
        found = [line.split() for line in shown.splitlines()]
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


LATE = {
    "in place of its logger's": "log.handlers = [logging.StreamHandler(sys.stderr)]",
    "to its logger": "log.addHandler(logging.StreamHandler())",
    "past addHandler": "log.handlers.insert(0, logging.StreamHandler())",
    "to a logger above": "log = log.getChild('part'); logging.getLogger('shop').addHandler(logging.StreamHandler())",
    "to the root logger": "logging.getLogger().addHandler(logging.StreamHandler())",
    "to a logger set apart": "log.propagate = False; log.addHandler(logging.StreamHandler())",
    "as the second one": "log.addHandler(logging.StreamHandler(sys.stdout)); log.warning('x'); log.addHandler(logging.StreamHandler())",
}  # fmt: skip


@pytest.mark.parametrize("how", LATE)
def test_a_handler_that_is_added_after_setup(printed, how):
    """As hypercorn does; it is there again after `shutdown()`."""
    assert printed("file,console", after=LATE[how]) == {"lines": 1, "after": 1}


def test_a_handler_to_another_stream_stays_however_late(printed):
    after = "h = logging.StreamHandler(sys.stdout); log.addHandler(h); log.warning('x')"
    after += "; log.warning('y'); print('kept', int(h in log.handlers), file=sys.stderr)"
    found = printed("file,console", after=after)
    assert (found["lines"], found["kept"]) == (1, 1)


def test_without_our_console_a_late_line_of_theirs_stays(printed):
    assert printed("file", after="log.addHandler(logging.StreamHandler())")["lines"] == 1


TWICE_ON_THE_WAY = {
    "propagate is switched on again": """
library = logging.getLogger("library")
library.propagate = False
library.warning("an event on whose way our handler is found missing")
library.propagate = True
""",
    "handlers taken over from another logger": """
server = logging.getLogger("server")
server.propagate = False
server.addHandler(logging.NullHandler())
server.warning("an event on whose way our handler is found missing")
logging.getLogger("library").handlers = server.handlers
""",
    "a handler between that logs itself": """
class Talking(logging.Handler):
    def emit(self, record):
        logging.getLogger("talking").warning("in a handler")
logging.getLogger("talking").addHandler(logging.NullHandler())
logging.getLogger("library").handlers = [logging.getLogger().handlers[0], Talking()]
""",
    "our handler added once more": """
logging.getLogger("library").addHandler(logging.getLogger().handlers[0])
logging.getLogger("library").addHandler(logging.StreamHandler(open(os.devnull, "w")))
""",
}


@pytest.mark.parametrize("how", TWICE_ON_THE_WAY)
def test_an_event_on_whose_way_our_handler_stands_twice_is_written_once(how, tmp_path, programs):
    """As transformers, Flask under gunicorn and others arrange their loggers."""
    code = f"""
import logging, os
import flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
{TWICE_ON_THE_WAY[how]}
record = logging.makeLogRecord({{"name": "library", "msg": "again", "levelno": 30}})
for name in ("library", "library.part"):
    logging.getLogger(name).warning("%s says", name)
    logging.getLogger(name).handle(record)
flowery_logging.get_logger("library.part").warning("structlog")
"""
    done = programs.run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "logs").glob("*")
    found = [json.loads(line)["message"] for line in path.read_text().splitlines()]
    told = [text for text in found if "says" in text or text in {"again", "structlog"}]
    assert told == ["library says", "again", "library.part says", "again", "structlog"]


WRAPPED = """
import copy, logging, logging.handlers
import flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
log = logging.getLogger("shop")
class Wrapper(logging.Handler):
    def __init__(self, sub_handler):
        super().__init__()
        self.sub_handler, self.waiting = sub_handler, []
    def emit(self, record):
        self.waiting.append(copy.copy(record))
    def hand_on(self):
        for record in self.waiting:
            self.sub_handler.emit(record)
root = logging.getLogger()
wrappers = [Wrapper(handler) for handler in root.handlers]
for wrapper in wrappers:
    root.removeHandler(wrapper.sub_handler)
    root.addHandler(wrapper)
log.warning("first")
log.warning("second")
wrappers[0].hand_on()
flowery_logging.shutdown()
"""


def test_an_event_that_a_wrapper_of_our_handler_hands_on_is_written_once(tmp_path, programs):
    """As multiprocessing-logging wraps each handler of the root logger."""
    done = programs.run(WRAPPED, tmp_path)
    assert done.returncode == 0, done.stderr
    assert messages(tmp_path) == ["first", "second"]


def messages(directory):
    lines = [line for path in directory.glob("logs/*") for line in path.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    return [e["message"] for e in events if e["log"]["logger"] != "flowery_logging"]


POWERTOOLS = """
import logging, sys, types
import flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
filters = types.ModuleType("aws_lambda_powertools.logging.filters")
class SuppressFilter(logging.Filter):  # which is no dependency of ours: what it does
    def filter(self, record):
        return self.name not in record.name
SuppressFilter.__module__ = filters.__name__
class Own(logging.Filter):
    filter = SuppressFilter.filter
log = logging.getLogger("orders")
for handler in logging.root.handlers:
    handler.addFilter(SuppressFilter("orders"))
log.warning("sold")
for handler in logging.root.handlers:
    handler.addFilter(Own("orders"))
log.warning("a filter of the application's keeps this")
"""


def test_a_filter_against_double_lines_on_standard_output_silences_nothing(tmp_path, programs):
    """Of Powertools for AWS Lambda, whose logger prints by its own handler."""
    done = programs.run(POWERTOOLS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert messages(tmp_path) == ["sold"]
