"""`validate` on lines that are right, and on each kind of fault, one a line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flowery_logging
from tests.cli.conftest import flowery, here
from tests.strategies import hostile_events

TIME = '"@timestamp":"2026-11-27T12:36:52.924005Z"'
HEAD = f'{TIME},"log.level":"info","message":"ok","ecs.version":"9.4.0"'

VALID = [
    f"{{{HEAD}}}",
    f'{{{TIME},"log.level":" WARN","message":"","ecs":{{"version":"1.6.0"}}}}',
    '{"@timestamp":"2026-11-27T21:36:52+09:00","log.level":"info","message":"ok","ecs.version":"8"}',
    f'{{{HEAD},"log":{{"logger":"a"}},"http.request.method":"GET","http":{{"version":"1.1"}}}}',
    f'{{{HEAD},"labels":{{"a":"x","b":7,"c":true,"d":["x","y"]}},"numeric_labels":{{"n":1.5}}}}',
    f'{{{HEAD},"tags":["a"],"event":{{"category":["web"],"outcome":"success"}},"user":{{"id":null}}}}',
    f'{{{HEAD},"host":{{"ip":["10.0.0.1","::1"]}},"process":{{"pid":7}},"client":{{"port":7.0}}}}',
    f'{{{HEAD},"client":{{"geo":{{"location":{{"lat":37.5,"lon":127}}}}}}}}',
    f'{{{HEAD},"dns":{{"answers":[{{"name":"a"}},{{"name":"b"}}]}},"x":{{"y":{{"z":1}}}},"x.w":2}}',
    f'{{{HEAD},"mine":{{"a":[1,2],"b":[],"c":null}}}}\r',
]

# The line, the rule that it breaks and the field that breaks it.
FAULTY = [
    ("", "json", ""),
    ("not json", "json", ""),
    (f"{{{HEAD}", "json", ""),
    (f"{{{HEAD}}} {{}}", "json", ""),
    ("[1]", "json", ""),
    ('"text"', "json", ""),
    ("[" * 100_000, "json", ""),
    (f"\ufeff{{{HEAD}}}", "json", ""),
    (f'{{{HEAD},"a":"\\ud83d"}}', "json", "a"),
    (f'{{{HEAD},"a":["\\ud83d"]}}', "json", "a"),
    (f'{{{HEAD},"a":NaN}}', "number", "a"),
    (f'{{{HEAD},"a":{{"b":[1,-Infinity]}}}}', "number", "a.b"),
    (f'{{{HEAD},"a":1e999}}', "number", "a"),
    (f'{{{HEAD},"a":{10**30}}}', "number", "a"),
    (f'{{{HEAD},"a":{"9" * 5000}}}', "number", "a"),
    (f'{{{HEAD},"message":"again"}}', "duplicate", "message"),
    (f'{{{HEAD},"a":{{"b":1,"b":1}}}}', "duplicate", "a.b"),
    (f'{{{HEAD},"a":{{"x":1}},"a":{{"y":1}}}}', "duplicate", "a"),
    (f'{{{HEAD},"dns":{{"answers":[{{"name":"a","name":"b"}}]}}}}', "duplicate", "dns.answers.name"),
    (f'{{{HEAD},"user.id":"a","user":{{"id":"a"}}}}', "clash", "user.id"),
    (f'{{{HEAD},"user":{{"id":"a"}},"user.id":"a"}}', "clash", "user.id"),
    (f'{{{HEAD},"a":1,"a.b":1}}', "clash", "a"),
    (f'{{{HEAD},"a.b":1,"a":1}}', "clash", "a"),
    (f'{{{HEAD},"a":{{"":1}}}}', "name", "a."),
    (f'{{{HEAD},"a..b":1}}', "name", "a..b"),
    (f'{{{HEAD},".a":1}}', "name", ".a"),
    (f'{{{HEAD},"  ":1}}', "name", "  "),
    ('{"log.level":"info","message":"ok","ecs.version":"9"}', "required", "@timestamp"),
    (f'{{{TIME},"message":"ok","ecs.version":"9"}}', "required", "log.level"),
    (f'{{{TIME},"log.level":"info","ecs.version":"9"}}', "required", "message"),
    (f'{{{TIME},"log.level":"info","message":"ok"}}', "required", "ecs.version"),
    (f'{{{TIME},"log.level":"info","message":null,"ecs.version":"9"}}', "required", "message"),
    (f'{{"log.level":"info",{TIME},"message":"ok","ecs.version":"9"}}', "order", "@timestamp"),
    (f'{{{TIME},"log.level":"info","ecs.version":"9","message":"ok"}}', "order", "message"),
    (f'{{{TIME},"log":{{"level":"info"}},"message":"ok","ecs.version":"9"}}', "nesting", "log.level"),
    *(
        (f'{{"@timestamp":{value},"log.level":"info","message":"ok","ecs.version":"9"}}', "timestamp", "@timestamp")
        for value in ("1764246912", "true", '""', '"2026-11-27"', '"2026-11-27T12:36:52"', '"2026-13-01T00:00:00Z"',
                      '"2026-02-30T00:00:00Z"', '"2026-11-27 12:36:52Z"', '"2026-11-27T12:36:52,1Z"', '"now"', "{}")
    ),
    *(
        (f'{{{HEAD},"{field}":{value}}}', "type", field)
        for field, value in [
            ("user.id", "7"), ("user.id", '["a"]'), ("user.id", '{"a":1}'), ("log.logger", "true"),
            ("process.pid", '"7"'), ("process.pid", "7.5"), ("process.pid", "true"), ("process.pid", "[7]"),
            ("event.duration", '"1 s"'), ("event.risk_score", '"1"'), ("tls.established", '"true"'),
            ("event.start", "1764246912"), ("event.start", '"yesterday"'), ("client.ip", '"300.1.1.1"'),
            ("client.ip", "7"), ("host.ip", '"10.0.0.1"'), ("tags", '"a"'), ("tags", "[7]"), ("tags", "{}"),
            ("client.geo.location", "7"), ("error", '"boom"'), ("http", "7"), ("host", '"web-1"'),
            ("labels", '"a"'), ("service", '["a"]'), ("dns.answers", '"a"'),
        ]
    ),
    (f'{{{HEAD},"event":{{"outcome":"ok"}}}}', "value", "event.outcome"),
    (f'{{{HEAD},"event":{{"category":["web","shop"]}}}}', "value", "event.category"),
    (f'{{{HEAD},"labels":{{"a.b":"x"}}}}', "label", "labels.a.b"),
    (f'{{{HEAD},"labels":{{"a*":"x"}}}}', "label", "labels.a*"),
    (f'{{{HEAD},"labels":{{"a":{{"b":"x"}}}}}}', "label", "labels.a"),
    (f'{{{HEAD},"numeric_labels":{{"a":"7"}}}}', "label", "numeric_labels.a"),
]  # fmt: skip
DEEP = f'{{{HEAD},"a":' + '{"a":' * 20 + "1" + "}" * 21
FAULTY += [(DEEP, "depth", ".".join("a" * 20))]


def validate(*arguments: str | Path, code: int) -> dict[str, Any]:
    done = flowery("validate", "--json", *arguments)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["exit_code"] == code
    return result


@pytest.mark.slow
def test_lines_that_are_right_have_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    path.write_bytes("\n".join(VALID).encode())
    result = validate(path, code=0)
    assert (result["findings"], result["lines"], result["faulty_lines"]) == ([], len(VALID), 0)
    assert set(result["custom_fields"]) == {"x.y.z", "x.w", "mine.a"}


def test_each_fault_is_found_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    path.write_bytes("\n".join(line for line, _, _ in FAULTY).encode() + b"\n\xff\n")
    result = validate(path, code=1)
    found: dict[int, set[tuple[str, str]]] = {}
    for one in result["findings"]:
        assert one["file"] == str(path)
        assert one["wrong"]
        assert one["allowed"]
        found.setdefault(one["line"], set()).add((one["rule"], one["field"]))
    for number, (line, rule, field) in enumerate(FAULTY, 1):
        assert (rule, field) in found.get(number, set()), f"{line[:200]}: {found.get(number)}"
    assert found[len(FAULTY) + 1] == {("json", "")}  # \xff
    assert result["findings_count"] == len(result["findings"])
    assert sum(group["count"] for group in result["counts"]) == len(result["findings"])


def test_a_field_of_two_types_names_both_lines(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text(f'{{{HEAD},"order":7}}\n')
    second.write_text(f'{{{HEAD}}}\n{{{HEAD},"order":"seven"}}\n')
    (finding,) = validate(first, second, code=1)["findings"]
    assert (finding["rule"], finding["field"], finding["line"]) == ("conflict", "order", 2)
    assert finding["file"] == str(second)
    assert f"{first}:1" in finding["wrong"]


@pytest.mark.slow
def test_what_the_library_writes_is_valid(tmp_path: Path) -> None:
    flowery_logging.setup("shop", directory=str(tmp_path), output="file", stderr_level="OFF")
    log, other = logging.getLogger("shop"), flowery_logging.get_logger("shop")
    for number, event in enumerate(hostile_events(3, 400)):
        if number % 2:
            log.info(event.message, extra=event.extras, exc_info=event.exception)
            continue
        fields = {str(name): value for name, value in event.extras.items()}
        fields.pop("event", None)
        fields.pop("self", None)
        other.info(event.message, **fields)
    flowery_logging.shutdown()
    done = flowery("validate", "--json", tmp_path)
    # What stands under event.outcome is the caller's.
    wrong = [one for one in json.loads(done.stdout)["findings"] if one["rule"] != "value"]
    assert wrong == []
    assert json.loads(done.stdout)["lines"] > 400


@pytest.mark.slow
def test_standard_input_and_the_words_for_people(tmp_path: Path) -> None:
    line = f'{{{HEAD},"process":{{"pid":"7"}},"a\\u001b[31m":1}}\n'
    done = subprocess.run(
        [sys.executable, "-m", "flowery_logging", "validate", "--limit", "2", "-"],
        input=line * 3, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith('-:1: process.pid: a text, "7"; Elasticsearch converts it [type]; ')
    assert lines[0].endswith("allowed: a whole number of 64 bits (long)")
    assert lines[1].startswith("-:2: process.pid")
    assert lines[2] == "… and 1 more (--limit 0 shows all)"
    assert "      3 type process.pid, first -:1" in lines
    assert lines[-1] == "3 of 3 lines are faulty, 3 findings in 1 files."
    assert "\x1b" not in done.stdout


@pytest.mark.slow
def test_declared_fields_have_their_types(tmp_path: Path) -> None:
    declared, path = tmp_path / "fields.json", tmp_path / "lines.json"
    declared.write_text('{"flowery.order.id": "long"}')
    path.write_text(f'{{{HEAD},"flowery":{{"order":{{"id":"7"}}}}}}\n')
    (finding,) = validate("--fields", declared, path, code=1)["findings"]
    assert (finding["rule"], finding["field"]) == ("type", "flowery.order.id")
    assert validate(path, code=0)["custom_fields"] == {"flowery.order.id": 1}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["missing.json"]])
def test_wrong_arguments(arguments: list[str]) -> None:
    done = flowery("validate", *arguments)
    assert done.returncode == 2
    assert "Error:" in done.stderr


@pytest.mark.parametrize("output", [[], ["--json"]])
def test_directories_without_log_files(tmp_path: Path, output: list[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "notes.txt").write_text("{}\n")
    done = here("validate", *output, tmp_path / "one", tmp_path / "two")
    assert done.exit_code == 2
    assert "no log files in" in done.output
    assert done.stdout == ""
    (tmp_path / "two" / "a.ndjson").write_text("")
    assert here("validate", *output, tmp_path / "one", tmp_path / "two").exit_code == 0


@pytest.mark.slow
def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    path.write_text("no JSON\n" * 20_000)
    command = [sys.executable, "-m", "flowery_logging", "validate", "--limit", "0", str(path)]
    shell = ["bash", "-c", '"$@" | head -1; echo ${PIPESTATUS[0]}', "bash", *command]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["0"]


@pytest.mark.slow
def test_names_without_end_are_counted_together(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    path.write_text(
        "".join(f'{{{HEAD},"own_{n}":1,"labels":{{"a.{n}":1}}}}\n' for n in range(10_050))
    )
    result = validate(path, code=1)
    assert len(result["custom_fields"]) == len(result["counts"]) == 10_001
    assert result["custom_fields"]["(others)"] == 50
    assert ("label", "(others)", 50) in {
        (one["rule"], one["field"], one["count"]) for one in result["counts"]
    }
    lines = flowery("validate", path).stdout.splitlines()
    assert "        … and 9971 more kinds of findings (--json)" in lines
    assert len(lines) < 150
