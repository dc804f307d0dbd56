"""Our formatters beside ecs-logging's: the same arguments and events, field by field.

ecs-logging's own tests compare whole lines with constants, so they cannot hold for us; and they
are in no distribution of it. Each field in which the two differ stands in a table with its reason.
"""

import json
import logging
from typing import Any

import ecs_logging
import pytest

import flowery_logging
from tests.conftest import strict
from tests.test_formatters import failed, flat, record

LABELS = "no field of ECS: in labels or numeric_labels, so that it cannot clash with a mapping"
DIFFERENCES = {
    "@timestamp": "microseconds",
    "ecs.version": "9.4.0 instead of 1.6.0",
    "log.original": "left out where it repeats the message; ECS has no such field any more",
    "error.type": "qualified, where the exception is no builtin",
    "error.stack_trace": "the whole chain, with its last line, and no carets",
    "error.id": "added: which error it is, the same for each of its occurrences",
    "host.name": "added: where the event was made",
    "event.dataset": "added where the service is known, as the specification of ECS logging says",
    "labels.log_original": "the message, where `message` itself is excluded",
    "labels.stack_info": "the stack, where there is an exception too; ecs-logging drops it",
    "a": LABELS,
    "numeric_labels.a": LABELS,
    "order.id": LABELS,
    "labels.order_id": LABELS,
    "environment": LABELS,
    "labels.environment": LABELS,
    "foo": LABELS,
    "labels.foo": LABELS,
    "log.level": "structlog: the method's level, a field of that name in labels",
    "labels.log_level": "structlog: the method's level, a field of that name in labels",
}
"""Field → why it is not as ecs-logging has it."""


def with_stack(made):
    made.stack_info = "Stack (most recent call last): here"
    return made


AGENT = {f"elasticapm_{name}_id": name for name in ("span", "transaction", "trace")}
RECORDS = {
    "plain": record,
    "no arguments": lambda: record("x", ()),
    "extra": lambda: record(a=1, order={"id": "x"}, **{"http.request.method": "GET"}),
    "nested and dotted extra": lambda: record(
        **{"tls": {"cipher": "AES", "client": {"ja3": "a"}}, "tls.established": True}
    ),
    "service": lambda: record(service={"version": "1", "name": "myapp", "environment": "dev"}),
    "agent": lambda: record(elasticapm_service_name="pay", elasticapm_labels={"a": 1}, **AGENT),
    "error": lambda: record(error=failed()),
    "builtin error": lambda: record(error=ValueError("x")),
    "stack": lambda: with_stack(record()),
    "error and stack": lambda: with_stack(record(error=failed())),
    "Korean": lambda: record("주문 %s", ("😀",)),
}
ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"stack_trace_limit": 0},
    {"stack_trace_limit": 2},
    {"ensure_ascii": True},
    {"ensure_ascii": False},
    {"extra": {"environment": "dev"}},
    {"extra": {"tls.version": "1.3", "service": {"node": {"name": "n"}}}},
    *(
        {"exclude_fields": fields}
        for fields in (
            ["process"], ["ecs"], ["ecs.version"], ["log"], ["log.level"], ["message"], ["error"],
            ["error.stack_trace"], ["log.origin", "log.origin.file"], ["tls.client"], ["service"],
            ["process.pid", "process.name", "process.thread"], ["span", "transaction.id"],
            ["@timestamp"], ["log.original"], ["order"], ["a", "http"],
        )
    ),
]  # fmt: skip
EVENTS: dict[str, dict[str, Any]] = {
    "plain": {"event": "x"},
    "not a text": {"event": 5},
    "fields": {"event": "x", "foo": "bar", "log.logger": "shop", "http": {"version": "2"}},
    "agent": {"event": "x", "service.name": "pay", "trace.id": "t", "event.dataset": "pay.log"},
    "exception": {"event": "x", "exception": "Traceback", "error": {"type": "E"}},
    "timestamp": {"event": "x", "@timestamp": "2026-01-02T03:04:05.678901Z"},
    "level": {"event": "x", "log.level": "odd"},
    "process": {"event": "x", "process": {"pid": 5, "thread": {"name": "main"}}},
}


def differences(theirs: str, ours: str) -> set[str]:
    """Return the fields that one line has and the other has not, or with another value."""
    a, b = flat(json.loads(theirs)), flat(strict(ours))
    return {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}


@pytest.mark.slow
def test_the_standard_library_s_formatter_and_structlog_s_differ_as_the_table_says():
    found: set[str] = set()
    for make in RECORDS.values():
        for arguments in ARGUMENTS:
            made = make()
            theirs = ecs_logging.StdlibFormatter(**arguments).format(
                logging.makeLogRecord(vars(made))
            )
            found |= differences(theirs, flowery_logging.ECSFormatter(**arguments).format(made))
    for event in EVENTS.values():
        copy = json.loads(json.dumps(event))  # ecs-logging changes it
        theirs = ecs_logging.StructlogFormatter()(None, "info", copy)
        found |= differences(theirs, flowery_logging.ECSStructlogFormatter()(None, "info", event))
    assert found == DIFFERENCES.keys()


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_characters_that_are_not_ascii_are_escaped_as_ecs_logging_does(ensure_ascii):
    made = record("주문 %s 😀", ("é\x7f",))
    theirs = ecs_logging.StdlibFormatter(ensure_ascii=ensure_ascii).format(made)
    ours = flowery_logging.ECSFormatter(ensure_ascii=ensure_ascii).format(made)
    message = theirs.partition('"message":')[2].partition(",")[0]
    assert f'"message":{message},' in ours
