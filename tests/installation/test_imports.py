"""What a program imports after `setup()`, as the README has it at the top, is noticed all the same."""

import json

import pytest

SETUP = "import flowery_logging; flowery_logging.setup('shop', directory='logs', output='file')\n"
# By what is imported: a program that logs one event, which shows that it was noticed.
PROGRAMS = {
    "gevent": """
import gevent
def work():
    with flowery_logging.continue_trace({}, seen="yes"):
        1 / 0
gevent.spawn(work).join()
""",
    "OpenTelemetry": """
import logging
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
with trace.get_tracer("t").start_as_current_span("s") as span:
    seen = "yes" if span.is_recording() else "no"
    logging.getLogger("shop").info("in a span", extra={"seen": seen})
""",
}


@pytest.fixture
def run(tmp_path, programs):
    def run(code):
        done = programs.run(SETUP + code, tmp_path)
        assert done.returncode == 0, done.stderr
        lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
        events = [json.loads(line) for line in lines]
        return [event for event in events if event["log"]["logger"] != "flowery_logging"]

    return run


@pytest.mark.parametrize("library", PROGRAMS)
def test_what_is_imported_after_setup_is_noticed(run, library):
    (event,) = run(PROGRAMS[library])
    assert event["labels"]["seen"] == "yes"
    assert len(event["trace"]["id"]) == 32


def test_a_module_has_its_own_loader_and_no_finder_stays_after_shutdown(run):
    run("""
import sys
finders = [*sys.meta_path]
import gevent.hub
from importlib.machinery import SourceFileLoader
assert type(gevent.hub.__loader__) is type(gevent.hub.__spec__.loader) is SourceFileLoader
assert finders == sys.meta_path
flowery_logging.shutdown()
assert len(sys.meta_path) == len(finders) - 1
""")


def test_a_finder_that_asks_all_others_is_asked_once(run):
    """As wrapt's, which agents use to instrument what is imported."""
    (event,) = run(
        """
import importlib.util, sys
class Asking:
    busy = False
    def find_spec(self, name, path=None, target=None):
        if self.busy or not name.startswith("gevent.hub"):
            return None
        Asking.busy = True
        try:
            return importlib.util.find_spec(name)
        finally:
            Asking.busy = False
sys.meta_path.insert(0, Asking())
"""
        + PROGRAMS["gevent"]
    )
    assert event["labels"]["seen"] == "yes"


def test_what_a_module_raises_as_it_is_imported_is_what_it_was(run, tmp_path):
    package = tmp_path / "gevent"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "hub.py").write_text("import nowhere\n")
    run(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
for _ in range(2):
    try:
        import gevent.hub
    except ModuleNotFoundError as error:
        assert error.name == "nowhere"
    else:
        raise SystemExit("imported")
    assert "gevent.hub" not in sys.modules
try:
    import eventlet.hubs.hub
except ModuleNotFoundError as error:
    assert error.name == "eventlet"
""")


def test_an_import_costs_what_it_did_where_nobody_waits_for_it(run):
    """One look into a set for each module that is imported anew."""
    run("""
import sys
calls = []
sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_filename))
import colorsys
sys.setprofile(None)
ours = [name for name in calls if "flowery_logging" in name]
assert len(ours) <= 2, ours  # called, and left
""")
