"""Names and places: what a second `setup()` changes and keeps, and what is said about it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowery_logging
from flowery_logging import ConfigError, config
from tests.files.conftest import Logs
from tests.files.test_outputs import run

DEADLINE = 300


def own(logged) -> list[str]:
    """Warnings of the library's own."""
    return [r["message"] for r in logged.records() if r["log.level"] == "warning"]


def test_a_bare_second_call_keeps_what_was_given(logged, monkeypatch, tmp_path):
    logged.setup(version="7", levels={"quiet": "ERROR"}, redact=["pin_of_mine"])
    monkeypatch.chdir(tmp_path)
    flowery_logging.setup()
    logging.getLogger("app").debug("seen", extra={"pin_of_mine": "1234"})
    logging.getLogger("quiet").warning("not seen")
    event = logged.event()
    assert (event["service"]["name"], event["service"]["version"]) == ("shop", "7")
    assert event["labels"]["pin_of_mine"] == "[redacted]"
    assert own(logged) == []


def test_what_is_given_anew_wins_and_the_rest_stays(logged):
    logged.setup(version="7")
    flowery_logging.setup(version="8", level="WARNING")
    logging.getLogger("app").info("not seen")
    logging.getLogger("app").warning("seen")
    service = logged.event()["service"]
    assert (service["name"], service["version"]) == ("shop", "8")


def test_levels_changed_at_run_time_stay(logged):
    logged.setup()
    flowery_logging.set_level("WARNING")
    flowery_logging.set_level("DEBUG", "app.part")
    flowery_logging.setup()
    logging.getLogger("app").info("not seen")
    logging.getLogger("app.part").debug("seen")
    assert logged.event()["message"] == "seen"


def test_the_environment_goes_before_defaults_as_at_the_first_call(logged, monkeypatch):
    monkeypatch.setenv("FLOWERY_SERVICE_VERSION", "7")
    flowery_logging.setup()
    flowery_logging.get_logger().info("seen")
    assert logged.event()["service"]["version"] == "7"


def test_another_service_is_warned_of_with_both_places(logged):
    flowery_logging.setup("tasks")
    line = test_another_service_is_warned_of_with_both_places.__code__.co_firstlineno + 1
    (warning,) = own(logged)
    assert f"setup() at {__file__}:{line} changes the service from 'shop'" in warning
    assert "conftest.py:" in warning
    assert warning.endswith("to 'tasks'")
    flowery_logging.setup("tasks")
    flowery_logging.setup()
    assert len(own(logged)) == 1


def test_after_shutdown_it_begins_from_scratch(logged, tmp_path):
    logged.setup(version="7", level="ERROR")
    flowery_logging.shutdown()
    flowery_logging.setup("other", directory=tmp_path / "logs", output="file")
    logging.getLogger("app").info("seen")
    event = logged.event()
    assert event["service"] == {"name": "other", "node": event["service"]["node"]}
    assert own(logged) == []


@pytest.mark.slow
def test_a_default_directory_stays_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    text = "import os, flowery_logging\nflowery_logging.setup('svc', output='file')\n"
    text += "os.chdir('elsewhere')\nflowery_logging.setup()\nflowery_logging.get_logger().info('x')"
    subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True, timeout=DEADLINE)
    assert Logs(tmp_path / "logs").messages() == ["x"]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["elsewhere", "/proc"])
@pytest.mark.parametrize("given", ["arguments", "environment"])
def test_a_relative_directory_stays_where_it_was(tmp_path: Path, given: str, place: str) -> None:
    """A daemon changes to `/`."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "fields.json").write_text('{"flowery.order.id": "long"}')
    arguments = "directory='logs', fields='fields.json'" if given == "arguments" else ""
    text = f"""
import os, flowery_logging
flowery_logging.setup('svc', output='file', {arguments})
os.chdir({place!r})
flowery_logging.setup(level='DEBUG')
flowery_logging.get_logger().debug('x', **{{'flowery.order.id': 7}})
"""
    variables = {"FLOWERY_LOG_DIR": "logs", "FLOWERY_LOG_FIELDS": "fields.json"}
    environment = {**os.environ, **({} if arguments else variables)}
    subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, check=True, timeout=DEADLINE, env=environment
    )
    logs = Logs(tmp_path / "logs")
    assert logs.messages() == ["x"]
    assert [r["flowery"]["order"]["id"] for r in logs.records() if "flowery" in r] == [7]


@pytest.mark.slow
def test_none_numbers_events_and_writes_nowhere(tmp_path: Path) -> None:
    text = "log.error('x'); print(flowery_logging.stats()['events'])"
    done = run(text, output="none", directory=str(tmp_path / "logs"))
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("output", ["none,file", ["stdout", "none"], ""])
def test_none_stands_alone(output):
    with pytest.raises(ConfigError, match=r"allowed: any of file, stdout, console.*; or none"):
        config.resolve({"service": "svc", "output": output}, {})


@pytest.mark.parametrize("dataset", ["flowery", "flowery.svc", "flowery.{service}", "Flowery.A-b"])
def test_a_dataset_of_ours(dataset):
    found = config.resolve({"service": "svc", "dataset": dataset, "output": "none"}, {}).dataset
    assert found == "flowery" or found.startswith("flowery.")


@pytest.mark.parametrize(
    "dataset", ["orders", "flowery2", "flowery.", "flowery-x", "{service}", "."]
)
def test_another_dataset_is_refused_with_what_is_allowed(dataset):
    with pytest.raises(ConfigError, match=r"allowed: flowery, or flowery\.<name>"):
        config.resolve({"service": "svc", "dataset": dataset, "output": "none"}, {})


@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "huge"])
def test_fields_are_read_from_a_file_alone(tmp_path, kind):
    path = tmp_path / "fields.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "directory":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(2**40)
    with pytest.raises(ConfigError, match="fields: the file cannot be read"):
        config.resolve({"service": "svc", "output": "none"}, {"FLOWERY_LOG_FIELDS": str(path)})


@pytest.mark.slow
def test_unknown_variables_are_named_once_and_never_their_values(tmp_path: Path) -> None:
    text = "import flowery_logging\n"
    text += "for _ in range(2): flowery_logging.setup('svc', directory='logs', output='file')\n"
    environ = {
        **os.environ, "FLOWERY_LOG_LEVL": "hush", "FLOWERY_DATABASE": "hush", "FLOWERY_LOG_DIR": "x",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, env=environ, capture_output=True, text=True,
        check=True, timeout=DEADLINE,
    )  # fmt: skip
    where, unknown = done.stderr.splitlines()
    assert "FLOWERY_LOG_DIR" in where
    assert unknown == (
        "flowery_logging: unknown variable FLOWERY_LOG_LEVL (did you mean FLOWERY_LOG_LEVEL?)"
    )
    records = Logs(tmp_path / "logs").records()
    (warning,) = (r["message"] for r in records if r["log.level"] == "warning")
    assert warning == (
        "unknown variables: FLOWERY_DATABASE, FLOWERY_LOG_LEVL (did you mean FLOWERY_LOG_LEVEL?)"
    )
    assert "hush" not in done.stderr + str(records)


@pytest.mark.slow
def test_what_others_have_wrapped_since_is_left_inside_theirs(programs, tmp_path):
    program = """
import multiprocessing.process, os
import flowery_logging
def set_up():
    flowery_logging.setup("svc", directory="logs", output="file")
set_up()
places = [(os, "_exit"), (os, "execv"), (os, "setuid")]
places += [(multiprocessing.process.BaseProcess, "_bootstrap")]
def wrapped(ours):
    return lambda *given: ours(*given)
theirs = [wrapped(getattr(*place)) for place in places]
for place, function in zip(places, theirs):
    setattr(*place, function)
flowery_logging.shutdown()
set_up()
assert [vars(owner)[name] for owner, name in places] == theirs
"""
    done = programs.run(program, tmp_path)
    assert done.returncode == 0, done.stderr


def test_shutdown_gives_back_what_set_level_alone_has_changed():
    part = logging.getLogger("given.part")
    before = logging.root.level, part.level
    flowery_logging.set_level("DEBUG")
    flowery_logging.set_level("ERROR", "given.part")
    assert (logging.root.level, part.level) == (logging.DEBUG, logging.ERROR)
    flowery_logging.shutdown()
    assert (logging.root.level, part.level) == before
