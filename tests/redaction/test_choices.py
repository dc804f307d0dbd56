"""What a team chooses to hide, through both loggers: personal data, and values as pseudonyms."""

from __future__ import annotations

import dataclasses
import html
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

import flowery_logging
from flowery_logging import ConfigError, config
from flowery_logging.config.variables import unknown_variables
from flowery_logging.redaction.pseudonyms import Key, of

KEY = "an invented key of enough characters"
KINDS = ("phone", "email", "account", "address", "name")
HIDDEN = ("1234-5678", "12345678", "1234 5678", "example.com", "김철수", "강남구", "456789")


@dataclasses.dataclass
class Customer:
    phone: str
    full_name: str


def fields() -> dict[str, Any]:
    return {
        "phone": "010-1234-5678",
        "customer": {"name": "김철수", "Phone": "+82 10 1234 5678", "grade": "A"},
        "contacts": [{"phone": "01012345678", "full_name": "김철수", "kind": "home"}],
        "made": Customer("010 1234 5678", "김철수"),
        "deep": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"phone": "010-1234-5678"}}}}}}}}},
        "shipping": {"address": {"city": "서울", "line": "강남구 1"}},
        "home_address": "서울시 강남구 1",
        "account_no": "110-123-456789",
        "user.full_name": "김철수",
        "note": '{"phone": "1234-5678", "이름": "김철수"} 계좌 110-123-456789',
        "client.address": "10.0.0.1",
        "file_name": "kim.txt",
        "order_no": "A-1",
    }


def texts(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def log_everywhere(fields: dict[str, Any]) -> None:
    """As often as a plan needs to be learnt, by each logger, and bound."""
    for _ in range(8):
        logging.getLogger("app").info("call 010-1234-5678 or kim@example.com", extra=fields)
        flowery_logging.get_logger("app").info("call", **fields)
        with flowery_logging.bound(**fields):
            flowery_logging.get_logger("app").info("bound")
            logging.getLogger("app").info("bound")


def test_personal_data_is_hidden_by_name_and_form(logged) -> None:
    logged.setup(redact_personal=KINDS)
    log_everywhere(fields())
    try:
        raise ValueError("no account for kim@example.com, 고객명: 김철수")
    except ValueError:
        logging.getLogger("app").exception("failed")
    *events, failed = (r for r in logged.records() if r["log"]["logger"] == "app")
    assert len(events) == 32
    for event in (*events, failed):
        assert not [value for value in HIDDEN if value in texts(event)]
    assert events[0]["message"] == "call [redacted:phone] or [redacted:email]"
    for event in events:
        labels = event["labels"]
        assert labels["phone"] == labels["customer_Phone"] == "[redacted:phone]"
        assert labels["customer_name"] == event["user"]["full_name"] == "[redacted:name]"
        assert labels["shipping_address"] == labels["home_address"] == "[redacted:address]"
        assert labels["account_no"] == "[redacted:account]"
        assert (labels["file_name"], labels["order_no"]) == ("kim.txt", "A-1")
        assert event["client"]["address"] == "10.0.0.1"
    assert failed["error"]["message"] == "no account for [redacted:email], 고객명: [redacted:name]"
    assert "[redacted:email]" in failed["error"]["stack_trace"]
    assert flowery_logging.stats()["redacted_phone"] > 32


ESCAPED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "in a URL": quote,
    "in a URL in a URL": lambda text: quote(quote(text)),
    "in a form": quote_plus,
    "in HTML": html.escape,
    "in JSON in HTML": lambda text: html.escape(json.dumps(text)),
}
"""How one text is written in another."""


@pytest.mark.parametrize("before", ["", "배송 중. " * 100], ids=["short", "long"])
@pytest.mark.parametrize("escaped", ESCAPED.values(), ids=ESCAPED)
def test_personal_data_is_hidden_whatever_it_is_written_in(logged, escaped, before) -> None:
    logged.setup(redact_personal=KINDS)
    texts = {
        "name": ("이름", "김철수"), "address": ("주소", "서울시 강남구 1"), "phone": ("전화", "010-1234-5678"),
        "email": ("보낸 이", "kim@example.com"), "account": ("계좌", "110-123-456789"),
    }  # fmt: skip
    for kind, (name, value) in texts.items():
        text = escaped(f'{before}{{"{name}": "{value}"}}')
        logging.getLogger("app").info("got %s", text)
        message = logged.last()["message"]
        assert f"[redacted:{kind}]" in message
        assert not value.isascii() or value not in message


def test_all_of_it_is_shown_where_nothing_is_chosen(logged) -> None:
    logged.setup()
    logging.getLogger("app").info("call 010-1234-5678 or kim@example.com", extra=fields())
    assert not [value for value in HIDDEN[:1] + HIDDEN[3:] if value not in texts(logged.event())]


def test_one_person_has_one_pseudonym_everywhere(logged, monkeypatch) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms=("phone", "user.email", "session_id"))
    phone = of("010-1234-5678", "phone", Key(KEY))
    email = of("kim@example.com", "email", Key(KEY))
    more = {"user": {"email": " Kim@Example.com"}, "session_id": "abc", "tags": ["x"], "n": 7}
    log_everywhere(
        {**fields(), **more, "note": "", "phones": ["010-1234-5678"], "email": "shown@a.kr"}
    )
    events = [r for r in logged.records() if r["log"]["logger"] == "app"]
    for event in events:
        labels = event["labels"]
        assert labels["phone"] == labels["customer_Phone"] == phone
        assert json.loads(labels["contacts"])[0] == {
            "phone": phone, "full_name": "김철수", "kind": "home",
        }  # fmt: skip
        assert json.loads(labels["made"])["phone"] == phone
        assert phone in labels[next(name for name in labels if name.startswith("deep"))]
        assert event["user"]["email"] == email
        assert labels["session_id"] == of("abc", "session_id", Key(KEY))
        assert labels["customer_name"] == "김철수"
        assert labels["email"] == "shown@a.kr"
        assert event["tags"] == ["x"]
        assert KEY not in texts(event)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1012345678, of("010-1234-5678", "phone", Key(KEY))),
        (["010-1234-5678", None, "+82 10 1234 5678"], [of("010-1234-5678", "phone", Key(KEY))] * 2),
        ("hmac:" + "a" * 8 + ":" + "b" * 24, "hmac:" + "a" * 8 + ":" + "b" * 24),
        (True, of("True", "phone", Key(KEY))),
        (1.5, of("1.5", "phone", Key(KEY))),
    ],
)
def test_values_of_every_type_get_pseudonyms(logged, monkeypatch, value, shown) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms=("phone",))
    for _ in range(8):
        logging.getLogger("app").info("x", extra={"phone": value, "empty": {"phone": None}})
    events = [r for r in logged.records() if r["log"]["logger"] == "app"]
    assert [event["labels"] for event in events] == [{"phone": shown}] * 8
    assert all("numeric_labels" not in event for event in events)


def test_a_field_that_holds_no_text_gives_way_to_a_label(logged, monkeypatch) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms=("client.ip", "order.id"), fields={"flowery.order.id": "long"})
    for _ in range(8):
        extra = {"client.ip": "10.0.0.1", "flowery.order.id": 7, "client.port": 80}
        logging.getLogger("app").info("x", extra=extra)
    for event in (r for r in logged.records() if r["log"]["logger"] == "app"):
        assert event["labels"]["client_ip"] == of("10.0.0.1", "ip", Key(KEY))
        assert event["labels"]["flowery_order_id"] == of("7", "id", Key(KEY))
        assert event["client"] == {"port": 80}
        assert "flowery" not in event


def test_pseudonyms_and_hiding_go_together(logged, monkeypatch) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms="phone", redact_personal="phone, email")
    for _ in range(8):
        extra = {"phone": "010-1234-5678", "mobile": "010-1234-5678", "email": "kim@example.com"}
        logging.getLogger("app").info("call 010-1234-5678", extra=extra)
    for event in (r for r in logged.records() if r["log"]["logger"] == "app"):
        assert event["message"] == "call [redacted:phone]"
        assert event["labels"] == {
            "phone": of("010-1234-5678", "phone", Key(KEY)),
            "mobile": "[redacted:phone]",
            "email": "[redacted:email]",
        }


@pytest.mark.parametrize("fail", [False, True])
def test_a_dict_as_the_message_is_judged_by_its_names(logged, monkeypatch, fail) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms=("phone",), redact_personal=("name",))
    message = {"phone": "010-1234-5678", "customer": {"name": "김철수"}, "n": 7}
    error = ValueError("x") if fail else None
    for _ in range(8):
        logging.getLogger("app").info(message, exc_info=error)
        flowery_logging.get_logger("app").info(message, exc_info=error)
    for event in (r for r in logged.records() if r["log"]["logger"] == "app"):
        assert json.loads(event["message"]) == {
            "phone": of("010-1234-5678", "phone", Key(KEY)),
            "customer": {"name": "[redacted:name]"},
            "n": 7,
        }


@pytest.mark.parametrize("name", ["phones", "phone2", "PHONE", "user.Phone", "phone.home"])
def test_names_are_compared_without_case_number_and_plural(logged, monkeypatch, name) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms=("phone",))
    extra = {name: "010-1234-5678", "phone_model": "S24", "telephone": "x"}
    logging.getLogger("app").info("x", extra=extra)
    labels = logged.event()["labels"]
    assert labels.pop(name.replace(".", "_")) == of("010-1234-5678", "phone", Key(KEY))
    assert labels == {"phone_model": "S24", "telephone": "x"}


@pytest.mark.parametrize("is_emptied", [False, True])
def test_a_second_setup_needs_the_key_no_more(logged, monkeypatch, is_emptied) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", KEY)
    logged.setup(pseudonyms=("phone",))
    monkeypatch.delenv("FLOWERY_LOG_PSEUDONYM_KEY")
    if is_emptied:
        monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", "")
    flowery_logging.setup(level="DEBUG")
    logging.getLogger("app").debug("x", extra={"phone": "010-1234-5678"})
    assert logged.event()["labels"]["phone"] == of("010-1234-5678", "phone", Key(KEY))


def resolved(arguments: dict[str, Any], **environ: str) -> config.Config:
    return config.resolve({"service": "svc", "output": "none", **arguments}, environ)


def test_settings_come_from_the_environment() -> None:
    found = resolved(
        {}, FLOWERY_LOG_REDACT_PERSONAL="phone, email", FLOWERY_LOG_PSEUDONYMS="phone,user.email",
        FLOWERY_LOG_PSEUDONYM_KEY=KEY,
    )  # fmt: skip
    assert found.redact_personal == ("phone", "email")
    assert found.pseudonyms == ("phone", "user.email")
    assert KEY not in repr(found)
    assert resolved({}).redact_personal == resolved({}).pseudonyms == ()
    assert resolved({}, FLOWERY_LOG_PSEUDONYM_KEY="hush").pseudonym_key is None
    assert not unknown_variables(
        {"FLOWERY_LOG_PSEUDONYM_KEY": "", "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": ""}
    )


@pytest.mark.parametrize("kinds", ["age", ("phone", "Email"), ("phone", 5), 7, {"phone": True}])
def test_an_unknown_kind_is_refused_with_those_that_are_known(kinds: Any) -> None:
    with pytest.raises(ConfigError, match=r"redact_personal: .*allowed: "):
        resolved({"redact_personal": kinds})


@pytest.mark.parametrize("key", [None, "", "hush", "hushhushhushhus"])
def test_a_missing_or_short_key_is_refused_unseen(key: str | None) -> None:
    environ = {} if key is None else {"FLOWERY_LOG_PSEUDONYM_KEY": key}
    with pytest.raises(ConfigError, match="FLOWERY_LOG_PSEUDONYM_KEY") as refused:
        resolved({"pseudonyms": ("phone",)}, **environ)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_pairs_and_keys_are_looked_at_too(logged) -> None:
    logged.setup(redact_personal=KINDS)
    extra = {
        "pairs": [["customer_name", "김철수"], ["phone", "1234-5678"], ["grade", "A"]],
        "errors": [{"loc": ["body", "full_name"], "input": "김철수"}],
        "by_phone": {"010-1234-5678": {"seen": 1}},
        "nested": [{"010-1234-5678": 1}],
    }
    for _ in range(8):
        logging.getLogger("app").info("x", extra=extra)
    for event in (r for r in logged.records() if r["log"]["logger"] == "app"):
        assert not [value for value in HIDDEN if value in texts(event)], texts(event)
        assert json.loads(event["labels"]["pairs"])[2] == ["grade", "A"]
