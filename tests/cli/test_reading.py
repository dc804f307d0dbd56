"""What the commands share: times, conditions, directories, the list of commands."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import FrameType

import click
import pytest

import flowery_logging
from flowery_logging.cli import commands
from flowery_logging.cli.reading.conditions import parse_condition
from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.times import moment_of, parse_age, parse_time
from tests.cli.conftest import flowery, here
from tests.cli.events import Service

KST = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 27, 14, 30, tzinfo=KST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", datetime(2026, 11, 27, 14, 28, 30, tzinfo=KST)),
        ("10m", datetime(2026, 11, 27, 14, 20, tzinfo=KST)),
        ("2h30m", datetime(2026, 11, 27, 12, tzinfo=KST)),
        ("1.5H", datetime(2026, 11, 27, 13, tzinfo=KST)),
        ("1w", datetime(2026, 11, 20, 14, 30, tzinfo=KST)),
        ("now", NOW),
        ("today", datetime(2026, 11, 27, tzinfo=KST)),
        ("Yesterday", datetime(2026, 11, 26, tzinfo=KST)),
        ("14:05", datetime(2026, 11, 27, 14, 5, tzinfo=KST)),
        ("9:05:07.25", datetime(2026, 11, 27, 9, 5, 7, 250_000, tzinfo=KST)),
        ("2026-11-27", datetime(2026, 11, 27, tzinfo=KST)),
        ("2026-11-27 14:05", datetime(2026, 11, 27, 14, 5, tzinfo=KST)),
        ("2026-11-27T14:05:06", datetime(2026, 11, 27, 14, 5, 6, tzinfo=KST)),
        ("2026-11-27T05:05:06.123456789Z", datetime(2026, 11, 27, 14, 5, 6, 123456, tzinfo=KST)),
        ("2026-11-27t05:05:06,5+0000", datetime(2026, 11, 27, 14, 5, 6, 500_000, tzinfo=KST)),
        ("2026-11-27T00:05-05:00", datetime(2026, 11, 27, 14, 5, tzinfo=KST)),
    ],
)
def test_times_as_people_give_them(text: str, expected: datetime) -> None:
    assert parse_time(text, NOW, KST) == expected


@pytest.mark.parametrize(
    "text",
    ["", "10", "10x", "m", "2026-13-01", "25:00", "tomorrow", "-5m", "2026-11-27T", "9e9w",
     "99999999999999w", "2026-02-30", "2026-11-27T10:61"],
)  # fmt: skip
def test_what_is_no_time_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: an age"):
        parse_time(text, NOW, KST)


def test_the_times_of_events_whoever_wrote_them() -> None:
    expected = datetime(2026, 11, 27, 5, 5, 6, 120_000, tzinfo=timezone.utc)
    for text in ("05:05:06.12Z", "05:05:06.120000Z", "05:05:06.120000999Z", "14:05:06.12+09:00"):
        assert moment_of(f"2026-11-27T{text}") == expected
    assert moment_of("2026-11-27 05:05:06") == expected.replace(microsecond=0)
    for text in ("", "today", "2026-13-01T00:00:00Z", "1700000000"):
        assert moment_of(text) is None


def test_spans() -> None:
    assert parse_age("2h30m") == 9000
    with pytest.raises(ValueError, match="span"):
        parse_age("today")


RECORD = {
    "@timestamp": "2026-11-27T03:00:00Z",
    "log.level": "error",
    "message": "주문 접수",
    "log": {"logger": "shop"},
    "labels": {
        "item": "tulip",
        "payment_method": "card",
        "ok": "true",
        "code": "007",
        "n": ["a", "b"],
    },
    "numeric_labels": {"order_id": 7, "price": 3000.5},
    "http": {"response": {"status_code": 502}},
    "tags": ["vip", "new"],
    "flat.name": 3,
}


@pytest.mark.parametrize(
    "text",
    ["order_id=7", "order_id==7", "order_id = 7", "order_id=7.0", "order_id!=8", "order_id>6",
     "order_id>=7", "order_id<8", "order_id<=7", "item=tulip", "item!=rose", "price=3000.5",
     "price>3000", "http.response.status_code>=500", "log.level=error", "log.logger=shop",
     "payment.method=card", "labels.item=tulip", "numeric_labels.order_id=7", "message=주문 접수",
     "tags=vip", "tags=new", "n=b", "ok=true", "code=007", "code<8", "nothing!=7", "flat.name=3",
     "@timestamp>=2026-11-27", "item>=tulip"],
)  # fmt: skip
def test_conditions_that_hold(text: str) -> None:
    assert parse_condition(text).admits(RECORD), text


@pytest.mark.parametrize(
    "text",
    ["order_id=70", "order_id=seven", "order_id!=7", "order_id>7", "item=tuli", "item>7",
     "http.response.status_code<500", "status_code=502", "logger=shop", "tags!=vip", "code=7",
     "nothing=7", "nothing>=7", "http.response=7", "ok=1", "price=inf", "item="],
)  # fmt: skip
def test_conditions_that_do_not_hold(text: str) -> None:
    assert not parse_condition(text).admits(RECORD), text


@pytest.mark.parametrize("text", ["order_id", "=7", "", ">=3", "a b=7"])
def test_what_is_no_condition_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: NAME=VALUE"):
        parse_condition(text)


def test_the_list_says_of_each_command_what_its_own_help_begins_with() -> None:
    context = click.Context(commands.commands)
    for name in commands.commands.list_commands(context):
        command = commands.commands.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert commands.commands.get_command(context, "nothing") is None
    done = flowery("nothing")
    assert (done.returncode, "No such command" in done.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*commands.COMMANDS, "kit install", "kit watch", "kit write"])
def test_help_is_shown_in_a_locale_that_lacks_some_signs(name: str) -> None:
    done = flowery(*name.split(), "--help", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: flowery-logging" in done.stdout


def test_the_command_starts_without_what_a_service_needs() -> None:
    program = (
        "import sys; sys.argv = ['/usr/bin/flowery-logging', '--help']\n"
        "from flowery_logging.cli import main\n"
        "try: main()\n"
        "finally: print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "tail" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"structlog", "asyncio", "rich.table", "flowery_logging.cli.audit"}


@pytest.mark.slow
def test_a_service_that_the_command_imports_finds_every_name(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.argv = ['flowery-logging']; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import flowery_logging; assert 'setup' not in vars(flowery_logging)\n"
        "from flowery_logging import *\n"
        f"flowery_logging.setup('svc', directory={str(tmp_path)!r}, output='file')\n"
        "flowery_logging.get_logger().info('x', **{'n': 1})\n"
        "print(setup is flowery_logging.setup, *flowery_logging.__all__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == "True"
    assert set(done.stdout.split()[1:]) == set(flowery_logging.__all__)
    assert "x" in flowery("tail", tmp_path).stdout
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = flowery_logging.nothing


@pytest.mark.slow
def test_where_setup_would_write_is_read(tmp_path: Path) -> None:
    Service(tmp_path / "elsewhere", "orders").log(0, "elsewhere")
    Service(tmp_path / "logs", "orders").log(0, "here")

    def shown(**variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "flowery_logging", "tail"], cwd=tmp_path, env=variables,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    assert Path("/var/log/flowery").is_dir() or "here" in shown()
    assert "elsewhere" in shown(FLOWERY_LOG_DIR=str(tmp_path / "elsewhere"))


@pytest.mark.slow
@pytest.mark.parametrize("command", [["tail"], ["trace", "x"], ["find", "x"]], ids="|".join)
def test_a_directory_without_logs_is_told(command: list[str], tmp_path: Path) -> None:
    done = flowery(*command, tmp_path)
    assert done.returncode == 2
    assert f"no log files in {tmp_path}" in done.stderr
    done = flowery(*command, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "there is no directory" in done.stderr
    assert "FLOWERY_LOG_DIR" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["tail"], ["stats"], ["scan"], ["find", "7"], ["trace", "4bf92f35"], ["audit"],
        ["watch", "--once"], ["validate"], ["resend", "--elasticsearch", "http://localhost:9"],
    ],
)  # fmt: skip
def test_a_directory_without_log_files_is_a_wrong_argument(
    tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "logs").mkdir()
    state = ["--state", str(tmp_path / "state.json")] if command[0] == "watch" else []
    done = here(*command, *state, tmp_path / "logs")
    assert done.exit_code == 2
    assert f"no log files in {tmp_path / 'logs'}" in done.output


def test_a_text_where_the_library_writes_it_is_found_at_once() -> None:
    """Of each line some ten are asked for."""
    calls = []
    record = {"log.level": "info", "service": {"name": "shop"}}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        found = text_of(record, "service.name")
    finally:
        sys.setprofile(None)
    assert found == "shop"
    assert calls == ["text_of", "value_at"]


NO_UTF_8 = os.fsdecode(b"a\xffb")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
@pytest.mark.parametrize("command", ["tail --json", "audit --json --grace 0", "doctor --json"])
def test_a_directory_whose_name_is_no_utf_8_stands_in_json(tmp_path: Path, command: str) -> None:
    directory = tmp_path / NO_UTF_8
    service = Service(directory, "orders")
    service.log(0, "x")
    service.raw(b"foreign\n")
    done = flowery(*command.split(), directory)
    assert "Traceback" not in done.stderr
    assert r"a\\udcffb" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
def test_a_file_whose_name_is_no_utf_8_is_validated(tmp_path: Path) -> None:
    path = tmp_path / NO_UTF_8
    path.write_text("{\n")
    done = flowery("validate", "--json", path)
    assert "Traceback" not in done.stderr
    assert r"a\\udcffb" in done.stdout


@pytest.mark.parametrize("command", ["find", "trace"])
def test_what_is_looked_for_may_be_no_utf_8(tmp_path: Path, command: str) -> None:
    Service(tmp_path, "orders").log(0, "x")
    done = flowery(command, NO_UTF_8, tmp_path)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
@pytest.mark.parametrize("command", ["audit --grace 0", "audit --grace 0 --json", "tail", "stats"])
def test_files_whose_names_the_locale_does_not_know_are_found(tmp_path: Path, command: str) -> None:
    """Written in a locale of UTF-8, and looked at in another one."""
    Service(tmp_path, "주문").log(0, "x")
    done = subprocess.run(
        [sys.executable, "-m", "flowery_logging", *command.split(), tmp_path],
        capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\uc8fc\ubb38" in done.stdout or "주문" in done.stdout
