"""Secrets in objects, and the counts of what was hidden."""

import dataclasses
import json
import logging
import logging.handlers
import queue
from enum import Enum
from typing import NamedTuple

import attrs
import pytest
import sqlalchemy
from pydantic import BaseModel, Field, SecretStr, ValidationError, create_model

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


class Group(BaseModel):
    first: Visitor
    others: list[Visitor]
    by_number: dict[int, Visitor]


class Kept(Enum):
    FIRST = Visitor("kim", SECRET)


def row(*names):
    """Return a row as SQLAlchemy reads it from a database, with the secret in its last column."""
    values = [f"v{number}" for number in range(len(names) - 1)] + [SECRET]
    columns = [sqlalchemy.literal(value).label(name) for name, value in zip(names, values)]
    engine = sqlalchemy.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            return connection.execute(sqlalchemy.select(*columns)).one()
    finally:
        engine.dispose()  # else Python 3.13 warns of its connection, whenever that is collected


def group(make):
    return Group.model_construct(first=make(), others=[make(), make()], by_number={1: make()})


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
    "named tuples of pydantic": lambda: group(lambda: Visitor("kim", SECRET)),
    "named tuple of an enum": lambda: Kept.FIRST,
    "named tuples inside": lambda: {"a": [Visitor("kim", SECRET)], "b": (Visitor("kim", SECRET),)},
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


class Measured(NamedTuple):
    user: str
    shoe_size: str


class Sizes(BaseModel):
    first: Measured


OWN = {
    "named tuple": lambda: Measured("kim", SECRET),
    "named tuples inside": lambda: [{"a": (Measured("kim", SECRET),)}, Measured("kim", SECRET)],
    "named tuple of pydantic": lambda: Sizes(first=Measured("kim", SECRET)),
    "row": lambda: row("user", "shoe_size"),
    "dataclass": lambda: dataclasses.make_dataclass("D", ["shoe_size"])(SECRET),
    "attrs": lambda: attrs.make_class("A", ["shoe_size"])(SECRET),
    "pydantic": lambda: create_model("P", shoe_size=(str, ...))(shoe_size=SECRET),
    "in another": lambda: dataclasses.make_dataclass("D", ["own"])(Measured("kim", SECRET)),
}


@pytest.mark.parametrize("personal", [(), ("email",)])
@pytest.mark.parametrize("name", OWN)
def test_the_services_own_names_hide_what_objects_have_under_them(logged, name, personal):
    logged.setup(redact=["Shoe-Size"], redact_personal=personal, fields={"flowery.x": "keyword"})
    value, logger = OWN[name](), flowery_logging.get_logger()
    for _ in range(6):  # a plan is made meanwhile
        log.info("x", extra={"a": value, "tags": value, "flowery.x": value, "b": {"c": value}})
        logger.info("x", a=value)
        logger.info(value)
        with flowery_logging.bound(a=value):
            log.info("x")
    assert len(logged.events()) == 24
    assert not [line for line in logged.lines() if SECRET.encode() in line]


def test_personal_data_in_named_tuples_is_hidden_by_its_whole_name(logged):
    logged.setup(redact_personal=["phone"], redact_safe=["password"])
    for _ in range(6):
        log.info(
            "x", extra={"a": Caller("kim", 1), "b": [Caller("kim", 1)], "c": Visitor("a", "b")}
        )
        labels = logged.last()["labels"]
        assert labels["a"] == '{"user":"kim","phone":"[redacted:phone]"}'
        assert labels["b"] == '[{"user":"kim","phone":"[redacted:phone]"}]'
        assert labels["c"] == ["a", "b"]  # a name that is shown makes no difference


class Caller(NamedTuple):
    user: str
    phone: int


@pytest.mark.parametrize("bound", ["visitor", "measured"])
def test_a_named_tuple_that_was_bound_keeps_its_names_through_a_queue(logged, bound):
    logged.setup(redact=["shoe_size"])
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    told = logging.getLogger("shop.told")
    told.propagate = False
    told.handlers = [logging.handlers.QueueHandler(waiting)]
    with flowery_logging.bound(**{bound: Visitor("kim", SECRET), "own": [Measured("kim", SECRET)]}):
        told.warning("x")
    told.handlers, told.propagate = [], True
    told.handle(waiting.get())
    assert logged.event()["labels"]["own"] == '[{"user":"kim","shoe_size":"[redacted]"}]'
    assert SECRET not in logged.lines()[-1].decode()


def test_a_tuple_without_secrets_stays_a_list(logged):
    logged.setup(redact=["shoe_size"])
    for _ in range(6):
        log.info("x", extra={"a": Plain("kim", "lee"), "b": [Plain("kim", "lee")]})
        labels = logged.last()["labels"]
        assert (labels["a"], labels["b"]) == (["kim", "lee"], '[["kim","lee"]]')


class Plain(NamedTuple):
    user: str
    name: str


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


@pytest.mark.parametrize("value", [7391, 7391.5, True])
@pytest.mark.parametrize(("key", "name"), [("name", "pin"), ("loc", ["body", "pin"])])
def test_a_number_beside_its_name(logged, key, name, value):
    """In each event of a shape, also where most of them name none."""
    value_key = "input" if key == "loc" else "value"
    for said in [*["size"] * 6, name, name]:
        pair = {key: said, value_key: value}
        log.info("x", extra={"setting": pair})
        with flowery_logging.bound(setting=pair):
            log.info("x")
    events = logged.events()
    assert not [event for event in events[:12] if "[redacted]" in str(event["labels"])]
    shown = [event["labels"][f"setting_{value_key}"] for event in events[12:]]
    assert shown == ["[redacted]"] * 4


def test_nothing_beside_a_name_is_left_out(logged, counted):
    for _ in range(6):
        log.info(
            "x", extra={"setting": {"name": "pin", "value": None}, "key": "pin", "value": None}
        )
    assert [event["labels"] for event in logged.events()] == [
        {"setting_name": "pin", "key": "pin"}
    ] * 6
    assert counted("redacted") == 0


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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("password", ["This field may not be blank."]),
        ("password", ("비밀번호는 8자 이상이어야 합니다.",)),
        ("password", ["Required"]),
        ("password", ["The two password fields didn\u2019t match."]),
        ("password", "Ensure this field has at least 8 characters."),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp/key.json"),
        ("PWD", "/home/kim"),
        ("encryption_key", "arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd"),
    ],
)
def test_what_is_said_of_a_field_or_where_it_is_kept_is_shown(logged, name, said):
    log.info("x", extra={"errors": {name: said}})
    (event,) = logged.events()
    assert "redacted" not in str(event)
    assert (said if isinstance(said, str) else said[0]) in str(event["labels"])


@pytest.mark.parametrize("said", [["Tulip-77"], ["This field may not be blank.", "Tulip-77"]])
def test_a_secret_beside_what_is_said_of_it_is_hidden(logged, said):
    log.info("x", extra={"errors": {"password": said}})
    assert "Tulip-77" not in logged.lines()[-1].decode()


def test_the_end_of_a_secret_is_hidden_whose_name_pydantic_has_cut_away(logged):
    class Order(BaseModel):
        needed: int

    try:
        Order.model_validate({"user": "kim.chulsoo@example.com", "password": SECRET * 3})
    except ValidationError:
        log.exception("refused")
    line = logged.lines()[-1].decode()
    assert "kim.chulsoo" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("value", ["Value", "value", "rejectedValue"])
def test_a_name_in_a_path_tells_what_stands_beside_it(logged, value):
    log.info("x", extra={"parameter": {"name": "/shop/db_password", value: SECRET}})
    assert SECRET not in logged.lines()[-1].decode()
