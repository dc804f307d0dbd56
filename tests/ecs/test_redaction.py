"""Secrets by the name of a key and by the form of a value; what only looks so stays."""

import logging
import re
from typing import NamedTuple

import orjson
import pytest
from hypothesis import given, settings, strategies as st

import flowery_logging
from flowery_logging.ecs.encode import to_json
from flowery_logging.redaction import Redactor
from tests.strategies import LyingText

log = logging.getLogger("shop.orders")

MARKER = "[redacted]"

SECRET_KEYS = [
    "password", "Password", "passwd", "user_password", "userPassword", "user.password", "secret",
    "client_secret", "token", "access_token", "accessToken", "refresh-token", "csrftoken",
    "Authorization", "proxy-authorization", "auth", "basic_auth", "cookie", "Set-Cookie", "api_key",
    "apikey", "API-Key", "x-api-key", "private_key", "credentials", "rrn", "주민등록번호", "비밀번호",
    "card_number", "cardNumber", "credit_card", "cvv", "pwd", "db_pwd", "jwt", "session_id",
    "passport_no", "passportNumber", "driver_license_no", "alien_registration_no", "jumin_no",
    "resident_registration_number", "session_key", "JSESSIONID", "connect.sid", "otp_code", "user_pin",
    "db_pass", "verification_code", "licenseKey", "AWS_SECRET_ACCESS_KEY", "X-Auth-Token", "외국인번호",
    "면허번호", "인증번호", "사용자암호", "카드 비밀번호",
]  # fmt: skip

PLAIN_KEYS = [
    "author", "authority", "authorized_by", "tokens", "total_tokens", "token_count", "token_type",
    "tokenizer", "secretary", "cook", "passed", "passenger", "keyboard",
    "key", "card", "discard", "pinned", "spin", "opinion", "auth_method", "next_page_token",
    "password_changed_at", "pin_code", "cookie_count", "password_policy", "has_password", "api_key_id",
    "otp_enabled", "session_id_hash", "is_secret", "password_length", "secret_name", "token_url",
    "boarding_pass", "unauthorized", "암호화", "비밀번호변경일", "비밀번호길이",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET_KEYS)
@pytest.mark.parametrize("kind", ["stdlib", "structlog", "bound", "nested", "deep"])
def test_the_value_of_a_secret_key_is_hidden(logged, name, kind):
    if kind == "stdlib":
        log.info("x", extra={name: "hunter2"})
    elif kind == "structlog":
        flowery_logging.get_logger().info("x", **{name: "hunter2"})
    elif kind == "bound":
        with flowery_logging.bound(**{name: "hunter2"}):
            log.info("x")
    elif kind == "nested":
        log.info("x", extra={"a": {name: {"inner": "hunter2"}}})
    else:
        log.info("x", extra={"a": [{"b": [{name: "hunter2"}]}]})
    assert b"hunter2" not in logged.lines()[-1]
    assert MARKER.encode() in logged.lines()[-1]


def test_a_card_that_is_a_key_of_an_object_whose_name_ends_in_a_digit(logged):
    for _ in range(6):
        log.info("x", extra={"step2": {"4111111111111111": "a"}})
        with flowery_logging.bound(step2={"4111111111111111": 7}):
            log.info("x")
    assert not [line for line in logged.lines() if b"41111111" in line]


@pytest.mark.parametrize("value", ["", LyingText(), 0, False])
def test_nor_does_a_secret_tell_that_it_is_empty(logged, value):
    for _ in range(5):  # also by its plan, once there is one
        log.info("x", extra={"password": value})
        flowery_logging.get_logger().info("x", password=value, odd=[[]])
    assert [event["labels"]["password"] for event in logged.events()] == [MARKER] * 10


@pytest.mark.parametrize("personal", [(), ("phone",)])
def test_an_object_inside_a_list_is_judged_alike_whatever_is_chosen(logged, personal):
    logged.setup(redact_personal=personal)
    log.info("x", extra={"calls": [{"auth": "oauth2", "password": "hunter2", "token": None}]})
    (call,) = orjson.loads(logged.event()["labels"]["calls"])
    assert call == {"auth": "oauth2", "password": MARKER, "token": None}


class Measured(NamedTuple):
    user: str
    shoe_size: int


def test_a_tuple_keeps_the_names_by_which_it_is_hidden_later():
    later = Redactor(secret=["shoe_size"])
    assert to_json([Measured("kim", 43)], names=later) == '[{"user":"kim","shoe_size":43}]'
    assert to_json([Measured("kim", 43)]) == '[["kim",43]]'


@pytest.mark.parametrize("name", PLAIN_KEYS)
def test_names_that_only_look_so_are_shown(logged, name):
    log.info("x", extra={name: "shown"})
    assert logged.event()["labels"] == {name: "shown"}


def test_redact_adds_and_redact_safe_takes_away(logged):
    logged.setup(redact=["shoe_size"], redact_safe=["csrf_token"])
    log.info("x", extra={"Shoe-Size": 43, "csrf_token": "shown", "token": "hunter2"})
    assert logged.event()["labels"] == {
        "Shoe-Size": MARKER, "csrf_token": "shown", "token": MARKER
    }  # fmt: skip


def test_the_pin_of_a_debugger_is_shown_where_that_is_said(logged):
    log.info(" * Debugger PIN: %s", "123-456-789")
    logged.setup(redact_safe=["pin"])
    log.info(" * Debugger PIN: %s", "123-456-789")
    hidden, shown = (event["message"] for event in logged.events())
    assert hidden == f" * Debugger PIN: {MARKER}"
    assert shown == " * Debugger PIN: 123-456-789"


def without_kind(text):
    return re.sub(r"\[redacted:\w+\]", MARKER, text)


SECRET_TEXTS = [
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", MARKER),
    ("with eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln!", f"with {MARKER}!"),
    ("Bearer abcdefgh12345678", f"Bearer {MARKER}"),
    ("authorization: bearer abc.def-ghi", f"authorization: bearer {MARKER}"),
    ("Basic dXNlcjpwYXNzd29yZA==", f"Basic {MARKER}"),
    ("4111 1111 1111 1111", MARKER),
    ("card 4111-1111-1111-1111.", f"card {MARKER}."),
    ("5500000000000004", MARKER),
    ("378282246310005", MARKER),
    ("3782 822463 10005", MARKER),
    ("3056 930902 5904", MARKER),
    ("900101-1234568", MARKER),
    ("주민번호 9001011234568 입니다", f"주민번호 {MARKER} 입니다"),
    ("https://user:hunter2@host/path", f"https://user:{MARKER}@host/path"),
    ("https://h/?a=b&token=hunter2&c=d", f"https://h/?a=b&token={MARKER}&c=d"),
    ("GET /x?api%5Fkey=hunter2", f"GET /x?api%5Fkey={MARKER}"),
    ("/cart;jsessionid=hunter2", f"/cart;jsessionid={MARKER}"),
    ("900101-1234567", MARKER),
    ("bearer\u00a0abcdefgh12345678", f"bearer\u00a0{MARKER}"),
]

PLAIN_TEXTS = [
    "4111 1111 1111 1112", "1234567890123456", "0000000000000000", "901301-1234568",
    "2026-01-02 03:04:05", "order 20260102030405", "0.4111111111111111", "Basic settings saved",
    "Basic information", "Bearer token missing", "bearer authentication failed", "https://h/?a=b&c=d",
    "tel 010-1234-5678", "eyJ", "550e8400-e29b-41d4-a716-446655440000", "a=b&password", "://",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SECRET_TEXTS)
@pytest.mark.parametrize("kind", ["message", "label", "ecs", "list", "nested", "error"])
def test_a_secret_is_known_by_its_form(logged, kind, text, expected):
    if kind == "message":
        log.info(text)
        found = logged.event()["message"]
    elif kind == "label":
        log.info("x", extra={"a": text})
        found = logged.event()["labels"]["a"]
    elif kind == "ecs":
        log.info("x", extra={"user.name": text})
        found = logged.event()["user"]["name"]
    elif kind == "list":
        log.info("x", extra={"a": [text]})
        (found,) = logged.event()["labels"]["a"]
    elif kind == "nested":
        log.info("x", extra={"a": [[text]]})
        found = logged.event()["labels"]["a"][3:-3]
    else:
        log.error("x", exc_info=ValueError(text))
        found = logged.event()["error"]["message"]
    assert without_kind(found) == expected


PARTS_OF_SECRETS = (
    "eyJhbGciOi.eyJzdWIiOi.c2ln", "eyJ", "Bearer", "bearer", "Basic", "basic", "dXNlcjpwYXNzd29yZA==",
    " ", "\t", "\n", "\u00a0", "://", "http", "user", ":", "hunter2", "@", "?", "&", ";", "=", "token",
    "password", "4111111111111111", "4111 1111 1111 1111", "900101-1234568", ",", '"', "\\", "/", "-",
    "_", ".", "1", "한글", "٤",
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=2000)
@given(st.lists(st.sampled_from(PARTS_OF_SECRETS), max_size=6).map("".join))
def test_the_quick_look_lets_no_secret_pass(text):
    redactor, suspicious = Redactor(), "\n://"
    assert redactor.clean(text + suspicious) == redactor.clean(text) + suspicious


CONTROLS = ("\n", "\r", "\t", "\b", "\f", "\x01", "\x1f", "pass\x01word", "n", "u001f", "x" * 130)


@pytest.mark.slow
@settings(max_examples=2000)
@given(st.lists(st.sampled_from(PARTS_OF_SECRETS + CONTROLS), max_size=7).map("".join))
def test_a_text_with_a_secret_is_suspicious_also_as_it_stands_in_json(text):
    redactor = Redactor()
    if redactor.clean(text) != text:
        assert redactor.suspects(text)
        assert redactor.suspects_json(b"[7]" + orjson.dumps(text) + orjson.dumps("other"))


@pytest.mark.parametrize(
    "text",
    [
        "550e8400-e29b-41d4-a716-446655440000", "7d3f1c52-9b0e-4e64-a165-70867728950e",
        "o-20250101-000001", "1789345678901234567", "order 20260102030405", "tel 010-1234-5678",
        "2026-01-02 03:04:05", "https://h/?a=b&c=d", "1767225600123",
    ],
)  # fmt: skip
def test_what_only_looks_so_is_not_even_suspicious(text):
    """Else events with an order number or a date cost twice as much."""
    assert not Redactor().suspects(text)


@pytest.mark.parametrize("text", PLAIN_TEXTS)
def test_texts_that_only_look_so_are_shown(logged, text):
    log.info(text, extra={"a": text})
    event = logged.event()
    assert event["message"] == text
    assert event["labels"]["a"] == text


@pytest.mark.parametrize(("number", "hidden"), [
    (4111111111111111, True), (9001011234568, True), (4111111111111112, False), (1767312000000, False),
])  # fmt: skip
def test_numbers(logged, number, hidden):
    log.info("x", extra={"a": number, "b": [number]})
    labels = logged.event().get("labels", {}) | logged.event().get("numeric_labels", {})
    kind = "card" if number > 10**15 else "resident_number"
    assert labels["a"] == (f"[redacted:{kind}]" if hidden else number)
    assert labels["b"] == [f"[redacted:{kind}]" if hidden else str(number)]


def test_the_query_of_a_url_without_its_question_mark(logged):
    log.info("x", extra={"url.query": "token=hunter2&a=b"})
    log.info("x", extra={"query_string": "password=hunter2"})
    first, second = logged.events()
    assert first["url"]["query"] == f"token={MARKER}&a=b"
    assert second["labels"]["query_string"] == f"password={MARKER}"


def test_key_and_value_in_messages(logged):
    log.info("login password=hunter2, token: 'abc def' user=kim")
    expected = f"login password={MARKER}, token: '{MARKER}' user=kim"
    assert logged.event()["message"] == expected


def test_a_long_hostile_text_takes_no_longer_than_its_length(logged):
    for text in (
        "eyJ" * 100_000,
        "4" * 300_000,
        "a=" * 150_000 + "?",
        "://" * 100_000,
        "Basic " * 50_000,
    ):
        log.info(text, extra={"a": text})
    assert len(logged.events()) == 5


@pytest.mark.parametrize("times", [1, 3])
def test_a_card_among_numbers_is_hidden_when_their_shape_is_known(logged, times):
    card = 4111111111111111
    for numbers in ([1, 2], [1, card], [card], [1, str(card)], ["1", card], (1, card), [1.5, card]):
        for _ in range(times):
            log.info("x", extra={"numbers": numbers})
    assert not any(str(card).encode() in line for line in logged.lines())
    found = [event["labels"]["numbers"] for event in logged.events()]
    assert found.count(["1", "2"]) == times
    assert found.count(["1", "[redacted:card]"]) == 4 * times
