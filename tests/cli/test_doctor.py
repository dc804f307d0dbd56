"""`doctor`: each thing a newcomer gets wrong is found, with its fix; a sound set-up has none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import flowery, here
from tests.cli.crafted import Written, ago
from tests.files.conftest import Logs

KIT = Path(__file__).parents[2] / "filebeat"
Finding = dict[str, str]


def doctor(*arguments: str | Path, code: int, **variables: str) -> dict[str, Any]:
    done = here("doctor", "--json", *arguments, **variables)
    assert done.exit_code == code, done.stdout + done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["exit_code"] == code
    for finding in result["findings"]:
        assert finding["what"]
        assert finding["fix"]
    return result


def found(result: dict[str, Any], check: str, severity: str = "fault") -> str:
    """What was found by one check, as one text."""
    return "\n".join(
        f"{one['what']} | {one['fix']}"
        for one in result["findings"]
        if (one["check"], one["severity"]) == (check, severity)
    )


@pytest.mark.slow
def test_a_sound_set_up_has_nothing_to_mend(logs: Logs) -> None:
    logs.run("log.info('hello', extra={'order_id': 7})")
    result = doctor(logs.directory, code=0)
    assert [one for one in result["findings"] if one["severity"] == "fault"] == []
    assert "no process writes here now" in found(result, "directory", "note")
    assert result["services"] == ["svc"]
    assert set(result["versions"]) >= {"python", "orjson", "structlog"}
    assert {"directory", "disk", "retention", "clock", "handlers", "names"} <= set(
        result["checked"]
    )


def test_the_default_is_where_setup_would_write(logs: Logs) -> None:
    logs.run("log.info('hello')")
    result = doctor(code=0, FLOWERY_LOG_DIR=str(logs.directory))
    assert result["directory"] == str(logs.directory)


def test_no_directory_and_no_files(tmp_path: Path) -> None:
    assert "does not exist" in found(doctor(tmp_path / "none", code=1), "directory")
    assert "no service has written" in found(doctor(tmp_path, code=1), "directory")
    (tmp_path / "file").touch()
    assert "is no directory" in found(doctor(tmp_path / "file", code=1), "directory")


@pytest.mark.slow
def test_what_the_newest_processes_complain_about(logs: Logs) -> None:
    logging_again = """
        logging.getLogger("early").info("x")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
        logging.getLogger("detached").propagate = False
        logging.getLogger("detached").info("x")
        logging.getLogger("ship (old); x").propagate = False
        logging.getLogger("ship (old); x").info("x")
        for number in range(300):
            log.info("event", extra={f"key_{number}": 1})
    """
    done = subprocess.run(
        [sys.executable, "-c", "import logging, logging.config, flowery_logging\n"
         "logging.getLogger('silent').disabled = True\n"
         f"flowery_logging.setup('svc', directory={str(logs.directory)!r}, output='file')\n"
         "log = logging.getLogger('app')\n" + textwrap.dedent(logging_again)],
        env={**os.environ, "FLOWERY_LOG_LEVLE": "secret"}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    result = doctor(logs.directory, code=1)
    assert "logging is configured after setup(), at <string>:" in found(result, "configuration")
    assert "silent" in found(result, "loggers")
    assert "propagate = False after setup(): detached" in found(result, "loggers")
    assert "ship (old); x" in found(result, "loggers")
    assert "disabled after setup(): " in found(result, "loggers")
    assert "used up its names of labels" in found(result, "names")
    assert "FLOWERY_LOG_LEVLE (did you mean FLOWERY_LOG_LEVEL?)" in found(result, "variables")
    assert "secret" not in json.dumps(result)
    _make_older(logs)
    logs.run("log.info('mended')")
    assert found(doctor(logs.directory, code=0), "configuration") == ""


def test_loggers_that_were_detached_once_the_names_of_labels_were_used_up(logs: Logs) -> None:
    program = """
        import logging
        for number in range(300):
            log.info("event", extra={f"key_{number}": 1})
        logging.getLogger("late").propagate = False
        logging.getLogger("late").info("x")
    """
    assert logs.run(program).returncode == 0
    assert "propagate = False after setup(): late" in found(
        doctor(logs.directory, code=1), "loggers"
    )


def _make_older(logs: Logs) -> None:
    """Let what lies there be of a process that started a day ago."""
    for path in logs.files():
        service, start, *rest = path.name.split("-")
        older = ago(days=1).strftime("%Y%m%dT%H%M%SZ")
        path.rename(path.with_name("-".join([service, older, *rest])))
        assert start


def test_variables_and_their_values(logs: Logs) -> None:
    logs.run("log.info('hello')")
    result = doctor(
        logs.directory, code=1, FLOWERY_SERVICE="orders", FLOWERY_LOG_LEVEL="LOUD",
        OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED="true",
    )  # fmt: skip
    text = found(result, "variables")
    assert (
        "FLOWERY_SERVICE in this environment is read by nothing | did you mean FLOWERY_SERVICE_NAME?"
        in text
    )
    assert "'LOUD' (from environment variable FLOWERY_LOG_LEVEL); allowed: DEBUG" in text
    assert "OpenTelemetry exports each event too" in found(result, "handlers")


def test_retention_that_does_not_last_a_day(tmp_path: Path) -> None:
    file = Written(tmp_path, start=ago(minutes=20))
    for minute in range(20, 0, -1):
        file.add(ago(minutes=minute), "x" * 20_000)
    result = doctor(tmp_path, code=1, FLOWERY_LOG_KEEP_BYTES="10MB")
    assert "svc writes " in found(result, "retention")
    assert "keep_bytes 10.0MB lasts" in found(result, "retention").replace("10MB", "10.0MB")
    assert found(doctor(tmp_path, code=0), "retention") == ""
    file.add(
        ago(minutes=1), "old log files removed", log={"logger": "flowery_logging"},
        action="log-files-removed", numeric_labels={"removed_oldest_days": 0.125},
    )  # fmt: skip
    assert "files of svc that were 3.0 hours old" in found(doctor(tmp_path, code=1), "retention")


def test_the_clock_and_what_else_lies_in_the_files(tmp_path: Path) -> None:
    file = Written(tmp_path, start=ago(minutes=2))
    file.add(ago(minutes=-10))
    file.add(
        ago(minutes=1), "log can be written again", "warning", log={"logger": "flowery_logging"},
        action="log-recovered", labels={"dropped_sequences": "4-9"},
    )  # fmt: skip
    with file.path.open("ab") as stream:
        stream.write(b"print()ed\n")
    shutil.copy(file.path, f"{file.path}.1")
    result = doctor(tmp_path, code=1)
    assert "ahead" in found(result, "clock")
    assert "1 lines in " in found(result, "lines")
    assert "dropped events 1 times" in found(result, "lines")
    assert "renamed or packed by somebody" in found(result, "directory")
    os.utime(file.path, (ago(days=2).timestamp(),) * 2)
    assert "before its process started" in found(doctor(tmp_path, code=1), "clock")


PROGRAMS: dict[str, tuple[str, str, str]] = {
    "sound": ("import flowery_logging; flowery_logging.setup('svc', output='none')", "", ""),
    "guarded": (
        "import flowery_logging\nif __name__ == '__main__': flowery_logging.setup('svc')",
        "workers", "does not call setup()",
    ),
    "raising": ("import flowery_logging; flowery_logging.setup(output='none'); 1/0", "workers", "ZeroDivisionError"),
    "nameless": ("import flowery_logging; flowery_logging.setup(output='none'); other = 1", "workers", "no attribute 'app'"),
    "exiting": ("import os; os._exit(3)", "workers", "cannot be imported"),
    "disabled": (
        ("import logging, flowery_logging; flowery_logging.setup(output='none')\n"
        "logging.getLogger('shop').disabled = True"), "loggers", "logger shop is disabled",
    ),
    "doubled": (
        ("import logging, flowery_logging; flowery_logging.setup(output='none')\n"
        "logging.getLogger().addHandler(logging.StreamHandler())\n"
        "logging.getLogger('shop').addHandler(logging.StreamHandler())"),
        "handlers", "an event of logger shop is printed 2 times to stderr",
    ),
    "beside our console": (
        (
            "import logging, flowery_logging; flowery_logging.setup(output='console')\n"
            "from rich.console import Console; from rich.logging import RichHandler\n"
            "logging.getLogger().addHandler(RichHandler(console=Console(stderr=True)))"
        ),
        "handlers",
        "is printed 2 times to stderr: the console of flowery_logging, RichHandler of root",
    ),
    "configuring": (
        "import logging, flowery_logging; flowery_logging.setup(output='none')\nlogging.basicConfig(force=True)",
        "configuration",
        "main:app: logging is configured after setup(), at ",
    ),
    "silenced": (
        ("import logging.config, flowery_logging; flowery_logging.setup(output='none')\n"
        "logging.getLogger('shop').propagate = False"),
        "loggers",
        "main:app: propagate = False after setup(): shop",
    ),
    "named oddly": (
        ("import logging, flowery_logging; flowery_logging.setup(output='none')\n"
        "logging.getLogger('ship (old); x').propagate = False"),
        "loggers",
        "main:app: propagate = False after setup(): ship (old); x",
    ),
    "naming": (
        ("import flowery_logging; flowery_logging.setup(output='none')\n"
        "for n in range(300): flowery_logging.get_logger().info('x', **{f'key_{n}': 1})"),
        "names",
        "main:app has used up its names of labels: further fields",
    ),
    "exporting": (
        ("import logging, warnings, flowery_logging; flowery_logging.setup(output='none')\n"
        "warnings.simplefilter('ignore')\nfrom opentelemetry.sdk._logs import LoggingHandler\n"
        "logging.getLogger().addHandler(LoggingHandler())"), "handlers", "exports each event too",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_importing_a_module_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, check, text = PROGRAMS[name]
    (tmp_path / "main.py").write_text(program + "\napp = 7\n" if name != "nameless" else program)
    Written(tmp_path / "logs").add(ago(minutes=1))
    monkeypatch.chdir(tmp_path)
    result = doctor("--import", "main:app", "logs", code=1 if check else 0)
    assert text in found(result, check) if check else True
    assert {"workers", "loggers", "handlers"} <= set(result["checked"])


def filebeat(tmp_path: Path, text: str, code: int, **variables: str) -> str:
    path = tmp_path / "filebeat.yml"
    path.write_text(text)
    directory = tmp_path / "logs"
    if not directory.is_dir():
        Written(directory)
    return found(doctor("--filebeat", path, directory, code=code, **variables), "filebeat")


@pytest.mark.parametrize(
    "name", ["filebeat.yml", "filebeat.kafka.yml", "filebeat.elasticsearch.yml"]
)
def test_the_kits_filebeat_is_sound_for_its_directory(name: str, tmp_path: Path) -> None:
    text = (KIT / name).read_text()
    directory = str(tmp_path / "logs")
    assert filebeat(tmp_path, text, 0, FLOWERY_LOG_DIR=directory) == ""
    elsewhere = filebeat(tmp_path, text, 1, FLOWERY_LOG_DIR="/somewhere/else")
    assert "1 of 1 log files match no path of Filebeat's (/somewhere/else/*.ndjson)" in elsewhere
    assert f"FLOWERY_LOG_DIR={directory} in Filebeat's environment" in elsewhere


SOUND = """
filebeat:
  inputs:
  - type: filestream
    id: flowery
    paths: [LOGS/*.ndjson]
    file_identity.path: ~
    close: {on_state_change: {removed: false, inactive: 0s}, reader.on_eof: true}
output.logstash.hosts: ["localhost:5044"]
"""
CHANGES = [
    ("LOGS/*.ndjson", "LOGS/*.log", "match no path"),
    ("LOGS/*.ndjson", "LOGS/*/*.ndjson", "match no path"),
    ("[LOGS/*.ndjson]", "['LOGS/svc-?.ndjson']", "match no path"),
    ("[LOGS/*.ndjson]", "[]", "match no path"),
    ("type: filestream", "enabled: false", "match no path"),
    ("id: flowery", "id: flowery\n    prospector.scanner.exclude_files: ['svc']", "match no path"),
    ("id: flowery\n", "\n", "has no id"),
    ("type: filestream", "type: log", "of type log"),
    ("removed: false, ", "", "close.on_state_change.removed"),
    ("    file_identity.path: ~\n", "", "told apart by inode"),
    ("id: flowery", "id: flowery\n    ignore_older: 24h", "ignore_older: 24h strands"),
    (
        "id: flowery",
        "id: flowery\n    parsers: [{ndjson: {target: ''}}]",
        "decoded before Logstash",
    ),
    ("output.logstash", "output.elasticsearch", "undecoded"),
    ("  inputs:", "  inputs: []\n  other:", "no input"),
    ("output.logstash", "  - a: [", "cannot be read"),
    ("output.logstash.hosts", "filebeat.inputs", "no input"),
]


def test_a_filebeat_written_by_hand(tmp_path: Path) -> None:
    text = SOUND.replace("LOGS", str(tmp_path / "logs"))
    assert filebeat(tmp_path, text, 0) == ""
    deep = text.replace("/logs/*.ndjson", "/**/*.ndjson")
    assert filebeat(tmp_path, deep, 0) == ""


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES)
def test_a_filebeat_that_loses(before: str, after: str, expected: str, tmp_path: Path) -> None:
    assert before in SOUND
    text = SOUND.replace(before, after).replace("LOGS", str(tmp_path / "logs"))
    assert expected in filebeat(tmp_path, text, 1)


@pytest.mark.slow
def test_the_words_for_people(tmp_path: Path) -> None:
    Written(tmp_path).add(ago(minutes=-10), level="info\x1b[31m")
    done = flowery("doctor", tmp_path, COLUMNS="60")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert any(line.startswith("!! svc has events of the future") for line in lines)
    assert any(line.startswith("   fix: synchronise the clocks") for line in lines)
    assert any(line.startswith("ok room on the disk") for line in lines)
    assert lines[-1] == "1 to mend."
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 60
    assert "\x1b" not in done.stdout


SERVICE = """
import logging, multiprocessing, sys, time, flowery_logging

def wait(ready):
    ready.set()
    time.sleep(300)

if __name__ == "__main__":
    flowery_logging.setup("svc", directory=sys.argv[1], output="file")
    logging.info("hello")
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    worker = spawn.Process(target=wait, args=(ready,), daemon=True)
    worker.start()
    ready.wait()  # before, it may still be this program, or none
    print(worker.pid, flush=True)
    sys.stdin.read()
    worker.kill()
    worker.join()
"""


@pytest.mark.slow
def test_processes_that_run_here(tmp_path: Path) -> None:
    program = tmp_path / "service.py"
    program.write_text(SERVICE)
    process = subprocess.Popen(
        [sys.executable, program, tmp_path / "logs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "FLOWERY_LOG_LEVLE": "s3cret", "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        worker = process.stdout.readline().strip()
        result = doctor(tmp_path / "logs", code=1)
    finally:
        process.communicate(timeout=300)
    place = f"in the environment of svc (process {process.pid})"
    assert f"FLOWERY_LOG_LEVLE {place} is read by nothing" in found(result, "variables")
    assert f"ENABLED=true {place}: OpenTelemetry exports" in found(result, "handlers")
    assert f"process {worker}, spawned by svc ({process.pid}), has written nothing" in found(
        result, "workers", "note"
    )
    assert found(result, "directory", "note") == ""
    assert "s3cret" not in json.dumps(result)
