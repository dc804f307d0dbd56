"""Secrets in objects, and the counts of what was hidden."""

import dataclasses
import json
import logging
from typing import NamedTuple

import attrs
import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError

import flowery_logging
from flowery_logging.redaction import Kind, Redactor, Span

log = logging.getLogger("shop.orders")
SECRET = "hunter2pw"


class Login(BaseModel):
    user: str
    password: str = Field(min_length=20)


class Credentials(BaseModel):
    user: str
    password: SecretStr


@dataclasses.dataclass
class Account:
    user: str
    password: str


class Visitor(NamedTuple):
    user: str
    password: str


@attrs.define
class Member:
    user: str
    password: str


def invalid():
    with pytest.raises(ValidationError) as raised:
        Login(user="kim", password=SECRET)
    return raised.value


OBJECTS = {
    "errors": lambda: invalid().errors(),
    "one error": lambda: invalid().errors()[0],
    "exception": invalid,
    "SecretStr": lambda: Credentials(user="kim", password=SecretStr(SECRET)),
    "dataclass": lambda: Account("kim", SECRET),
    "named tuple": lambda: Visitor("kim", SECRET),
    "attrs": lambda: Member("kim", SECRET),
    "header pairs": lambda: [("authorization", SECRET), ("x-a", "b")],
    "header pairs as ASGI has them": lambda: [(b"cookie", SECRET.encode())],
    "header pairs as lists": lambda: {"h": [["x-api-key", SECRET]]},
    "environment": lambda: {"DB_PASSWORD": SECRET, "PATH": "/x"},
    "arguments": lambda: ["tool", "--password", SECRET],
    "arguments of curl": lambda: ("curl", "-u", f"kim:{SECRET}", "https://x"),
    "arguments of mysql": lambda: ["mysql", f"-p{SECRET}"],
    "arguments inside": lambda: {"cmd": ["tool", "--token", SECRET]},
    "name and value": lambda: {"name": "DB_PASSWORD", "value": SECRET},
    "names and values": lambda: [{"key": "api_key", "value": SECRET}],
    "nested": lambda: {"a": {"b": [{"token": SECRET}]}},
    "JSON": lambda: json.dumps({"password": SECRET}),
    "bytes": lambda: f"password={SECRET}".encode(),
    "key": lambda: {f"password={SECRET}": 1},
}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_secret_of_an_object_is_hidden_however_it_is_logged(logged, name):
    value, logger = OBJECTS[name](), flowery_logging.get_logger()
    for _ in range(6):  # a plan is made meanwhile
        log.info("x", extra={"a": value})
        logger.info("x", a=value)
        log.info("got %s", value)
        log.info(value)
        log.error("x", exc_info=ValueError(value))
        with flowery_logging.bound(a=value):
            log.info("x")
    assert len(logged.events()) == 36
    assert not [line for line in logged.lines() if SECRET.encode() in line]


def test_a_name_and_a_value_of_the_event_itself(logged):
    for number in range(6):
        flowery_logging.get_logger().info("x", name="password", value=SECRET)
        flowery_logging.get_logger().info("x", name="size", value=f"v{number}")
    events = logged.events()
    assert [event["labels"]["value"] for event in events[1::2]] == [f"v{n}" for n in range(6)]
    assert {event["labels"]["value"] for event in events[::2]} == {"[redacted]"}


def test_what_was_hidden_is_counted_by_kind(counted):
    for _ in range(6):  # a plan is made meanwhile, which counts the same
        log.info("paid with 4111 1111 1111 1111, password=x1", extra={"token": "x", "n": 1})
        log.info("x", extra={"a": ["4111111111111111"], "b": [{"pin": 1}], "c": 4111111111111111})
    log.error("x", exc_info=ValueError("Bearer abc123def"))
    assert counted("redacted_card") == 18
    assert counted("redacted_by_name") == 18
    assert counted("redacted_credentials") == 2  # in the message and in the stack trace
    assert counted("redacted") == 38


def test_markers_say_the_kind(logged):
    log.info("4111111111111111 900101-1234567 eyJhbGciOi.eyJzdWIiOi.c2ln https://u:pw@h/ token=x1")
    assert logged.event()["message"] == (
        "[redacted:card] [redacted:resident_number] [redacted:jwt] "
        "https://u:[redacted:password]@h/ token=[redacted]"
    )


def test_a_further_kind_is_found_in_texts_and_by_name():
    def places(text):
        start = text.find("kim@")
        return [(start, start + 8)] if start >= 0 else []

    kind = Kind("email", places, sign=lambda encoded: b"@" in encoded, is_name="email".__eq__)
    redactor = Redactor(kinds=[kind])
    assert redactor.find("to kim@shop") == [Span(3, 11, "email")]
    assert redactor.clean("email=x@y.z") == "email=[redacted:email]"
    assert redactor.kind_of("email") == "email"
    assert Redactor().clean("to kim@shop") == "to kim@shop"


def test_what_has_no_value_has_no_secret(logged):
    log.info("x", extra={"visits": [{"token": None, "n": 1}]})
    assert logged.event()["labels"]["visits"] == '[{"token":null,"n":1}]'


@pytest.mark.parametrize("personal", [(), ("phone",)])
def test_a_name_of_methods_hides_credentials_alone(logged, personal):
    logged.setup(redact_personal=personal)
    for auth, shown in (("oauth2", "oauth2"), ("Basic", "Basic"), (SECRET, "[redacted]")):
        for _ in range(6):  # a plan is made meanwhile
            log.info("x", extra={"auth": auth, "web": {"auth": auth}, "calls": [{"auth": auth}]})
            flowery_logging.get_logger().info("x", auth=auth)
        for event in logged.events()[-12::2]:
            labels = event["labels"]
            assert (labels["auth"], labels["web_auth"]) == (shown, shown)
            assert labels["calls"] == json.dumps([{"auth": shown}], separators=(",", ":"))
        assert logged.last()["labels"]["auth"] == shown
    log.info("x", extra={"auth": ("kim", SECRET)})
    assert SECRET not in logged.lines()[-1].decode()
