"""Texts that are far longer than a line: their ends are searched and shown, the rest is counted."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, strategies as st

import flowery_logging
from flowery_logging.redaction import Kind, Redactor
from flowery_logging.redaction.ends import MARGIN
from flowery_logging.redaction.left_out import cut, shorten

log = logging.getLogger("shop.orders")
NOTE = re.compile(r"\n?… \[(\d+) characters left out\](?: …\n)?")
SIZE = 3_000_000


def whole(shown: str) -> int:
    """The length of the text of which this is shown."""
    (count,) = NOTE.findall(shown)
    return len(NOTE.sub("", shown)) + int(count)


@pytest.mark.slow
def test_what_is_searched_of_a_text_is_bounded() -> None:
    searched: list[int] = []

    def find(text: str) -> list[tuple[int, int]]:
        searched.append(len(text))
        return []

    kind = Kind("length", find, sign=lambda encoded: True, is_name=lambda name: False)
    redactor = Redactor(kinds=[kind])
    for text in ("password=hunter22 " * (SIZE // 18), "x" * SIZE, "\\uac00 " * (SIZE // 7)):
        redactor.clean(text)
        redactor.clean_query(text)
    assert searched
    assert max(searched) < 100_000


@pytest.mark.parametrize("text", ["x" * SIZE, "포장 중. " * (SIZE // 6), "\\ " * (SIZE // 2)])
def test_a_message_says_how_much_is_left_out(logged, text: str) -> None:
    log.info(text)
    flowery_logging.get_logger("shop").info(text)
    log.info("%s", text)
    for event in logged.events():
        shown = event["message"]
        assert whole(shown) == len(text)
        assert text.startswith(shown[:1000])
        assert text.endswith(shown[-1000:])


def test_a_label_and_an_error_say_how_much_is_left_out(logged) -> None:
    text = "포장 중. " * (SIZE // 6)
    flowery_logging.get_logger("shop").info("x", note=text)
    assert whole(logged.last()["labels"]["note"]) == len(text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("x")
    assert whole(logged.last()["error"]["message"]) == len(text)


def test_a_line_that_is_made_shorter_twice_says_all_that_is_left_out(logged) -> None:
    text = "x" * 20_000
    log.info(text, extra={f"f{number}": "y" * 8_000 for number in range(5)})
    event = logged.event()
    assert whole(event["message"]) == len(text)
    assert whole(event["labels"]["f0"]) == 8_000


SECRETS = {
    "card": "4111 1111 1111 1111",
    "by name": "password=hunter22kx",
    "long, by name": "password=" + "q7" * 1_500,
    "token": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "key": "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n" * 300
    + "-----END PRIVATE KEY-----",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_that_lies_over_a_cut_is_hidden(secret: str) -> None:
    shown, size = 1_000, 2 * MARGIN + 5_000
    redactor = Redactor(shown=shown)
    parts = {secret[at : at + 6] for at in range(len(secret) - 5)} - {"passwo", "asswor"}
    parts = {part for part in parts if not re.search(r"=|word|-----|KEY|BEGIN|END", part)}
    for cut_at in (shown, size - shown):
        for start in range(cut_at - len(secret) - 3, cut_at + 4, 1 + len(secret) // 40):
            text = f"{'포장 ' * (start // 3)}{' ' * (start % 3)}{secret} "
            text += "배송 " * ((size - len(text)) // 3)
            clean = redactor.clean(text)
            assert len(clean) < 3 * shown
            assert not [part for part in parts if part in clean], start


def test_of_a_list_no_more_texts_are_read_than_a_line_could_hold(logged, counted) -> None:
    text = "포장 중. " * 1_000
    flowery_logging.get_logger("shop").info("x", notes=[text] * 100, tags=[text[:500]] * 128)
    labels = logged.event()["labels"]
    assert labels["notes"][-1].endswith("more]")
    assert counted("cut_lists") == 1


class Text(str):
    __slots__ = ()


MAKES = [str.encode, lambda text: bytearray(text.encode()), Text, PurePosixPath, ValueError]


def rows(make, between: str, count: int, filling: int = 0) -> str:
    return between.join(make(number, "y" * filling) for number in range(count))


def named_before(count: int, filling: int = 0) -> dict[str, str]:
    """Texts with many secrets whose name stands at their beginning alone."""

    def values(number: int, more: str) -> str:
        return f"({number}, 'kim{more}', 'hunter{number:05}x')"

    insert = "INSERT INTO users (id, name, password) VALUES "
    return {
        "insert": insert + rows(values, ", ", count, filling),
        "insert, by lines": insert + rows(values, ",\n", count, filling),
        "insert, in JSON": json.dumps({"sql": insert + rows(values, ",\n", count, filling)}),
        "parameters": f"[SQL: {insert}(?, ?, ?)]\n[parameters: [{rows(values, ', ', count, filling)}]]",
        "table": " id | password | n\n----+----------+---\n"
        + rows(lambda n, more: f" {n} | hunter{n:05}x | {more}1 ", "\n", count, filling),
        "block": "password: |\n" + rows(lambda n, more: f"  hunter{n:05}x{more}", "\n", count, filling),
        "header": "Cookie: " + rows(lambda n, more: f"a{n}=hunter{n:05}x{more}", "; ", count, filling),
        "JSON": '{"user": "kim", "password": "' + "hunter00x" * count * (1 + filling // 9) + '"}',
        "repr": "{'user': 'kim', 'password': '" + "hunter00x" * count * (1 + filling // 9) + "', 'n': 1}",
        "key": "-----BEGIN PRIVATE KEY-----\n" + "hunter00xMIIEvQIBADANBgkqhkiG9w0B\n" * count * (1 + filling // 40)
        + "-----END PRIVATE KEY-----",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("count", [600, 1_800, 6_000, 20_000])
def test_what_is_named_at_its_beginning_alone_is_hidden_to_its_end(count: int) -> None:
    redactor = Redactor()
    for name, text in named_before(count).items():
        assert "hunter" not in redactor.clean(text), name


@pytest.mark.slow
@pytest.mark.parametrize("filling", [200, 1_500])
def test_it_is_also_where_its_rows_are_long(logged, filling: int) -> None:
    for name, text in named_before(900, filling).items():
        log.info(text, extra={"note": text, "notes": [text, "x"]})
        assert "hunter" not in json.dumps(logged.last()), name


@pytest.mark.parametrize("make", MAKES)
def test_of_a_list_of_what_becomes_texts_no_more_is_read_either(logged, counted, make) -> None:
    log.info("x", extra={"notes": [make("가" * 30_000)] * 100})
    assert logged.event()["labels"]["notes"][-1] == "… [98 more]"
    assert counted("cut_lists") == 1


def searched_by(values: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many characters are searched for secrets in the fields of an event."""
    searched: list[int] = []

    def noting(method: Callable[[Redactor, str], Any]) -> Callable[[Redactor, str], Any]:
        def noted(self: Redactor, text: str) -> Any:
            searched.append(len(text))
            return method(self, text)

        return noted

    monkeypatch.setattr(Redactor, "find", noting(Redactor.find))
    monkeypatch.setattr(Redactor, "suspects", noting(Redactor.suspects))
    log.info("x", extra=values)
    return sum(searched)


NAMED = "password=hunter22 in the order of kim. "


@pytest.mark.parametrize("count", [10, 100])
def test_texts_that_together_fill_a_line_are_searched_once(logged, count, monkeypatch) -> None:
    texts = {f"n{number}": NAMED * (100_000 // count // len(NAMED)) for number in range(count)}
    size = sum(map(len, texts.values()))
    for _ in range(3):  # until there is a plan for them
        log.info("x", extra=texts)
    assert searched_by(texts, monkeypatch) < 2.5 * size  # looked at quickly, and with care
    assert "hunter" not in json.dumps(logged.last())


@pytest.mark.parametrize(("is_list", "times"), [(False, 1), (True, 2)], ids=["fields", "a list"])
def test_none_of_them_is_cleaned_again_and_again(logged, monkeypatch, is_list, times) -> None:
    """A list is looked at before it is known that its event fills a line."""
    texts = [NAMED * 250 for _ in range(6)]
    fields = {"notes": texts} if is_list else {f"n{n}": text for n, text in enumerate(texts)}
    cleaned: list[str] = []
    clean = Redactor.clean_suspected

    def noting(self: Redactor, text: str, *others: Any) -> str:
        cleaned.append(text)
        return clean(self, text, *others)

    for _ in range(3):  # until there is a plan for them
        log.info("x", extra=fields)
    monkeypatch.setattr(Redactor, "clean_suspected", noting)
    log.info("x", extra=fields)
    assert cleaned.count(texts[0]) == times * len(texts)


@pytest.mark.parametrize(
    "value", [NAMED * 2_500, [{"body": NAMED * 2_500}]], ids=["text", "object"]
)
def test_no_more_of_a_text_is_searched_than_a_label_shows(logged, value, monkeypatch) -> None:
    most = 8_192 + MARGIN
    assert searched_by({"value": value}, monkeypatch) < 2.1 * most
    assert searched_by({"url.full": value}, monkeypatch) < 2.1 * most
    assert "hunter" not in json.dumps(logged.events())


@pytest.mark.slow
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_that_lies_over_the_end_of_a_label_is_hidden(secret: str) -> None:
    shown = 1_000
    parts = {secret[at : at + 6] for at in range(len(secret) - 5)} - {"passwo", "asswor"}
    parts = {part for part in parts if not re.search(r"=|word|-----|KEY|BEGIN|END", part)}
    for end in (shown, shown + MARGIN):
        for start in range(end - len(secret) - 3, end + 4, 1 + len(secret) // 40):
            text = f"{'포장 ' * (start // 3)}{' ' * (start % 3)}{secret} {'배송 ' * MARGIN}"
            clean = Redactor().clean_head(text, shown)
            assert len(clean) < 2 * shown
            assert not [part for part in parts if part in clean], start
            assert whole(clean) >= len(text) - len(secret)


LONG = "a b " * 10_000
OBJECTS = {
    "a command": [["curl", "-u", "a:b"] + ["x y "] * 1_000_000],
    "keys": [{f"{LONG}{number}": 1 for number in range(100)}],
    "names": {f"{LONG}{number}": 1 for number in range(100)},
}


@pytest.mark.parametrize("value", OBJECTS.values(), ids=OBJECTS)
def test_what_is_searched_of_an_object_is_bounded(logged, value, monkeypatch) -> None:
    assert searched_by({"value": value}, monkeypatch) < 2_000_000
    assert logged.event()["message"] == "x"


def test_of_hidden_entries_no_more_are_written_than_of_others(logged, counted) -> None:
    log.info("x", extra={"value": [{f"password_{number}": 1 for number in range(100_000)}]})
    assert counted("redacted_by_name") < 1_001


def test_a_command_keeps_what_its_first_arguments_say_where_it_has_very_many(logged) -> None:
    log.info("x", extra={"value": [["curl", "--password", "hunter22"] + ["x"] * 5_000]})
    shown = logged.event()["labels"]["value"]
    assert shown.startswith('[["curl","--password","[redacted]","x",')
    assert re.search(r'"<\d+ more>"\]\]\Z', shown)


@pytest.mark.parametrize("digits", [16, 4_000, 5_000])
def test_what_looks_like_our_note_in_a_text_of_the_callers_is_text(logged, counted, digits) -> None:
    text = "x" * 40_000 + f"\n… [{'9' * digits} characters left out] …\n" + "y" * 40_000
    log.info(text, extra={"note": text})
    log.info("x", exc_info=ValueError(text))
    flowery_logging.get_logger("shop").info(text)
    first, second, third = logged.events()
    for shown in (first["message"], first["labels"]["note"], third["message"]):
        assert whole(shown) == len(text)
    assert whole(second["error"]["message"]) == len(text)
    assert counted("fallbacks") == 0


def test_fields_that_are_not_even_looked_at_are_counted(logged, counted) -> None:
    log.info("x", extra={**{f"n{number}": None for number in range(5_000)}, "a": 1, "b": 2})
    assert logged.event()["message"] == "x"
    assert counted("fields_over_limit") >= 2


def test_of_an_object_no_more_texts_are_read_than_a_line_could_hold(logged) -> None:
    texts = [{"text": "포장 중. " * 1_000, "nan": float("nan")} for _ in range(100)]
    log.info(texts)
    message = logged.event()["message"]
    assert re.search(r'"<\d+ more>"\]\Z', message)


@given(st.text("ab\n…", max_size=3000), st.integers(64, 900), st.integers(64, 900))
def test_made_shorter_again_a_text_says_all_that_is_left_out(text: str, one: int, two: int) -> None:
    for make in (shorten, cut):
        shown = make(shorten(text, one), two)
        assert len(shown) <= max(two, 64)
        if shown != text:
            assert whole(shown) == len(text)
