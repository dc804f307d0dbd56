"""Two interpreters in one process, as those of two applications of mod_wsgi or of uWSGI's mounts."""

import json
import subprocess
import sys
import uuid

import pytest

APPLICATION = """
import enum, logging, uuid
import flowery_logging
class Kind(enum.Enum):
    NEW = "new"
flowery_logging.setup({name!r}, directory="logs", output="file")
order = uuid.UUID(int=7)
fields = {{"order": order, "orders": [order], "kind": Kind.NEW, "rest": {{"a": 1}}, "count": 1}}
logging.getLogger("shop").info("stdlib", extra=fields)
flowery_logging.get_logger("shop").info("structlog", **fields)
"""


@pytest.mark.slow
def test_each_application_logs_what_it_would_alone(tmp_path):
    pytest.importorskip("_testcapi")
    first, second = (APPLICATION.format(name=name) for name in ("first", "second"))
    program = f"{first}\nimport _testcapi; assert _testcapi.run_in_subinterp({second!r}) == 0"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    of_first, of_second = (_lines(tmp_path, name) for name in ("first", "second"))
    assert [message for message, _, _ in of_second] == ["stdlib", "structlog"]
    assert of_second == of_first
    assert of_second[0][1]["order"] == str(uuid.UUID(int=7))


def _lines(folder, application):
    records = [
        json.loads(line)
        for path in folder.glob(f"logs/{application}-*")
        for line in path.read_text().splitlines()
    ]
    events = [record for record in records if record["log"]["logger"] == "shop"]
    return [(event["message"], event["labels"], event["numeric_labels"]) for event in events]
