"""Numbers and times on the command line: one error that names the value, and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from flowery_logging.cli.commands import commands
from tests.cli.conftest import here
from tests.cli.crafted import Written, ago


def options(
    command: click.Command = commands, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """Every option of every command, with the words that name the command."""
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from options(inner, (*path, name))
        return
    yield from ((path, option) for option in command.params)


NUMBERS = [
    (path, option.opts[-1])
    for path, option in options()
    if isinstance(option.type, click.FloatRange | click.types.FloatParamType)
]
COUNTS = [
    (path, option.opts[-1])
    for path, option in options()
    if isinstance(option.type, click.IntRange | click.types.IntParamType)
]


def refused(*arguments: str | Path) -> str:
    done = here(*arguments)
    assert done.exit_code == 2, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output


def test_there_are_some() -> None:
    assert {path[0] for path, _ in NUMBERS} == {"audit", "resend", "watch"}
    assert len(COUNTS) > 8


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "1e12", "-1", "many"])
@pytest.mark.parametrize(("path", "option"), NUMBERS)
def test_a_number_that_is_none(path: tuple[str, ...], option: str, value: str) -> None:
    said = refused(*path, f"{option}={value}")
    assert option in said
    assert value in said


@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "-1", "1.5"])
@pytest.mark.parametrize(("path", "option"), COUNTS)
def test_a_count_that_is_none(path: tuple[str, ...], option: str, value: str) -> None:
    said = refused(*path, f"{option}={value}")
    assert option in said
    assert value in said


@pytest.mark.parametrize(
    "value", ["nan", "inf", "0s", "-1s", "99999999999d", pytest.param("9" * 400 + "d", id="digits")]
)
@pytest.mark.parametrize("option", ["--every", "--silent", "--window"])
def test_a_span_of_time_that_is_none(tmp_path: Path, option: str, value: str) -> None:
    Written(tmp_path / "logs")
    said = refused("watch", f"{option}={value}", tmp_path / "logs")
    assert option in said
    assert value in "".join(said.split())


@pytest.mark.parametrize(
    "value", ["0001-01-01", "0001-01-01T00:00+09:00", "9999-12-31T23:59:59Z", "99999999999d"]
)
@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize("command", ["tail", "stats", "scan", "doctor"])
def test_a_time_at_the_end_of_times(tmp_path: Path, command: str, option: str, value: str) -> None:
    Written(tmp_path / "logs").add(ago(hours=1))
    said = refused(command, "--utc", f"{option}={value}", tmp_path / "logs")
    assert f"{value!r} is no time" in said


@pytest.mark.parametrize("command", ["tail", "stats", "scan"])
def test_times_beside_them(tmp_path: Path, command: str) -> None:
    Written(tmp_path / "logs").add(ago(hours=1))
    times = ["--since", "0002-01-01", "--until", "9998-12-31T23:59:59Z"]
    assert here(command, "--utc", *times, tmp_path / "logs").exit_code == 0


@pytest.mark.parametrize("port", ["65536", "-1", "nan", pytest.param("9" * 5000, id="digits")])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert port in refused("exporter", f"--listen=localhost:{port}", tmp_path)


@pytest.mark.parametrize("option", ["--retention-days", "--cold-days"])
def test_more_days_than_elasticsearch_takes(tmp_path: Path, option: str) -> None:
    assert "99999999" in refused("kit", "write", f"{option}=99999999", tmp_path / "kit")
