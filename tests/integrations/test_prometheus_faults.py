"""A disk that takes nothing, and calls that are interrupted: what is counted is what is numbered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.conftest import Logs
from tests.files.test_faults import FILL, ok, root_only, small_disk

__all__ = ["small_disk"]  # a fixture

pytestmark = pytest.mark.slow

PREPARE = """
    from prometheus_client import CollectorRegistry
    from flowery_logging.integrations import prometheus
    from flowery_logging.integrations.prometheus.board import boards
    registry = CollectorRegistry()
    prometheus.instrument(registry)

    def shown(name, **labels):
        '''The number that an endpoint shows, of this process or of all that share a directory.'''
        text = prometheus.exposition("", registry)[0].decode()
        from prometheus_client.parser import text_string_to_metric_families as parsed
        return sum(s.value for f in parsed(text) for s in f.samples
                   if s.name == name and labels.items() <= s.labels.items())
"""
CHECK = """
    flowery_logging.shutdown()
    import collections, glob, json
    lines = [l for p in glob.glob(os.path.join({directory!r}, "*.ndjson")) for l in open(p, "rb")]
    levels = collections.Counter(json.loads(l)["log.level"] for l in lines)
    stats = flowery_logging.stats()
    assert sum(levels.values()) + stats["dropped"] == stats["events"]
    assert shown("flowery_log_events_total") == stats["events"]
    assert shown("flowery_log_dropped_events_total", reason="disk") == stats["dropped"]
    for level in ("warning", "error"):
        assert shown("flowery_log_events_total", level=level) == levels[level], level
    assert shown("flowery_log_waiting_events") == 0
"""


@root_only
@pytest.mark.parametrize("shared", [False, True], ids=["one process", "shared"])
def test_events_that_wait_and_events_that_are_dropped(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    if shared:
        (tmp_path / "metrics").mkdir()
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    logs = Logs(small_disk)
    program = (
        PREPARE
        + FILL.format(directory=str(small_disk))
        + f"""
    log.error("before")
    fill()
    for n in range(300): log.warning("while full %d", n)
    assert shown("flowery_log_waiting_events") == flowery_logging.stats()["waiting"] > 100
    assert shown("flowery_log_faults_total", kind="write_errors") > 0
    for n in range(1000): log.info("x" * 20_000)
    assert shown("flowery_log_dropped_events_total", reason="disk") > 300
    os.unlink(ballast)
    import subprocess
    subprocess.run(["mount", "-o", "remount,size=32m", {str(small_disk)!r}], check=True)
    log.error("after")
    """
        + CHECK.format(directory=str(small_disk))
    )
    ok(logs.run(program, setup="max_bytes=10_000_000"))


def test_calls_that_a_signal_handler_interrupts_are_counted_once(tmp_path: Path) -> None:
    program = (
        PREPARE
        + """
    import signal
    class Stop(Exception): pass
    inside, stopped = False, 0
    def stop(*_):
        if inside: raise Stop
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
    while stopped < 150:
        try:
            inside = True
            log.warning("n %d", stopped)
            inside = False
        except Stop:
            stopped += 1
        finally:
            inside = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    """
        + CHECK.format(directory=str(tmp_path / "logs"))
    )
    ok(Logs(tmp_path / "logs").run(program))
