"""The command as a user runs it, and a server that answers as Elasticsearch does."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result as CommandResult

from flowery_logging.cli.commands import commands
from tests.cli.fake_elasticsearch import FakeElasticsearch
from tests.files.conftest import Logs
from tests.programs import Programs

Result = dict[str, Any]

MODULE = "import runpy; runpy.run_module('flowery_logging', run_name='__main__', alter_sys=True)"
_commands = Programs("-X", "dev", imports="import flowery_logging.cli.commands")
atexit.register(_commands.close)


def flowery(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["flowery_logging", *map(str, arguments)]
    env = {**os.environ, **variables}
    if _commands.can_run(env):
        done = _commands.run(MODULE, argv=command, env=env)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout, done.stderr)
    return subprocess.run(
        [sys.executable, "-X", "dev", "-m", *command],
        capture_output=True, text=True, timeout=300, check=False, env=env,
    )  # fmt: skip


def here(*arguments: str | Path, **variables: str) -> CommandResult:
    """The same in this process, which takes milliseconds: for tables of many cases."""
    return CliRunner().invoke(commands, [*map(str, arguments)], env=variables)


def audit(*arguments: str | Path, code: int, **variables: str) -> Result:
    """The JSON of an audit that must exit with the code."""
    done = flowery("audit", "--json", *arguments, **variables)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    result: Result = json.loads(done.stdout)
    assert result["exit_code"] == code
    return result


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs")


@pytest.fixture
def elasticsearch() -> Iterator[FakeElasticsearch]:
    server = FakeElasticsearch()
    yield server
    server.close()
