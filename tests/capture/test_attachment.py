"""Whatever configures `logging` after `setup()`: the next event is written, and one warning says so.

Each way runs in a process of its own, as it changes what all tests share.
"""

import json
import re

import pytest

PROGRAM = """
import logging, logging.config, os, sys, threading
import flowery_logging
log = logging.getLogger("shop.orders")
other = logging.getLogger("stock")
flowery_logging.setup("shop", directory={directory!r}, output="file")
log.info("before")
def configure():
    {way}  # CONFIGURED
configure()
log.info("after")
other.info("after")
{after}
print(flowery_logging.stats()["undone"])
"""

INI = """
[loggers]
keys = root,sqlalchemy,alembic
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
qualname =
[logger_sqlalchemy]
level = WARNING
handlers =
qualname = sqlalchemy.engine
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic
[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
"""

KEEPING = "{'version': 1, 'disable_existing_loggers': False"
ROOT = "{'version': 1, 'handlers': {'h': {'class': 'logging.NullHandler'}}, 'root': {'handlers': ['h']}"

DETACHING = {
    "fileConfig": "logging.config.fileConfig('alembic.ini')",
    "fileConfig that disables nobody": (
        "logging.config.fileConfig('alembic.ini', disable_existing_loggers=False)"
    ),
    "dictConfig": f"logging.config.dictConfig({ROOT}}})",
    "dictConfig that disables nobody": (
        f"logging.config.dictConfig({ROOT}, 'disable_existing_loggers': False}})"
    ),
    "basicConfig": "logging.basicConfig(force=True)",
    "clear": "logging.getLogger().handlers.clear()",
    "a new list": "logging.root.handlers = []",
    "a slice": "logging.root.handlers[:] = [logging.NullHandler()]",
    "del": "del logging.root.handlers[0]",
    "pop": "logging.root.handlers.pop()",
    "removeHandler": "logging.root.removeHandler(logging.root.handlers[0])",
    "each removed": "[logging.root.removeHandler(h) for h in logging.root.handlers[:]]",
    "in a thread": (
        "t = threading.Thread(target=logging.root.handlers.clear); t.start(); t.join()"
    ),
}


@pytest.fixture
def run(tmp_path, programs):
    def run(way, after=""):
        (tmp_path / "alembic.ini").write_text(INI)
        directory = tmp_path / "logs"
        done = programs.run(
            PROGRAM.format(directory=str(directory), way=way, after=after), tmp_path
        )
        assert done.returncode == 0, done.stderr
        lines = [line for path in directory.glob("*") for line in path.read_text().splitlines()]
        events = [json.loads(line) for line in lines]
        told = [e for e in events if e["log.level"] == "warning" and "configured" in e["message"]]
        others = [e["message"] for e in events if e["log"]["logger"] != "flowery_logging"]
        return others, told, int(done.stdout.split()[-1])

    return run


(LINE,) = [n for n, line in enumerate(PROGRAM.splitlines(), 1) if "# CONFIGURED" in line]
PLACE = f"program.py:{LINE}"


def who(warning):
    (configurator,) = warning["labels"]["configured_by"]
    return configurator


@pytest.mark.parametrize("kind", DETACHING)
def test_the_next_event_is_written_and_one_warning_says_who_it_was(run, kind):
    messages, told, count = run(DETACHING[kind])
    assert messages == ["before", "after", "after"]
    (warning,) = told
    assert warning["log"]["logger"] == "flowery_logging"
    assert count >= 1
    assert "root" in warning["message"]
    if kind != "in a thread":
        assert who(warning).endswith(PLACE)
    else:
        assert re.search(r"threading\.py:\d+$", who(warning))


AGENT = """
import logging.config

def around(theirs):
    def wrapper(*args, **named):
        return theirs(*args, **named)
    return wrapper

def instrument():
    logging.basicConfig = around(around(logging.basicConfig))
    logging.config.dictConfig = around(around(logging.config.dictConfig))
    logging.config.fileConfig = around(around(logging.config.fileConfig))
"""


@pytest.mark.parametrize("kind", ["fileConfig", "dictConfig", "basicConfig"])
def test_who_calls_what_an_agent_has_put_around_a_configurator_is_named(tmp_path, run, kind):
    (tmp_path / "agent.py").write_text(AGENT)
    messages, (warning,), _ = run(f"import agent; agent.instrument(); {DETACHING[kind]}")
    assert messages == ["before", "after", "after"]
    assert who(warning).endswith(PLACE)


HARMLESS = {
    "a dictConfig of other loggers": (
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False,"
        " 'loggers': {'x': {'level': 'DEBUG'}}})"
    ),
    "an incremental dictConfig": (
        "logging.config.dictConfig({'version': 1, 'incremental': True,"
        " 'root': {'level': 'INFO'}, 'loggers': {'x': {'level': 'DEBUG'}}})"
    ),
    "basicConfig": "logging.basicConfig(level='INFO')",
    "logging.shutdown": "logging.shutdown()",
    "close": "logging.root.handlers[0].close()",
    "forgotten names": "logging._handlers.clear(); logging._handlerList.clear()",
    "another handler": "logging.root.addHandler(logging.NullHandler())",
    "another logger class": (
        "logging.setLoggerClass(type('Mine', (logging.Logger,), {}));"
        " globals().update(other=logging.getLogger('mine'))"
    ),
    "taken off and put back": (
        "kept = logging.root.handlers[:]; logging.root.handlers.clear();"
        " logging.root.handlers.extend(kept)"
    ),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_takes_nothing_away_is_not_told(run, kind):
    messages, told, count = run(HARMLESS[kind])
    assert messages == ["before", "after", "after"]
    assert (told, count) == ([], 0)


ISLANDS = {
    "without handlers": "log.propagate = False",
    "with its own": "log.propagate = False; log.addHandler(logging.NullHandler())",
    "its parent": "logging.getLogger('shop').propagate = False",
    "by dictConfig": (
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, 'loggers':"
        " {'shop': {'propagate': False, 'handlers': []}}})"
    ),
    "by dictConfig, both": (
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, 'loggers':"
        " {'shop': {'propagate': False}, 'shop.orders': {'propagate': False}}})"
    ),
    "behind the root's": "logging.root.handlers.clear(); logging.getLogger('shop').propagate = False",
}


@pytest.mark.parametrize("kind", ISLANDS)
def test_a_logger_that_propagates_no_more(run, kind):
    messages, told, _ = run(ISLANDS[kind], "log.info('again')")
    assert messages == ["before", "after", "after", "again"]
    (warning,) = told
    assert "propagate = False: shop" in warning["message"]
    assert who(warning).endswith(PLACE)
    assert who(warning).endswith(PLACE)


@pytest.mark.parametrize("library", ["multiprocessing", "billiard.util"])
def test_a_logger_that_a_library_sets_apart_of_its_own_accord(run, library):
    """Nobody can mend it; billiard's does so in the middle of an incident, as a child is killed."""
    after = f"import {library}; {library}.get_logger().warning('apart')"
    messages, told, count = run("pass", after)
    assert messages[:4] == ["before", "after", "after", "apart"]  # it may have more to say
    assert (told, count) == ([], 0)


@pytest.mark.parametrize(
    "way",
    [
        (
            "logging.Logger.manager = logging.Manager(logging.RootLogger(20));"
            " globals().update(other=logging.getLogger('new'))"
        ),
        "other.parent = None; other.setLevel(20)",
        "list.clear(logging.root.handlers)",
    ],
)
def test_ways_that_nobody_can_see_lose_nothing_either(run, way):
    messages, told, _ = run(way)
    assert messages == ["before", "after", "after"]
    assert len(told) == 1


def test_a_second_setup_finds_the_loggers_of_a_module_that_was_executed_again(run):
    """As notebooks do it, to configure anew: root logger and classes are others then."""
    messages, _, _ = run(
        "import importlib; importlib.reload(logging); logging.basicConfig(level=20); flowery_logging.setup();"
        " globals().update(other=logging.getLogger('new'))"
    )
    assert messages == ["before", "after", "after"]


def test_a_logger_made_by_its_class_is_written_and_nothing_is_said(run):
    """As Dagster's: it is in no tree, so nobody has taken anything away."""
    messages, told, count = run("globals().update(other=logging.Logger('alone'))")
    assert messages == ["before", "after", "after"]
    assert (told, count) == ([], 0)


DISABLING = {
    "dictConfig": "logging.config.dictConfig({'version': 1})",
    "dictConfig with a root": f"logging.config.dictConfig({ROOT}}})",
    "fileConfig": "logging.config.fileConfig('alembic.ini')",
}


@pytest.mark.parametrize("kind", DISABLING)
def test_loggers_are_not_disabled_by_the_way(run, kind):
    messages, told, count = run(DISABLING[kind])
    assert messages == ["before", "after", "after"]
    (warning,) = told
    assert re.search(r"disabled: .*\bshop\.orders, stock\b", warning["message"])
    assert who(warning).endswith(PLACE)
    assert count >= 2


def test_what_nobody_logs_after_is_told_in_the_end(run):
    way = "log.disabled = other.disabled = True; logging.config.dictConfig({'version': 1})"
    end = "logging.getLogger('third'); logging.config.dictConfig({'version': 1})"
    messages, told, _ = run(way, end + "; flowery_logging.shutdown()")
    assert messages == ["before"]
    assert re.search(r"disabled: .*\bthird\b", told[-1]["message"])


STANDING = {
    "disabled": ("log.disabled = True", ["before", "after"]),
    "logging.disable": ("logging.disable(logging.INFO)", ["before"]),
    "a level": ("log.setLevel('ERROR')", ["before", "after"]),
    "the root's level": ("logging.root.setLevel('ERROR')", ["before"]),
    "the root's level by basicConfig": (
        "logging.basicConfig(level='ERROR', force=True)",
        ["before"],
    ),
    "a level of dictConfig": (
        f"logging.config.dictConfig({KEEPING}, 'loggers': {{'shop': {{'level': 'ERROR'}}}}}})",
        ["before", "after"],
    ),
    "a level of fileConfig for a logger that it names": (
        "globals().update(log=logging.getLogger('sqlalchemy.engine'));"  # noqa: ISC004
        " logging.config.fileConfig('alembic.ini')",
        ["before", "after"],
    ),
    "a filter": ("log.addFilter(lambda record: False)", ["before", "after"]),
}


@pytest.mark.parametrize("kind", STANDING)
def test_what_the_application_decides_stands(run, kind):
    way, expected = STANDING[kind]
    messages, _, _ = run(way)
    assert messages == expected


def test_a_level_that_came_with_it_stands_and_is_told(run):
    way = "logging.basicConfig(level='WARNING', force=True)"
    messages, told, _ = run(way, "log.warning('at last')")
    assert messages == ["before", "at last"]
    assert "level WARNING, which stays: root" in told[0]["message"]


def test_such_a_level_can_be_set_again(run):
    way = "logging.basicConfig(level='WARNING', force=True)"
    messages, _, _ = run(way, "flowery_logging.set_level('INFO')\nlog.info('at last')")
    assert messages[-1] == "at last"


def test_the_librarys_own_loggers_are_never_disabled(run):
    way = "logging.config.dictConfig({'version': 1, 'root': {'level': 'CRITICAL'}})"
    own = "from flowery_logging import runtime; import logging as l;"
    own += "runtime.own_logger('flowery_logging.access').log(l.INFO, 'GET / 200')"
    messages, _, _ = run(way, own)
    assert messages == ["before", "GET / 200"]


def test_many_configurations_at_one_place_are_told_once_and_counted(run):
    after = "for _ in range(5):\n    logging.root.handlers.clear()\n    log.info('again')"
    messages, told, count = run("pass", after)
    assert messages == ["before", "after", "after"] + ["again"] * 5
    assert len(told) == 1
    assert count == 5


@pytest.mark.slow
def test_threads_that_log_while_somebody_configures(run):
    after = """
start = threading.Barrier(5)
def work(n):
    start.wait()
    for i in range(300): logging.getLogger(f"worker.{n}").info("%d-%d", n, i)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads: t.start()
start.wait()
while any(t.is_alive() for t in threads):
    logging.config.dictConfig({'version': 1, 'root': {'level': 'INFO'}})
for t in threads: t.join()
"""
    messages, _, _ = run("pass", after)
    expected = sorted(f"{n}-{i}" for n in range(4) for i in range(300))
    assert sorted(messages[3:]) == expected


def test_threads_that_log_at_once_after_it_tell_it_once(run):
    after = """
logging.config.dictConfig({'version': 1, 'root': {'level': 'INFO'}})
start = threading.Barrier(8)
def work(n):
    start.wait()
    for i in range(20): logging.getLogger(f"worker.{n}").info("%d-%d", n, i)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
"""
    messages, told, _ = run("pass", after)
    assert sorted(messages[3:]) == sorted(f"{n}-{i}" for n in range(8) for i in range(20))
    assert len(told) == 1


def test_a_configurator_that_waits_for_a_thread_that_logs(run):
    """The thread must not wait for what `logging` holds meanwhile."""
    after = """
class Waiting(logging.NullHandler):
    def __init__(self):
        super().__init__()
        logging.root.handlers.clear()
        thread = threading.Thread(target=log.info, args=("meanwhile",))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
logging.config.dictConfig({'version': 1, 'handlers': {'w': {'()': Waiting}}, 'root': {'handlers': ['w']}})
log.info("then")
"""
    messages, _, _ = run("pass", after)
    assert messages[3:] == ["meanwhile", "then"]


def test_shutdown_leaves_the_loggers_as_they_are_without_us(run):
    after = """
flowery_logging.shutdown()
assert type(logging.root.handlers) is list and logging.root.handlers == []
assert "__setattr__" not in vars(logging.Logger)
for name in ("callHandlers", "makeRecord", "_log"):
    assert vars(logging.Logger)[name].__module__ == "logging", name
logging.getLogger("stock").disabled = True
"""
    run("logging.root.handlers.clear()", after)


def test_shutdown_leaves_loggers_of_no_tree_too(run):
    after = """
class Own(logging.Logger):
    def callHandlers(self, record):
        for handler in self.handlers:
            handler.handle(record)
loggers = logging.Logger("alone"), Own("own"), logging.Manager(logging.RootLogger(10)).root
for logger in loggers:
    logger.info(logger.name)
flowery_logging.shutdown()
for logger in loggers:
    assert logger.handlers == [], logger
    logger.info("after")
"""
    messages, _, _ = run("pass", after)
    assert messages[3:] == ["alone", "own", "root"]
