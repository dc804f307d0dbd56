"""Programs that look for the handlers of signals, and handlers that Python does not know of."""

import signal
import sys

import pytest

from tests.ends.servers import ends
from tests.ends.test_programs import run

pytestmark = pytest.mark.slow

ASK = """
stopped = []
def stop(number, frame):
    log.info("stopping after this batch")
    stopped.append(number)
{sets}
print("ready", flush=True)
while not stopped:
    time.sleep(0.01)
log.info("saved")
"""
WAYS = {
    "only if nobody else does": (
        "if signal.getsignal({number}) in (None, signal.SIG_DFL): signal.signal({number}, stop)"
    ),
    "those before first": (
        "before = signal.getsignal({number})\n"
        "def both(*args): before(*args) if callable(before) else None; stop(*args)\n"
        "signal.signal({number}, both)"
    ),
    "what was replaced behind": (
        "def both(*args): stop(*args); before(*args) if callable(before) else None\n"
        "before = signal.signal({number}, both)"
    ),
    "asked by name": (
        "if signal.getsignal(signalnum={number}) is signal.SIG_DFL:\n"
        "    signal.signal(signalnum={number}, handler=stop)"
    ),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_looks_for_handlers_finds_what_is_there_without_us(tmp_path, way, number):
    """As PyTorch Lightning does: it calls those that it finds, which would end the process."""
    sets = WAYS[way].format(number=int(number))
    assert run(tmp_path, ASK.format(sets=sets), number) == 0
    assert ends(tmp_path / "logs") == ["clean"]


def test_the_functions_of_signal_are_as_before_after_shutdown(tmp_path):
    program = """
assert (signal.getsignal, signal.signal) != original
flowery_logging.shutdown()
assert (signal.getsignal, signal.signal) == original
"""
    assert run(tmp_path, program, before="original = signal.getsignal, signal.signal") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of handlers in C")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_handler_that_was_set_in_c_stays(tmp_path, number):
    """It says where the program is, and the program goes on."""
    before = f"import faulthandler\nfaulthandler.register({int(number)}, file=open('where', 'w'))"
    program = f"""
os.kill(os.getpid(), {int(number)})
log.info("goes on")
assert "<module>" in open("where").read()
"""
    assert run(tmp_path, program, before=before) == 0
    assert ends(tmp_path / "logs") == ["clean"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of handlers in C")
def test_when_such_a_handler_is_gone_the_signal_is_ours(tmp_path):
    before = "import faulthandler\nfaulthandler.register(signal.SIGTERM)"
    program = """
assert faulthandler.unregister(signal.SIGTERM)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # anything by which we come by
log.info("one")
print("ready", flush=True)
time.sleep(300)
"""
    assert run(tmp_path, program, signal.SIGTERM, before=before) == -signal.SIGTERM
    assert ends(tmp_path / "logs") == ["signal"]
