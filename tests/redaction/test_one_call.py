"""Texts of one call that have a secret each time are not looked at anew, and still nothing passes."""

import json
import logging
import random

import pytest

from flowery_logging.redaction import Kind, Redactor
from flowery_logging.redaction.alike import UNTOLD
from flowery_logging.redaction.markers import replaced
from flowery_logging.redaction.suspicion import NAMED
from tests.redaction.test_corpus import LOOK_ALIKES, SECRETS
from tests.redaction.test_outlines import FEW, calls_of, other

RULES = Redactor()
log = logging.getLogger("one.call")


def by_rules(text):
    return replaced(text, RULES.find(text))


def others_of(text, secret, chance, times):
    """Return texts with other secrets in their places."""
    return [text.replace(secret, other(secret, chance)) for _ in range(times)]


def texts(chance):
    """Yield texts of one call: some that differ in their secrets alone, and then anything."""
    for _, text, secret in chance.sample(SECRETS, 50):
        yield from others_of(text, secret, chance, 5)
        _, another, _ = chance.choice(SECRETS)
        yield from chance.sample([another, chance.choice(LOOK_ALIKES)[1], "order 7 placed"], 3)


@pytest.mark.parametrize("seed", range(3))
def test_a_message_shows_what_the_rules_show(logged, seed):
    said = [*texts(random.Random(seed))]
    for text in said:
        log.info("%s", text)
    for event, text in zip(logged.events(), said, strict=True):
        assert event["message"] == by_rules(text)


@pytest.mark.parametrize("seed", range(3))
def test_each_text_of_an_event_shows_what_the_rules_show(logged, seed):
    chance = random.Random(seed)
    said = [*zip(texts(chance), texts(random.Random(seed + 10)), strict=False)]
    for note, answer in said:
        log.info("order %d placed", 7, extra={"note": note, "answer": answer, "seen": ["a", note]})
    for event, (note, answer) in zip(logged.events(), said, strict=True):
        assert event["message"] == "order 7 placed"
        assert event["labels"]["note"] == by_rules(note)
        assert event["labels"]["answer"] == by_rules(answer)


# What comes usually, the word in it that differs, and what comes then.
ANOTHER = [
    # A number that begins in a secret, or ends in one.
    ("token=%s 1111 1111 1111 ok", "abc-4111", "token=abc-4111 1111 1111 1111 ok"),
    ("411111 1111 token=%s", "11-1111-abc", "411111 1111 token=11-1111-abc"),
    ("4111 1111 1111 password:%s", "1111-abc", "4111 1111 1111 password:1111-abc"),
    ("born   password\n------ --------\n900101 %s", "1b34568-xyz",
     "born   password\n------ --------\n900101 1234568-xyz"),
    # A token of a form of its own, which is told by that.
    ("password=%s", "BKIAABCDEFGHIJ234567", "password=AKIAABCDEFGHIJ234567"),
    ("token=%s", "hgp_abcdEFGHijklMNOPqrstUVWXyz0123456789",
     "token=ghp_abcdEFGHijklMNOPqrstUVWXyz0123456789"),
    ("token=%s", "exJrIjoi" + "c2ln1234" * 5, "token=eyJrIjoi" + "c2ln1234" * 5),
    # What stands beside a secret is another one, or none.
    ("token=%s", "Xk29sLqPw73m", "token=Xk29sLqPw73m hunter2: no, password=hunter2"),
    ("token=%s", "Xk29sLqPw73m", "resident 900101-1234568"),
    ("token=%s", "Xk29sLqPw73m", "nothing is said here"),
    ("token=%s", "Xk29sLqPw73m", "token=hunter"),
    ("token=%s", "Xk29sLqPw73m", "authorization: Basic a2ltOmh1bnRlcjI="),
    ("user kim2026 token=%s", "Xk29sLqPw73m", "user lee2026 token=Xk29sLqPw73m"),
    ("user kim2026seoul token=%s", "Xk29sLqPw73m", "user eyJhbGciOiJ9 token=Xk29sLqPw73m"),
    ("userword1: hunter2x token=%s", "Xk29sLqPw73m", "password1: hunter2x token=Xk29sLqPw73m"),
    ("Basic %s", "a2ltOmh1bnRlcjI", "Basic a2ltYTFodW50ZXI"),
    ("with token %s", "aB3dE9gHiJ2lMn4p", "with token abcdefghijklmno1"),
]  # fmt: skip


@pytest.mark.parametrize(("usual", "word", "last"), ANOTHER)
@pytest.mark.parametrize("field", [False, True])
def test_another_text_behind_those_of_one_form(logged, usual, word, last, field):
    chance = random.Random(0)
    said = [*(usual % other(word, chance) for _ in range(8)), last]
    for text in said:
        log.info("seen %s", "" if field else text, extra={"note": text if field else ""})
    for event, text in zip(logged.events(), said, strict=True):
        shown = by_rules(text if field else f"seen {text}")
        assert (event["labels"]["note"] if field else event["message"]) == shown


def kinds_told(ask, texts):
    return [ask(json.dumps(text).encode()) for text in texts]


def test_where_each_text_had_a_secret_they_are_not_looked_at_together():
    ask = Redactor().asker()
    assert UNTOLD not in kinds_told(ask, [f"token=Xk{letter}9sLqPw73m" for letter in "abc"])
    # One in sixteen is looked at: is it still so?
    for _ in range(2):
        told = kinds_told(ask, [f"token=Xk{letter}9sLqPw73m" for letter in "abcdefghijklmnop"])
        assert told == [*[UNTOLD] * 15, NAMED]
    assert kinds_told(ask, [f"name=Xk{letter}9sLqPw73m" for letter in "abcdefghijklmnopqr"]) == [
        *[UNTOLD] * 15, 0, 0, 0,
    ]  # fmt: skip


@pytest.mark.parametrize("another", ["order of %see", "resident 900101-1234568 of %see"])
def test_where_not_each_new_text_had_a_secret_all_are_looked_at(another):
    ask = Redactor().asker()
    for letter in "abcdefghijkl":
        texts = [f"token=X{letter}9sLqPw73m", f"token=X9{letter}LqPw73m", another % letter]
        assert UNTOLD not in kinds_told(ask, texts)


def test_long_texts_have_no_outline_and_are_looked_at():
    ask = Redactor().asker()
    texts = [f"token=Xk{letter}9sLqPw73m{' and so on' * 110}" for letter in "abcdefgh"]
    assert kinds_told(ask, texts) == [NAMED] * 8


def test_texts_without_a_secret_make_no_outline_look_new():
    redactor, known = Redactor(), "token=Xk29sLqPw73m"
    redactor.clean(known)
    for number in range(100):
        redactor.clean_suspected(f"order of kim2026x in {number}", UNTOLD)
    assert calls_of(redactor, known) < FEW


def test_where_further_kinds_are_hidden_all_are_looked_at():
    seat = Kind(
        "seat", lambda text: [], sign=lambda encoded: b"-" in encoded, is_name="seat".__eq__
    )
    ask = Redactor(kinds=[seat]).asker()
    assert UNTOLD not in kinds_told(ask, [f"token=Xk{letter}9sLqPw73m" for letter in "abcdefgh"])
