"""The Logstash filter's own Ruby code makes of the shared events what the receiver makes of them.

Logstash itself is in no package registry. Its parts that can be had run here: the syntax check
and JRuby, in the version that Logstash has inside, around the unchanged code of the filter.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.kit.events import NOW, cases, comparable
from tests.kit.logstash_conf import plugins

from .programs import Cache, find_jdk
from .programs.maven import jars
from .programs.mustache import mustache_binary

KIT = Path(__file__).resolve().parents[2] / "filebeat" / "logstash"
JRUBY = "org.jruby:jruby-complete:9.4.9.0"
HARNESS = Path(__file__).with_name("logstash_filter.rb")

Emitted = list[list[dict[str, Any]]]


def run_filter(name: str, events: list[dict[str, Any]]) -> Emitted:
    """What the only ruby filter of a configuration emits for each of the events."""
    (ruby,) = [plugin for plugin in plugins((KIT / name).read_text()) if plugin.name == "ruby"]
    job = {"init": "", **ruby.options, "now": NOW.isoformat(), "events": events}
    (jar,) = jars(Cache.from_environment(), JRUBY).glob("jruby-complete-*.jar")
    ran = subprocess.run(
        [str(find_jdk() / "bin" / "java"), "-jar", str(jar), str(HARNESS)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    emitted: Emitted = json.loads(ran.stdout)
    return emitted


def stream_of(document: dict[str, Any]) -> str:
    """Where the elasticsearch output sends it: missing parts are those of its documentation."""
    named = {"type": "logs", "dataset": "generic", "namespace": "default"} | document["data_stream"]
    return "-".join(named[part] for part in ("type", "dataset", "namespace"))


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return run_filter("flowery-filter.conf", [case.event for case in cases()])


@pytest.mark.parametrize("number", range(len(cases())), ids=[case.name for case in cases()])
def test_the_filter_makes_of_it(emitted: Emitted, number: int) -> None:
    case = cases()[number]
    (only,) = emitted[number]
    assert stream_of(only["document"]) == case.stream
    assert only["metadata"].get("document_id") == case.id
    assert comparable(only["document"]) == comparable(case.document)


# As Logstash's elasticsearch output writes it: status, the action with the whole event, the answer.
REASON = (
    'Could not index event to Elasticsearch. status: 400, action: ["create", {:_id=>"e-1"}, '
    '{"message"=>"said: , response: {\\"type\\"=>\\"none\\"}"}], response: {"create"=>{"status"=>400, '
    '"error"=>{"type"=>"document_parsing_exception", "reason"=>"[1:9] object mapping for [error] '
    'tried to parse field \\"x\\" as object", "caused_by"=>{"type"=>"illegal_argument", '
    '"reason"=>"unknown"}}}}'
)


def test_a_dead_letter_is_kept_with_its_cause_first() -> None:
    event = cases()[0].document | {"error": "a scalar, where the index has an object"}
    refused = event | {"@metadata": {"dead_letter_queue": {"reason": REASON}}}
    other = refused | {"event": "x", "@metadata": {"dead_letter_queue": {"reason": "gone"}}}
    (first,), (second,) = run_filter("flowery-dead-letters.conf", [refused, other])
    document = first["document"]
    assert stream_of(document) == "logs-flowery.dead_letters-default"
    assert first["metadata"] == {"document_id": refused["event"]["id"]}
    assert second["metadata"] == {}
    cause = (
        'document_parsing_exception: [1:9] object mapping for [error] tried to parse field \\"x\\"'
    )
    assert document["message"] == f"{cause} as object; illegal_argument: unknown"
    assert document["error"] == {
        "type": "document_parsing_exception",
        "message": document["message"],
    }
    assert json.loads(document["event"]["original"])["error"] == event["error"]
    assert set(document) == {"@timestamp", "message", "error", "event", "data_stream"}
    assert second["document"]["message"] == "gone"


@pytest.mark.parametrize("path", sorted(KIT.glob("*.conf")), ids=lambda path: path.name)
def test_the_syntax_is_logstashs(path: Path) -> None:
    checked = subprocess.run(
        [str(mustache_binary(Cache.from_environment())), "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_syntax_check_finds_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.conf"
    broken.write_text((KIT / "flowery.conf").read_text().replace("=>", "=", 1))
    program = str(mustache_binary(Cache.from_environment()))
    checked = subprocess.run([program, "check", str(broken)], capture_output=True, check=False)
    assert checked.returncode == 1
