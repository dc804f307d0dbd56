"""Texts that differ in their secrets alone: what the rules say of one holds for all."""

import random
import string
import tracemalloc
from collections import Counter

import pytest

from flowery_logging.redaction import Redactor
from flowery_logging.redaction.markers import replaced
from tests.redaction.calls import calls_in_python
from tests.redaction.test_alike import texts_kept
from tests.redaction.test_corpus import SECRETS

SIGNS = string.ascii_letters + string.digits + "-_"


class Counts(Counter[str]):
    def add(self, name, amount=1):
        self[name] += amount

    def add_all(self, amounts):
        self.update(amounts)


def calls_of(redactor, text):
    """How many functions in Python it takes to clean a text of which the kinds are known."""
    return calls_in_python(redactor.clean_suspected, text, redactor.suspects(text))


def other(word, chance):
    """Return a word of the same kind: letters of the same case, digits, and what is between."""
    return "".join(
        chance.choice(string.digits) if sign.isdigit()
        else chance.choice(string.ascii_uppercase if sign.isupper() else string.ascii_lowercase)
        if sign.isascii() and sign.isalpha()
        else sign
        for sign in word
    )  # fmt: skip


RULES = Redactor()
FEW = 12
"""Calls of functions in Python that it takes where the rules are not asked."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_is_hidden_of_other_secrets_is_what_the_rules_hide(seed):
    chance, followed = random.Random(seed), 0
    for _, text, secret in chance.sample(SECRETS, 800):
        redactor = Redactor()
        redactor.clean(text)
        for word in (other(secret, chance), "".join(chance.choices(SIGNS, k=len(secret)))):
            text_of_it, counts = text.replace(secret, word), Counts()
            spans = RULES.find(text_of_it)
            assert redactor.clean(text_of_it, counts) == replaced(text_of_it, spans)
            assert counts.get("redacted", 0) == len(spans)
            followed += calls_of(redactor, text_of_it) < FEW
    assert followed > 100


@pytest.mark.parametrize("text", [
    "https://shop.example/?a=b&token=%s&c=d", "sent authorization: Bearer %s",
    "postgresql://shop:%s@db.example:5432/shop", "password=%s", '{"api_key": "%s", "user": "kim"}',
    "사용자 kim, token=%s 확인", "login with token %s", "two: password=%s and token=hunter2hunter2",
])  # fmt: skip
def test_the_rules_are_asked_once_for_a_text(text):
    redactor = Redactor()
    assert calls_of(redactor, text % "Xk29sLqPw73mZr8T") > FEW
    assert calls_of(redactor, text % "aB3dE9gHiJ2lMn4p") < FEW


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0."


def test_a_json_web_token_is_one_of_any_length():
    redactor = Redactor()
    assert redactor.clean(f"id {JWT}c2lnbmF0dXJl") == "id [redacted:jwt]"
    assert calls_of(redactor, f"id {JWT}bG9uZ2Vyb25lbG9uZ2Vyb25l") < FEW
    assert redactor.clean(f"id {JWT}bG9uZ2Vyb25lbG9uZ2Vyb25l") == "id [redacted:jwt]"


@pytest.mark.parametrize(("first", "second", "hidden"), [
    # Beside what is hidden by its place, what is one by its form.
    ("user kim2026seoul password=Xk29sLqPw73m", "user AKIAABCDEFGHIJ234567 password=aB3dE9gHiJ2l",
     "user [redacted:aws_key] password=[redacted]"),
    # Words that are shown stand there, and another name.
    ("shown=kim2026seoul token=Xk29sLqPw73m", "token=lee2026busan token=aB3dE9gHiJ2l",
     "token=[redacted] token=[redacted]"),
    ("여권번호 MX2Y45678 확인, token=Xk29sLqPw73m", "여권번호 M12345678 확인, token=aB3dE9gHiJ2l",
     "여권번호 [redacted] 확인, token=[redacted]"),
    # So long, of such letters and digits, is no token behind a word alone.
    ("with token aB3dE9gHiJ2lMn4p", "with token aB3dE9gHiJ2lMn4", "with token aB3dE9gHiJ2lMn4"),
    ("with token abcdefghijkl1234", "with token abcdefghijklmno1", "with token abcdefghijklmno1"),
    ("with token ABCDEFGHIJKLMNO1", "with token abcdefghijklmno1", "with token abcdefghijklmno1"),
    ("with token ABCDEFGHIJKLMNO1", "with token ABCDEFG-IJKLMNO1", "with token ABCDEFG-IJKLMNO1"),
    ("with token ABCDEFG-IJKLMNo1", "with token ABCDEFG-IJKLMNO1", "with token ABCDEFG-IJKLMNO1"),
    ("with token 9a26-11-abcd1234", "with token 2026-11-abcd1234", "with token 2026-11-abcd1234"),
    ("with token ABCDEFGHIJKLMNo1", "with token abcdefghijklmno1", "with token abcdefghijklmno1"),
    ("password=BKIAABCDEFGHIJ234567", "password=AKIAABCDEFGHIJ234567", "password=[redacted:aws_key]"),
    # What is told by what it says: a passport's number, credentials in base 64.
    ("여권번호 M12345678 확인", "여권번호 MX2Y45678 확인", "여권번호 MX2Y45678 확인"),
    ("Basic a2ltOmh1bnRlcjI and more", "Basic a2ltYTFodW50ZXI and more",
     "Basic a2ltYTFodW50ZXI and more"),
    (r"\uc5ec\uad8c\ubc88\ud638 M12345678", r"\uc5ec\uad8c\ubc88\ud638 MX2Y45678",
     r"\uc5ec\uad8c\ubc88\ud638 MX2Y45678"),
    ("%EC%97%AC%EA%B6%8C%EB%B2%88%ED%98%B8 M12345678", "%EC%97%AC%EA%B6%8C%EB%B2%88%ED%98%B8 MX2Y45678",
     "%EC%97%AC%EA%B6%8C%EB%B2%88%ED%98%B8 MX2Y45678"),
    ("with token 2026-ab-abcd1234", "with token 2026-11-abcd1234", "with token 2026-11-abcd1234"),
    ("with token 2026_11-abcd1234", "with token 2026-11-abcd1234", "with token 2026-11-abcd1234"),
    ("Auth Plain AGtpbQBodW50ZXIy", "Auth Plain AGtpbQxodW50ZXIy", "Auth Plain AGtpbQxodW50ZXIy"),
    ("authenticate plain AGtpbQBodW50ZXIy", "authenticate plain AGtpbQxodW50ZXIy",
     "authenticate plain AGtpbQxodW50ZXIy"),
    ("id|password\n--|--\n1|abc123abcd", "id|password\n--|--\n1|sha256abcd",
     "id|password\n--|--\n1|sha256abcd"),
])  # fmt: skip
def test_what_differs_in_more_than_secrets_is_left_to_the_rules(first, second, hidden):
    redactor = Redactor()
    for _ in range(3):
        redactor.clean(first)
    assert redactor.clean(second) == hidden == Redactor().clean(second)


GRAFANA = "eyJrIjoi" + "c2ln1234" * 5


@pytest.mark.parametrize(("first", "second"), [
    (f"with token {JWT}c2ln", f"with token {JWT}{'c2ln' * 60}"),
    (f"id {JWT}c2ln", f"id {GRAFANA}.eyJzdWIiOiIxIn0.c2ln"),
    (f'{{"value": "hunter", "x": "{JWT}{"c2ln" * 140}", "name": "token"}}',
     f'{{"value": "hunter", "x": "{JWT}c2ln", "name": "token"}}'),
])  # fmt: skip
def test_a_json_web_token_of_another_kind_is_left_to_the_rules(first, second):
    redactor = Redactor()
    redactor.clean(first)
    assert redactor.clean(second) == Redactor().clean(second)


def test_no_secret_is_kept():
    redactor, secret = Redactor(), "hunter2" + "x1" * 8
    for number in range(4):
        redactor.clean(f"login of kim with password={secret}{number} and token: {secret}")
    assert not [text for text in texts_kept() if secret in repr(text)]


def test_where_all_outlines_are_new_they_are_not_looked_up():
    redactor, known = Redactor(), "token=Xk29sLqPw73m"
    redactor.clean(known)
    first = calls_of(Redactor(), known)
    for number in range(100):
        redactor.clean(f"{number} token=Xk29sLqPw73m")
    assert FEW < calls_of(redactor, known) < first  # nor is what is found kept
    for _ in range(2048):  # they are tried again
        redactor.clean(known)
    assert calls_of(redactor, known) < FEW


def test_where_one_outline_in_three_is_known_they_are_looked_up():
    redactor, known = Redactor(), "token=Xk29sLqPw73m"
    for number in range(1000):
        redactor.clean(known)
        redactor.clean(f"{number} token=Xk29sLqPw73m")
        redactor.clean(f"{number} token: Xk29sLqPw73m")
    assert calls_of(redactor, known) < FEW


@pytest.mark.slow
@pytest.mark.parametrize("length", [900, 9000])
def test_what_is_kept_is_bounded(length):
    redactor = Redactor()
    tracemalloc.start()
    try:
        for number in range(500):
            redactor.clean("token=Xk29sLqPw73m")  # what is kept is worth it
            redactor.clean(f"{number:0{length}} token=Xk29sLqPw73m")
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()
