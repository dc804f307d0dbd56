"""What Dagster's handler logs again, on the loggers of a run, is written and shown once."""

import json
import os
import subprocess
import sys

import pytest

from tests.aside import ROOT, installed_aside

PROGRAM = """
import logging
import flowery_logging
flowery_logging.setup("jobs", directory="logs", output="file", level="DEBUG")
import dagster

log = logging.getLogger("shop")


@dagster.op
def sell(context):
    context.log.info("sold by the run")
    log.info("sold by the program")
    context.log.error("broken by the run")
    log.error("broken by the program")


@dagster.job
def market():
    sell()


settings = {"python_logs": {"managed_python_loggers": ["shop"]}}
with dagster.DagsterInstance.ephemeral(settings=settings) as instance:
    assert market.execute_in_process(instance=instance).success
"""
LINES = ("sold by the run", "sold by the program", "broken by the run", "broken by the program")


@pytest.fixture(scope="session")
def dagster():
    """A folder with Dagster, whose dependencies are not to be in the environment of the tests."""
    return installed_aside("dagster", "dagster==1.13.28")


@pytest.mark.slow
def test_a_line_of_a_run_is_there_once(tmp_path, dagster):
    (tmp_path / "market.py").write_text(PROGRAM)
    path = os.pathsep.join((str(ROOT), str(dagster)))
    done = subprocess.run(
        [sys.executable, "market.py"], cwd=tmp_path, check=True, capture_output=True, text=True,
        timeout=300, env={**os.environ, "PYTHONPATH": path, "DAGSTER_DISABLE_TELEMETRY": "yes"},
    )  # fmt: skip
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    assert [sum(line in event["message"] for event in events) for line in LINES] == [1] * 4
    assert [done.stderr.count(line) for line in LINES] == [1] * 4  # by Dagster's console
    assert sum("Started execution of step" in event["message"] for event in events) == 1
