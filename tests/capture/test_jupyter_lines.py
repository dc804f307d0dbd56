"""What Jupyter's applications log of themselves: no more than they show."""

import json

import pytest

PROGRAM = """
import logging
from traitlets.config.application import Application
import flowery_logging
flowery_logging.setup("notebook", directory="logs", output="file")
Application.instance(log_level={level}).log.propagate = {propagate}
flowery_logging.setup("notebook")
log = Application.instance().log
log.debug("code of a cell")
log.info("started")
log.warning("no encryption")
logging.getLogger("shop").info("sold")
"""
WARNING, INFO = ["no encryption", "sold"], ["started", "no encryption", "sold"]


@pytest.mark.parametrize(
    ("level", "propagate", "expected"),
    [(30, False, WARNING), (20, False, INFO), (30, True, ["code of a cell", *INFO])],
)
def test_an_application_of_jupyter_writes_what_it_shows(
    tmp_path, programs, level, propagate, expected
):
    code = PROGRAM.format(level=level, propagate=propagate)
    done = programs.run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    assert [
        event["message"] for event in events if event["log"]["logger"] != "flowery_logging"
    ] == expected


BEGINS_LATER = """
import logging
import flowery_logging
flowery_logging.setup("notebook", directory="logs", output="file")
from traitlets.config.application import Application
application = Application.instance(log_level=30)
for number in range(9):
    application.log.debug("looking for settings in %d", number)
application.log.warning("no encryption")
"""


def test_an_application_that_begins_after_the_setup(tmp_path, programs):
    """Its first event, by which it is seen, is held back by the level of its own handler."""
    assert programs.run(BEGINS_LATER, tmp_path).returncode == 0
    (path,) = tmp_path.glob("logs/*")
    messages = [json.loads(line)["message"] for line in path.read_text().splitlines()]
    assert [m for m in messages if "looking" in m] == []
    assert "no encryption" in messages
