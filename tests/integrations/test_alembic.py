"""Alembic as it comes: `fileConfig` in its env.py, run from a script, at import and in a lifespan."""

import json
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

UPGRADE = """
def upgrade():
    from alembic import command
    from alembic.config import Config
    config = Config("alembic.ini")
    config.set_main_option("sqlalchemy.url", "sqlite:///shop.db")
    command.upgrade(config, "head")
"""

START = """
import logging, sys
import flowery_logging
from fastapi import FastAPI
from contextlib import asynccontextmanager
from flowery_logging.integrations import fastapi
log = logging.getLogger("shop")
flowery_logging.setup("shop", directory="logs", output="file")
"""

APP = """
where = {where!r}
if where == "import":
    upgrade()
@asynccontextmanager
async def lifespan(app):
    if where == "lifespan":
        upgrade()
    log.info("started")
    yield
app = FastAPI(lifespan=lifespan)
fastapi.instrument(app)
@app.get("/boom")
def boom():
    if where == "endpoint":
        upgrade()
    log.info("about to fail")
    1 / 0
from starlette.testclient import TestClient
with TestClient(app, raise_server_exceptions=False) as client:
    assert client.get("/boom").status_code == 500
"""


@pytest.fixture(scope="module")
def migrations(tmp_path_factory):
    """The environment that `alembic init` makes."""
    directory = tmp_path_factory.mktemp("alembic")
    subprocess.run(
        [sys.executable, "-m", "alembic", "init", "migrations"],
        cwd=directory,
        check=True,
        capture_output=True,
    )
    assert "fileConfig(" in (directory / "migrations" / "env.py").read_text()
    return directory


@pytest.mark.parametrize("where", ["import", "lifespan", "endpoint"])
def test_nothing_is_lost_and_one_warning_names_its_env_py(migrations, tmp_path, programs, where):
    shutil.copytree(migrations, tmp_path, dirs_exist_ok=True)
    done = programs.run(START + UPGRADE + APP.format(where=where), tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "logs").glob("*.ndjson")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    loggers = [event["log"]["logger"] for event in events]
    messages = [event["message"] for event in events]
    for message in ("started", "about to fail", "GET /boom 500"):
        assert messages.count(message) == 1
    (failed,) = [event for event in events if "error" in event]
    assert failed["error"]["type"] == "ZeroDivisionError"
    assert "alembic.runtime.migration" in loggers
    (warning,) = [event for event in events if "configured" in event["message"]]
    assert "env.py:" in warning["message"]
    assert re.search(r"disabled: .*\bshop\b", warning["message"])
    assert "level WARNING: root" in warning["message"]
