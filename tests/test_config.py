"""Where a value comes from, what is allowed, and one clear error for everything else."""

from __future__ import annotations

import enum
import inspect
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import flowery_logging
from flowery_logging import config
from flowery_logging.config import place
from flowery_logging.config.table import SETTINGS
from flowery_logging.foreign import ANYIO_WORKER


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [n for n in os.environ if n.startswith(("FLOWERY_", "OTEL_", "ELASTIC_APM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    flowery_logging.shutdown()


def resolve(**arguments: Any) -> config.Config:
    return config.resolve(arguments)


@pytest.mark.parametrize("name", ["capture_uncaught", "capture_warnings", "capture_signals"])
@pytest.mark.parametrize("value", [True, False, 1, 0, "1", "0"])
def test_a_switch_takes_what_its_error_names(name: str, value: object) -> None:
    found = getattr(resolve(**{name: value}), name)
    assert found is (value in {True, "1"})


@pytest.mark.parametrize("value", [2, -1, 1.0, 0.0, "2", b"1", [], [1]])
def test_a_switch_takes_nothing_else(value: object) -> None:
    with pytest.raises(flowery_logging.ConfigError, match="neither yes nor no"):
        resolve(capture_signals=value)


def test_an_argument_wins_over_each_variable_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [
        ("ELASTIC_APM_SERVICE_NAME", "from-apm"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=from%20attributes,service.version=2"),
        ("OTEL_SERVICE_NAME", "from-otel"),
        ("FLOWERY_SERVICE_NAME", "from-flowery"),
    ]
    for variable, value in chain:
        monkeypatch.setenv(variable, value)
        expected = "from attributes" if "ATTR" in variable else value
        found = resolve()
        assert found.service == expected
        assert found.sources["service"] == variable
    assert resolve().version == "2"
    assert resolve(service="given").service == "given"
    assert resolve(service="given").sources["service"] == "argument"


@pytest.mark.parametrize(
    ("variable", "value", "attribute", "expected"),
    [
        ("FLOWERY_SERVICE_VERSION", "1.2", "version", "1.2"),
        ("ELASTIC_APM_SERVICE_VERSION", "1.2", "version", "1.2"),
        ("FLOWERY_SERVICE_ENVIRONMENT", "staging", "environment", "staging"),
        ("ELASTIC_APM_ENVIRONMENT", "staging", "environment", "staging"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=x", "environment", "x"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=x", "environment", "x"),
        ("FLOWERY_SERVICE_NODE_NAME", "web-1", "node", "web-1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=i-1", "node", "i-1"),
        ("FLOWERY_LOG_OUTPUT", "stdout, console", "outputs", ("stdout", "console")),
        ("FLOWERY_LOG_LEVEL", "debug", "level", 10),
        ("FLOWERY_LOG_LEVEL", "25", "level", 25),
        ("FLOWERY_LOG_LEVELS", "a.b=ERROR, c=10", "levels", {"a.b": 40, "c": 10}),
        ("FLOWERY_LOG_MAX_BYTES", "100kB", "max_bytes", 102_400),
        ("FLOWERY_LOG_MAX_BYTES", "1048576", "max_bytes", 1_048_576),
        ("FLOWERY_LOG_MAX_AGE", "12h", "max_age", 43_200),
        ("FLOWERY_LOG_KEEP_BYTES", "2GB", "keep_bytes", 2 * 1024**3),
        ("FLOWERY_LOG_KEEP_DAYS", "14", "keep_days", 14),
        ("FLOWERY_LOG_KEEP_DAYS", "12h", "keep_days", 0.5),
        (
            "FLOWERY_LOG_LIMITS",
            "depth=4, line_bytes=8000",
            "limits",
            {"depth": 4, "line_bytes": 8000},
        ),
        ("FLOWERY_LOG_REDACT", "iban, bic", "redact", ("iban", "bic")),
        ("FLOWERY_LOG_CAPTURE_WARNINGS", "0", "capture_warnings", False),
        ("FLOWERY_LOG_LEVEL", "", "level", 20),
    ],
)
def test_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, attribute: str, expected: Any
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(resolve(service="x"), attribute) == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"service": ""}, "empty"),
        ({"service": "  "}, "empty"),
        ({"service": "a\nb"}, "control characters"),
        ({"service": "a\x00b"}, "control characters"),
        ({"service": "x" * 300}, "300 characters"),
        ({"service": 7}, "not a text"),
        ({"environment": ""}, "empty"),
        ({"level": "LOUD"}, "'LOUD'"),
        ({"level": -1}, "-1"),
        ({"level": True}, "True"),
        ({"level": 1.5}, "1.5"),
        ({"levels": {"a": "LOUD"}}, "levels['a']"),
        ({"levels": "a"}, "name=LEVEL"),
        ({"levels": 3}, "mapping"),
        ({"output": "printer"}, "file, stdout, console"),
        ({"output": ()}, "unknown output"),
        ({"output": "none,file"}, "unknown output"),
        ({"output": 7}, "not a text or a sequence"),
        ({"max_bytes": 0}, "bytes"),
        ({"max_bytes": "many"}, "bytes"),
        ({"max_bytes": True}, "bytes"),
        ({"max_age": -1}, "seconds"),
        ({"max_age": "soon"}, "seconds"),
        ({"keep_days": 0}, "days"),
        ({"keep_bytes": "1TB"}, "bytes"),
        ({"dataset": "{nothing}"}, "{service}"),
        ({"dataset": "payments"}, "flowery.<name>"),
        ({"dataset": "flowery._"}, "flowery.<name>"),
        ({"dataset": "flowery.foreign"}, "flowery.<name>"),
        ({"dataset": "flowery.dead_letters"}, "flowery.<name>"),
        ({"redact": 7}, "sequence"),
        ({"redact": [""]}, "names"),
        ({"processors": [1]}, "callables"),
        ({"capture_warnings": "perhaps"}, "True or False"),
        ({"limits": {"width": 3}}, "unknown limit 'width'"),
        ({"limits": {"depth": 0}}, "depth cannot be 0"),
        ({"limits": {"line_bytes": 100}}, "4096 to"),
        ({"limits": "depth"}, "depth cannot be ''"),
        ({"limits": 3}, "mapping"),
        ({"flood": ("5", None)}, "not a time"),
        ({"fields": {"a": "no type"}}, "no type"),
        ({"fields": {"flowery.a": "long", "flowery.a.b": "long"}}, "flowery.a"),
        ({"fields": {"http.request.method": "long"}}, "http.request.method"),
        ({"fields": "no-such-file.json"}, "no-such-file.json"),
        ({"directory": "/dev/null/logs"}, "/dev/null/logs"),
        ({"directory": "/proc/logs"}, "/proc/logs"),
        ({"directory": ""}, "empty"),
        ({"directory": "a\x00b"}, "directory"),
        ({"directory": 7}, "not a path"),
    ],
)
def test_bad_values_are_named_with_their_source(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(flowery_logging.ConfigError) as caught:
        flowery_logging.setup(**arguments)
    text = str(caught.value)
    (name,) = arguments
    assert says in text
    assert text.startswith(name)
    assert f"argument {name}" in text
    assert "allowed: " in text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FLOWERY_LOG_LEVEL", "LOUD"),
        ("FLOWERY_LOG_DIR", "/dev/null/logs"),
        ("FLOWERY_SERVICE_NAME", "a\tb"),
        ("OTEL_SERVICE_NAME", "a\tb"),
        ("FLOWERY_LOG_MAX_BYTES", "x"),
    ],
)
def test_bad_variables_are_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(flowery_logging.ConfigError, match=f"environment variable {variable}"):
        flowery_logging.setup()


def test_a_bad_second_setup_changes_nothing(tmp_path: Path) -> None:
    flowery_logging.setup("svc", directory=tmp_path / "logs", output="file")
    logging.getLogger("app").info("one")
    with pytest.raises(flowery_logging.ConfigError):
        flowery_logging.setup("svc", directory=tmp_path / "other", level="LOUD")
    logging.getLogger("app").info("two")
    (path,) = (tmp_path / "logs").iterdir()
    assert path.read_text().count('"logger":"app"') == 2


@pytest.mark.parametrize(
    ("service", "file_part"),
    [
        ("a/b c", "a_b_c"),
        ("주문-서비스", "주문-서비스"),
        ("../../etc", "_._.._etc"),
        (".hidden", "_hidden"),
        ("x" * 256, "x" * 150),
        ("한" * 100, "한" * 50),
    ],
)
def test_a_service_name_is_sanitised_in_the_file_name_only(
    tmp_path: Path, service: str, file_part: str
) -> None:
    import json

    flowery_logging.setup(service, directory=tmp_path, output="file", dataset="flowery.{service}")
    logging.getLogger().info("x")
    (path,) = tmp_path.iterdir()
    assert path.name.rsplit("-", 3)[0] == file_part
    record = json.loads(path.read_text().splitlines()[-1])
    assert record["service"]["name"] == service
    assert record["event"]["dataset"] == service
    dataset = record["data_stream"]["dataset"]
    assert not set('\\/*?"<>| ,#:-') & set(dataset)
    assert len(dataset.encode()) <= 100
    assert dataset == dataset.lower()


def test_a_member_of_an_enumeration_is_the_text_that_it_stands_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Service(str, enum.Enum):
        ORDERS = "orders"

    flowery_logging.setup(service=Service.ORDERS, directory=tmp_path, output="file")
    assert "flowery_logging: orders logs to" in capsys.readouterr().err


def test_a_limit_that_is_set_is_kept(tmp_path: Path) -> None:
    cut = flowery_logging.stats()["cut_lines"]
    flowery_logging.setup("svc", directory=tmp_path, output="file", limits={"line_bytes": 4096})
    logging.getLogger("app").info("주문" * 5000, extra={"a": "x" * 8000})
    (path,) = tmp_path.iterdir()
    line = path.read_bytes().splitlines()[-1]
    assert 1000 < len(line) <= 4096
    assert flowery_logging.stats()["cut_lines"] == cut + 1


def test_without_a_directory_the_logs_go_below_the_working_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "DEFAULT_DIRECTORY", str(tmp_path / "none"))
    flowery_logging.setup("svc", output="file")
    logging.getLogger().info("x")
    assert len(list((tmp_path / "logs").iterdir())) == 1
    assert str(tmp_path / "logs") in capsys.readouterr().err


def test_an_error_that_repeats_a_long_value_is_short() -> None:
    with pytest.raises(flowery_logging.ConfigError) as caught:
        resolve(service="svc", fields="9" * 5000)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("directory", ["~no-such-user/logs", "", 7])
def test_a_directory_to_which_nothing_is_written_may_be_any(directory: object) -> None:
    """As where an image sets one, and a container without a home writes to standard output."""
    assert resolve(service="svc", directory=directory, output="stdout").directory is None


def test_a_relative_directory_needs_a_working_directory_only_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert resolve(service="svc", directory="logs", output="stdout").directory is None
    with pytest.raises(flowery_logging.ConfigError, match="there is no working directory"):
        resolve(service="svc", directory="logs", output="file")


def test_where_no_directory_can_be_written_stdout_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs").write_text("a file is in the way")
    monkeypatch.setattr(place, "DEFAULT_DIRECTORY", str(tmp_path / "none"))
    found = resolve(service="svc", output="file")
    assert found.outputs == ("stdout",)
    assert resolve(service="svc", output="file,console").outputs == ("stdout", "console")
    assert found.fallback is not None
    assert str(tmp_path / "logs") in found.fallback


def test_the_directory_of_all_services_is_taken_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setattr(place, "DEFAULT_DIRECTORY", str(shared))
    assert resolve(service="svc", output="file").directory == str(tmp_path / "logs")
    shared.mkdir()
    assert resolve(service="svc", output="file").directory == str(shared)


def test_a_worker_of_anyio_has_no_line_on_stdout_whatever_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", *ANYIO_WORKER])
    monkeypatch.setattr(place, "DEFAULT_DIRECTORY", str(tmp_path / "none"))
    assert resolve(service="svc", output="stdout,console").outputs == ("file", "console")
    (tmp_path / "logs").rmdir()
    (tmp_path / "logs").write_text("a file is in the way")
    assert resolve(service="svc", output="file,console").outputs == ("console",)
    assert resolve(service="svc", output="file").outputs == ("none",)


def test_the_default_service_is_the_script_or_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["/srv/orders/worker.py"])
    assert resolve().service == "worker"
    monkeypatch.setattr("sys.argv", ["/usr/bin/uvicorn"])
    assert resolve().service == tmp_path.name
    monkeypatch.setattr("sys.argv", [os.fsdecode(b"/srv/orders/scr\xff.py")])
    assert resolve().service == "scr\N{REPLACEMENT CHARACTER}"


def test_a_folder_that_has_been_removed_names_no_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr("sys.argv", ["/usr/bin/uvicorn"])
    assert resolve(output="stdout").service == "python"


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({}, logging.ERROR),
        ({"stderr_level": "INFO"}, logging.INFO),
        ({"output": "stdout"}, None),
        ({"output": "stdout", "stderr_level": "INFO"}, logging.INFO),
        ({"output": "file,stdout"}, None),
        ({"output": "file,console", "stderr_level": "INFO"}, None),
        ({"output": "none", "stderr_level": "INFO"}, None),
    ],
)
def test_events_are_shown_on_stderr_too_unless_they_are_seen_anyway(
    given: dict[str, str], level: int | None
) -> None:
    assert resolve(service="svc", **given).stderr_level == level


def test_a_terminal_has_the_console_beside_the_file_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pty = pytest.importorskip("pty")
    assert resolve(service="svc").outputs == ("file",)
    leader, follower = pty.openpty()
    with os.fdopen(leader, "wb"), os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert resolve(service="svc").outputs == ("file", "console")
        alone = resolve(service="svc", output="file", stderr_level="INFO")
        assert (alone.outputs, alone.stderr_level) == (("file",), None)


def test_a_directory_in_which_no_file_can_be_made_is_refused(tmp_path: Path) -> None:
    """The file's name has to fit behind it: a path has 4 095 bytes on Linux."""
    name = "d" * 100
    directory = str(tmp_path)
    while len(directory) + len(name) + 1 <= 4060:
        directory = f"{directory}/{name}"
    directory = f"{directory}/{'d' * (4059 - len(directory))}"
    reason = re.escape("directory: cannot be written (File name too long)")
    with pytest.raises(flowery_logging.ConfigError, match=reason):
        resolve(service="svc", directory=directory, output="file")


@pytest.mark.skipif(sys.platform != "linux", reason="others have shorter paths")
def test_a_name_of_a_service_may_be_too_long_for_its_directory(tmp_path: Path) -> None:
    directory = f"{tmp_path}/{'/'.join(['d' * 100] * 50)}"[:3950]
    assert resolve(service="svc", directory=directory, output="file").directory == directory
    with pytest.raises(flowery_logging.ConfigError, match="File name too long"):
        resolve(service="s" * 150, directory=directory, output="file")


def test_any_depth_of_directories(tmp_path: Path) -> None:
    """No recursion: the interpreter allows a thousand calls, and who calls may have had some."""
    directory = str(tmp_path / "/".join(["d"] * 400))
    program = (
        "import sys, logging, flowery_logging\n"
        "flowery_logging.setup('svc', output='file', directory='first'); logging.info('x')\n"
        "sys.setrecursionlimit(300)\n"
        f"flowery_logging.setup('svc', output='file', directory={directory!r}); logging.info('y')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert [name.endswith(".ndjson") for name in os.listdir(directory)] == [True]


@pytest.mark.parametrize("below", ["a", "a/b/c"])
def test_below_a_link_to_nothing_no_directory_is_made(tmp_path: Path, below: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(flowery_logging.ConfigError, match="cannot be written"):
        resolve(directory=str(tmp_path / "link" / below), output="file")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("name", ["Verbose", "VERBOSE", " verbose "])
def test_a_level_of_the_application_in_any_case(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(logging, "_levelToName", {**logging._levelToName})
    monkeypatch.setattr(logging, "_nameToLevel", {**logging._nameToLevel})
    logging.addLevelName(15, "Verbose")
    found = resolve(level=name, levels=f"shop={name}", flight_recorder=name, output="none")
    assert (found.level, found.levels, found.flight_recorder) == (15, {"shop": 15}, 15)


def test_an_error_of_set_level_names_set_level() -> None:
    with pytest.raises(flowery_logging.ConfigError, match=r"level: .*'LOUD' .*= of set_level\(\)"):
        flowery_logging.set_level("LOUD")


def test_a_setting_is_a_row_an_argument_and_a_field() -> None:
    """The three that are typed by hand agree; what else there is, is made from the table."""
    arguments = inspect.signature(flowery_logging.setup).parameters
    assert list(arguments) == [*SETTINGS]
    assert {"outputs" if name == "output" else name for name in SETTINGS} < set(
        config.Config._fields
    )
    described = inspect.getdoc(flowery_logging.setup) or ""
    assert [*re.findall(r"^    (\w+): ", described, re.MULTILINE)][: len(SETTINGS)] == [*SETTINGS]


def test_an_error_names_the_value_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(flowery_logging.ConfigError, match=r": 'file/logs' \(from argument"):
        resolve(directory="file/logs")


class _Unprintable:
    def __repr__(self) -> str:
        raise LookupError


def test_a_value_that_cannot_be_shown_is_named_by_its_class() -> None:
    with pytest.raises(flowery_logging.ConfigError, match="<unprintable _Unprintable>"):
        resolve(level=_Unprintable())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5)
    | st.sampled_from([
        "9" * 5000, "flowery.{service[a]}", "{service.x}", "1/1/1", "OFF", "a=b", object,
        "file", "none", "20/1m", "10%", "phone", "flowery.{service}", "7d", "64MB",
    ]),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([name for name in SETTINGS if name != "directory"]), value=VALUES)
def test_any_value_makes_a_configuration_or_the_one_error(name: str, value: Any) -> None:
    said = ""
    try:
        assert resolve(**{"output": "none", name: value})
    except flowery_logging.ConfigError as error:
        said = str(error)
    assert not said or (said.startswith((name, f"{name}[")) and "; allowed: " in said)
    assert len(said) < 1000
