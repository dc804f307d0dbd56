"""The audit of files that real processes have written, whole ones and damaged ones."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from flowery_logging.cli.audit.reading import take_account
from tests.cli.conftest import audit, flowery
from tests.cli.crafted import Written, ago
from tests.files.conftest import Logs

pytestmark = pytest.mark.slow

MANY = "for n in range(300): log.info('event %d', n)"
ROTATING = "max_bytes=20_000"


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def only(result: dict[str, Any]) -> dict[str, Any]:
    (process,) = result["processes"]
    assert isinstance(process, dict)
    return process


def largest(result: dict[str, Any]) -> dict[str, Any]:
    """The process of most events: those that start in the same second have no order."""
    process: dict[str, Any] = max(result["processes"], key=lambda process: process["events"])
    return process


def expand(text: str) -> set[int]:
    """The numbers of `1-3,5` or `1-3,5-5`."""
    pairs = (part.partition("-")[::2] for part in text.split(","))
    return {n for first, last in pairs for n in range(int(first), int(last or first) + 1)}


def edit(path: Path, line: int, *replacement: int) -> None:
    """Replace one line of a file by copies of some of its lines, by their places."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line : line + 1] = [lines[place] for place in replacement]
    path.write_bytes(b"".join(lines))


def sequences(path: Path) -> list[int]:
    return [orjson.loads(line)["event"]["sequence"] for line in path.read_bytes().splitlines()]


def test_a_clean_process(logs: Logs) -> None:
    ok(logs.run(MANY + "; print(os.getpid())", setup=ROTATING))
    result = audit(logs.directory, code=0)
    process = only(result)
    records = logs.records()
    assert result["result"] == "complete"
    assert result["files"] == len(logs.files()) > 5
    assert result["bytes"] == sum(path.stat().st_size for path in logs.files())
    assert process["end"] == "clean"
    assert (process["first"], process["last"]) == (1, len(records))
    assert process["events"] == len(records) > 300
    assert process["process"] == records[0]["process"]["entity_id"]
    assert process["pid"] == records[0]["process"]["pid"]
    assert (process["service"], process["host"]) == ("svc", records[0]["host"]["name"])
    assert process["files"] == [str(path) for path in logs.files()]
    assert (process["lost"], process["repeated"], process["torn"]) == ([], "", [])


def test_a_removed_line_is_lost_and_named(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    path = logs.files()[2]
    number = sequences(path)[7]
    edit(path, 7)
    process = only(audit(logs.directory, code=1))
    place = str(path)
    assert process["lost"] == [{"sequences": str(number), "after": place, "before": place}]
    assert process["lost_events"] == 1


def test_a_removed_file_is_lost_and_named(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    before, path, behind = logs.files()[1:4]
    numbers = sequences(path)
    os.unlink(path)
    (lost,) = only(audit(logs.directory, code=1))["lost"]
    assert lost["sequences"] == f"{numbers[0]}-{numbers[-1]}"
    assert (lost["after"], lost["before"]) == (str(before), str(behind))


def test_a_first_file_removed_by_hand_is_lost(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    numbers = sequences(logs.files()[0])
    os.unlink(logs.files()[0])
    (lost,) = only(audit(logs.directory, code=1))["lost"]
    assert lost["sequences"] == f"1-{numbers[-1]}"


def test_a_doubled_line_is_repeated_and_named(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    path = logs.files()[1]
    number = sequences(path)[3]
    edit(path, 3, 3, 3, 3)
    process = only(audit(logs.directory, code=0))
    assert (process["repeated"], process["repeated_lines"]) == (str(number), 2)


def test_two_different_events_under_one_id_are_a_loss(logs: Logs) -> None:
    """Elasticsearch keeps one of them; a line that is doubled beside them stays a repeat."""
    logs.run("for n in range(5): log.info('event %d', n)")
    (path,) = logs.files()
    lines = path.read_bytes().splitlines(keepends=True)
    other = lines[2].replace(b"event 1", b"EVENT 1")
    (path.parent / path.name.replace("-0001", "-0002")).write_bytes(other + lines[2] + lines[3])
    result = audit(logs.directory, code=1)
    (process,) = result["processes"]
    assert (process["clashing"], process["lost_events"], process["lost"]) == ("3", 1, [])
    assert (process["repeated"], process["repeated_lines"]) == ("3-4", 2)
    assert "different events under one ID 3" in flowery("audit", logs.directory).stdout


def test_only_different_events_under_one_id_are_no_repeat(logs: Logs) -> None:
    logs.run("log.info('event 1')")
    (path,) = logs.files()
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines(keepends=True)[1].replace(b"event 1", b"EVENT 1"))
    (process,) = audit(logs.directory, code=1)["processes"]
    assert (process["clashing"], process["repeated"], process["repeated_lines"]) == ("2", "", 0)


def test_a_line_doubled_in_another_file_is_repeated_too(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    first, second = logs.files()[:2]
    number = sequences(first)[-1]
    lines = first.read_bytes().splitlines(keepends=True)
    second.write_bytes(second.read_bytes() + lines[-1])
    process = only(audit(logs.directory, code=0))
    assert (process["repeated"], process["repeated_lines"]) == (str(number), 1)


def test_a_torn_last_line(logs: Logs) -> None:
    ok(logs.run(MANY))
    (path,) = logs.files()
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    process = only(audit(logs.directory, code=0))
    start = content.rfind(b"\n", 0, -1) + 1
    assert process["torn"] == [{"file": str(path), "offset": start}]
    assert process["end"] == "unclean"
    assert process["last"] == len(content.splitlines()) - 1


def test_a_torn_line_in_the_middle_is_lost_as_well(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    path = logs.files()[1]
    number = sequences(path)[-1]
    path.write_bytes(path.read_bytes()[:-20])
    process = only(audit(logs.directory, code=1))
    assert len(process["torn"]) == 1
    assert process["lost"][0]["sequences"] == str(number)


def test_foreign_lines_are_counted_and_do_no_harm(logs: Logs) -> None:
    ok(logs.run(MANY))
    (path,) = logs.files()
    odd = b'{"@timestamp":"x","event":{"sequence":1},"process":{"entity_id":"x"},"log":"text"}\n'
    path.write_bytes(b"plain text\n" + path.read_bytes() + b'{"a":1}\n')
    assert audit(logs.directory, code=0)["foreign_lines"] == 2
    path.write_bytes(path.read_bytes() + odd)
    found = {process["process"] for process in audit(logs.directory, code=0)["processes"]}
    assert len(found) == 2
    assert "x" in found


def test_a_killed_process_ended_uncleanly_and_lost_nothing(logs: Logs) -> None:
    done = logs.run(MANY + "; os.kill(os.getpid(), signal.SIGKILL)", setup=ROTATING)
    assert done.returncode == -signal.SIGKILL
    process = only(audit(logs.directory, code=0))
    assert process["end"] == "unclean"
    assert process["events"] == len(logs.records())


@pytest.mark.parametrize(("reason", "end"), [(None, "clean"), ("SIGTERM", "signal")])
def test_a_process_ended_by_sigterm_as_its_closing_record_tells(
    logs: Logs, reason: str | None, end: str
) -> None:
    done = logs.run(MANY + "; os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)")
    assert done.returncode == -signal.SIGTERM
    (path,) = logs.files()
    *lines, closing = path.read_bytes().splitlines(keepends=True)
    record = orjson.loads(closing)
    record["event"].pop("reason", None)
    if reason is not None:
        record["event"]["reason"] = reason
    path.write_bytes(b"".join(lines) + orjson.dumps(record) + b"\n")
    process = only(audit(logs.directory, code=0))
    assert (process["end"], process["reason"]) == (end, reason or "")


def test_a_closing_record_is_clean_only_with_the_right_count_and_as_the_last(logs: Logs) -> None:
    ok(logs.run(MANY))
    (path,) = logs.files()
    content = path.read_bytes()
    count = len(content.splitlines())
    path.write_bytes(content.replace(b'"events":%d' % count, b'"events":%d' % (count + 1)))
    assert only(audit(logs.directory, code=0))["end"] == "unclean"
    path.unlink()
    went_on = "flowery_logging.runtime.checkpoint(); flowery_logging.runtime.go_on()"
    killed = "os.kill(os.getpid(), signal.SIGKILL)"
    crash = logs.run(f"log.info('x'); {went_on}; log.info('y'); {killed}")
    assert crash.returncode == -signal.SIGKILL
    assert only(audit(logs.directory, code=0))["end"] == "unclean"


def test_a_process_that_runs(logs: Logs) -> None:
    program = (
        f"import flowery_logging, sys; flowery_logging.setup('svc', directory={str(logs.directory)!r})\n"
        "flowery_logging.get_logger().info('x'); flowery_logging.runtime.checkpoint()\n"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert only(audit(logs.directory, code=0))["end"] == "running"
        (path,) = logs.files()
        with path.open("ab") as stream:
            stream.write(b'{"@timestamp":')
        assert only(audit(logs.directory, code=0))["torn"] == [], "it may just be written"
        os.truncate(path, path.stat().st_size - 14)
        process.communicate(b"")
    assert only(audit(logs.directory, code=0))["end"] == "clean"


needs_limits = pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
FULL = """
    import resource
    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    log.info("before")
"""


LEAST = "limits={'line_bytes': 4096, 'label_chars': 64, 'name_chars': 16, 'fields': 1, 'items': 1, 'depth': 1}"


@needs_limits
@pytest.mark.parametrize("limits", ["", LEAST])
def test_dropped_events_are_announced(logs: Logs, limits: str) -> None:
    program = (
        FULL
        + """
    limit(0)
    for n in range(700): log.info("x" * 20_000)
    assert flowery_logging.stats()["dropped"] > 100
    limit(resource.RLIM_INFINITY)
    log.info("after")
    """
    )
    program = program.replace("range(700)", "range(7000)" if limits else "range(700)")
    ok(logs.run(program, setup=limits))
    process = only(audit(logs.directory, code=0))
    (recovered,) = (r for r in logs.records() if r["event"].get("action") == "log-recovered")
    announced = expand(recovered["labels"]["dropped_sequences"])
    assert len(announced) > 100
    assert expand(process["dropped"]) == announced
    assert process["lost"] == []
    number = min(announced) - 1
    for path in logs.files():
        if number in (numbers := sequences(path)):
            edit(path, numbers.index(number))
    process = only(audit(logs.directory, code=1))
    assert process["lost"][0]["sequences"] == str(number)
    assert expand(process["dropped"]) == announced


@needs_limits
@pytest.mark.parametrize("ends", [True, False])
def test_a_child_that_could_write_nothing(logs: Logs, ends: bool) -> None:
    """Its empty file tells nothing of it but whether it is held."""
    wait = "os.write(1, b'x'); os.read(0, 1)"
    program = (
        "import flowery_logging, logging, os, resource\n"
        f"flowery_logging.setup('svc', directory={str(logs.directory)!r}, output='file')\n"
        "logging.error('before')\n"
        "if (child := os.fork()) == 0:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))\n"
        "    logging.error('in vain')\n"
        f"    {'' if ends else wait}\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        f"{wait if ends else ''}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.read(1)
        result = audit(logs.directory, code=0)
        running.communicate(b"")
    (child,) = (one for one in result["processes"] if not one["events"])
    assert child["end"] == ("unclean" if ends else "running")


@needs_limits
def test_what_a_running_process_holds_in_memory_is_not_lost_until_it_is_killed(logs: Logs) -> None:
    program = (
        "import flowery_logging, logging, sys, resource, time\n"
        "# files by age: each next header stands on disk, above the events that wait\n"
        f"flowery_logging.setup('svc', directory={str(logs.directory)!r}, output='file',"
        " max_age=0.1)\n"
        "log = logging.getLogger()\n"
        "log.info('before')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))\n"
        "for n in range(3): time.sleep(0.15); log.info('x' * 2000)\n"
        "print(flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        process = only(audit(logs.directory, code=0))
        assert process["end"] == "running"
        assert process["waiting"] != ""
        running.kill()
        running.communicate()
    killed = only(audit(logs.directory, code=1))
    assert killed["end"] == "unclean"
    assert ",".join(gap["sequences"] for gap in killed["lost"]) == process["waiting"]


@pytest.mark.parametrize("limits", ["", f", {LEAST}"])
def test_what_retention_removes_is_announced(logs: Logs, limits: str) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    files = logs.files()
    for path in files[:3]:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    last = sequences(files[2])[-1]
    ok(logs.run("log.info('x')", setup=f"keep_days=1{limits}"))
    assert not any(path.exists() for path in files[:3])
    result = audit(logs.directory, code=0)
    assert result["removed_files"] == 3
    process = largest(result)
    assert process["removed"] == f"1-{last}"
    assert (process["first"], process["lost"]) == (last + 1, [])
    edit(files[3], 0)
    (lost,) = largest(audit(logs.directory, code=1))["lost"]
    assert lost["sequences"] == str(last + 1)


def test_what_retention_removes_while_all_is_read_is_announced_too(logs: Logs) -> None:
    """In a busy directory each reading meets a file that goes away before its turn."""
    ok(logs.run("for n in range(800): log.info('event %d', n)", setup=ROTATING))
    entity, calls = logs.files()[0].name.split("-")[2], count()

    def advance(_: int) -> None:
        files = [path for path in logs.files() if entity in path.name]
        if next(calls) % 5 == 0 and len(files) > 6:
            os.utime(files[len(files) // 2], (1_000_000_000, 1_000_000_000))
            ok(logs.run("log.info('x')", setup="keep_days=1"))

    accounts = take_account([logs.directory], datetime.now(timezone.utc), advance)
    process = accounts.processes[entity]
    absent = process.absent(accounts.removals)
    assert absent.removed
    assert not absent.lost
    assert str(process.numbers | absent.removed) == f"1-{process.numbers.last}"


def test_what_was_removed_earlier_needs_no_announcement_of_its_own(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    files = logs.files()
    last = sequences(files[2])[-1]
    os.unlink(files[0])
    os.unlink(files[1])
    os.utime(files[2], (1_000_000_000, 1_000_000_000))
    ok(logs.run("log.info('x')", setup="keep_days=1"))
    assert largest(audit(logs.directory, code=0))["removed"] == f"1-{last}"


@pytest.mark.parametrize(("removed", "code"), [("2026-01-11", 0), ("2026-01-09", 1)])
def test_what_is_older_than_a_removed_file_was_removed(logs: Logs, removed: str, code: int) -> None:
    """Its announcement stood in a file of another process, which retention has removed since."""
    ok(logs.run(MANY, setup=ROTATING))
    files = logs.files()
    last = sequences(files[1])[-1]
    os.unlink(files[0])
    os.unlink(files[1])
    for path in files[2:]:
        lines = map(orjson.loads, path.read_bytes().splitlines())
        dated = [{**line, "@timestamp": "2026-01-10T00:00:00.000000Z"} for line in lines]
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in dated))
    ok(logs.run("log.info('busy')"))
    (busy,) = set(logs.files()) - set(files)
    os.utime(busy, (datetime.fromisoformat(f"{removed}T00:00:00+00:00").timestamp(),) * 2)
    ok(logs.run("log.info('x')", setup="keep_days=1"))
    assert not busy.exists()
    process = largest(audit(logs.directory, code=code))
    assert process["removed"] == ("" if code else f"1-{last}")
    assert [gap["sequences"] for gap in process["lost"]] == ([f"1-{last}"] if code else [])


@pytest.mark.parametrize(
    ("service", "named", "code"),
    [("None", {}, 1), ("orders", {"service.name": "orders"}, 0), ("orders", {}, 1)],
)
def test_what_was_removed_is_told_by_the_service_that_an_event_names(
    tmp_path: Path, service: str, named: dict[str, str], code: int
) -> None:
    """In whichever spelling; an event that names none is of no service, whatever its name."""
    removed: dict[str, Any] = {"log": {"logger": "flowery_logging"}}
    removed |= {"labels": {"removed_files": []}, "numeric_labels": {"removed_newest_days": 1}}
    Written(tmp_path, service).add(ago(), action="log-files-removed", **removed)
    second = Written(tmp_path, "svc")
    for _ in range(3):
        second.add(ago(days=10))
    last = [orjson.loads(line) for line in second.path.read_bytes().splitlines()][2:]
    lines = [{k: v for k, v in one.items() if k != "service"} | named for one in last]
    second.path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    second.path.rename(str(second.path).replace("-0001.", "-0002."))
    told = {one["removed"] for one in audit(tmp_path, code=code)["processes"]}
    assert told == ({""} if code else {"", "1-2"})


def test_a_removed_file_whose_numbers_could_not_be_read(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    files = logs.files()
    numbers = sequences(files[2])
    files[2].write_bytes(files[2].read_bytes()[:-5])
    os.utime(files[2], (1_000_000_000, 1_000_000_000))
    ok(logs.run("log.info('x')", setup="keep_days=1"))
    assert not files[2].exists()
    process = largest(audit(logs.directory, code=0))
    assert process["removed"] == f"{numbers[0]}-{numbers[-1]}"


def test_several_processes_and_directories(logs: Logs, tmp_path: Path) -> None:
    ok(logs.run(MANY))
    ok(logs.run(MANY))
    other = Logs(tmp_path / "other")
    ok(other.run(MANY))
    edit(other.files()[0], 5)
    assert len(audit(logs.directory, code=0)["processes"]) == 2
    result = audit(logs.directory, other.directory, logs.directory, code=1)
    assert [len(process["lost"]) for process in result["processes"]].count(1) == 1
    assert {process["repeated"] for process in result["processes"]} == {""}, (
        "named twice, read once"
    )
    assert len(result["processes"]) == 3


def test_a_process_that_moved_to_another_directory(logs: Logs, tmp_path: Path) -> None:
    other = tmp_path / "other"
    ok(
        logs.run(
            f"log.info('a'); flowery_logging.setup('svc', directory={str(other)!r}); log.info('b')"
        )
    )
    process = only(audit(logs.directory, other, code=0))
    assert process["end"] == "clean"
    assert len(process["files"]) == 2
    audit(other, code=1)


@pytest.mark.parametrize(
    "outputs",
    [
        ("file", "none"), ("none", "file"), ("file", "none", "file"), ("none", "console", "file"),
        ("file", "stdout"),
    ],
)  # fmt: skip
def test_a_process_that_has_other_outputs_for_a_while(logs: Logs, outputs: tuple[str, ...]) -> None:
    """What nobody was to see is not lost, and a place that is left has an end."""
    program = "".join(
        f"flowery_logging.setup('svc', directory={str(logs.directory)!r}, output={output!r})\n"
        "log.info('a')\nlog.info('b')\n"
        for output in outputs
    )
    ok(logs.run(program))
    process = only(audit(logs.directory, code=0))
    assert process["end"] == "clean"


def test_a_closing_record_that_nobody_has_seen_is_none(logs: Logs) -> None:
    file = f"flowery_logging.setup('svc', directory={str(logs.directory)!r}, output='file')\n"
    unseen = "flowery_logging.setup('svc', output='none')\nlog.info('a')\nlog.info('b')\n"
    close = "flowery_logging.shutdown()\n"
    ok(logs.run(unseen + close + file + "log.info('c')\nlog.info('d')"))
    process = only(audit(logs.directory, code=0))
    assert process["end"] == "clean"
    assert process["events"] == 4


def test_the_table_names_what_is_wrong(logs: Logs) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    path = logs.files()[2]
    number = sequences(path)[7]
    edit(path, 7)
    done = flowery("audit", logs.directory)
    assert done.returncode == 1
    assert f"lost {number} within {path.name}" in done.stdout
    assert "Events were lost." in done.stdout
    assert done.stderr == "", "no progress bar where stderr is no terminal"


def test_what_lies_in_files_cannot_command_the_terminal(logs: Logs) -> None:
    ok(logs.run(MANY))
    (path,) = logs.files()
    path.write_bytes(
        path.read_bytes().replace(b'"host":{"name":"', b'"host":{"name":"\\u001b[31m[red]')
    )
    done = flowery("audit", logs.directory)
    assert "\x1b" not in done.stdout
    assert "[31m[red]" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["resend", "--elasticsearch", "http://x"], "Missing argument"),
        (["audit", "/nowhere/at/all"], "does not exist"),
        (["audit", "{empty}"], "no log files in"),
        (["audit", "{empty}", "--elasticsearch", "ftp://x"], "a URL is wanted"),
        (["audit", "{empty}", "--grace", "-1"], "--grace"),
        (["nonsense"], "No such command"),
    ],
)
def test_usage_errors(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = flowery(*(argument.format(empty=tmp_path) for argument in arguments))
    assert done.returncode == 2
    assert says in done.stderr


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['rich'] = None; import flowery_logging.cli as c; c.main()"
    done = subprocess.run(
        [sys.executable, "-c", hidden], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert "pip install 'flowery_logging[cli]'" in done.stderr


def test_the_entry_point_is_the_same_command(logs: Logs) -> None:
    ok(logs.run("log.info('x')"))
    program = shutil.which("flowery-logging", path=os.path.dirname(sys.executable))
    assert program is not None, "the project is not installed with its extra"
    done = subprocess.run([program, "audit", logs.directory], capture_output=True, check=False)
    assert done.returncode == 0
