"""Texts that differ in digits alone are looked at once; those that are new each time cost no more."""

import gc
import random
import tracemalloc

import pytest

from flowery_logging.kept import Kept
from flowery_logging.redaction import Kind, Redactor
from tests.redaction.calls import calls_in_python

chance = random.Random(0)


def new_text():
    return "seen " + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9))


def calls_of(look, text):
    """How many functions in Python a look calls."""
    return calls_in_python(look, text.encode())


def texts_kept():
    """All texts that are kept; what other tests have left there may raise when it is asked."""
    kept = [one for one in gc.get_objects() if type(one) is Kept]
    return [
        text for one in kept for text in gc.get_referents(one) if isinstance(text, (str, bytes))
    ]


@pytest.fixture
def look():
    return Redactor().asker()


def test_a_known_shape_is_not_looked_at_again(look):
    first = calls_of(look, "GET /orders/17?page=2&size=50")
    for number in range(3):
        look(f"GET /orders/{number}0?page=1&size=10".encode())
    assert calls_of(look, "GET /orders/98?page=7&size=90") == 1 < first


def test_calls_learn_of_one_another():
    redactor = Redactor()
    for number in range(3):
        redactor.asker()(f"order {number} placed".encode())
    assert calls_of(redactor.asker(), "order 7 placed") == 1


def test_a_call_whose_texts_are_new_each_time_looks_no_more_for_their_shapes(look):
    known = "order 7 placed"
    for _ in range(3):
        look(known.encode())
    for _ in range(100):
        look(new_text().encode())
    assert calls_of(look, known) == calls_of(look, new_text()) == 2
    for _ in range(2048):  # it is tried again
        look(known.encode())
    assert calls_of(look, known) == 1


def test_new_texts_of_all_kinds_make_no_list_look_new():
    redactor, known = Redactor(), '[{"id": 7, "state": "paid"}]'
    for _ in range(3):
        redactor.suspects_json(known.encode())
    for _ in range(100):
        redactor.suspects(new_text())
    assert calls_of(redactor.suspects_json, known) == 1


def test_no_text_that_may_hold_a_secret_is_kept(look):
    secret = "hunter" + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=12))
    for _ in range(4):
        assert look(f"login with password={secret}".encode()) != 0
    assert not [text for text in texts_kept() if secret in repr(text)]


@pytest.mark.parametrize("one_in", [2, 4])
def test_a_call_of_which_some_texts_are_known_goes_on(look, one_in):
    for number in range(1000):
        look(f"order {number % 10} placed".encode())
        for _ in range(one_in - 1):
            look(new_text().encode())
    assert calls_of(look, "order 7 placed") == 1


def test_the_sign_of_a_further_kind_may_be_digits():
    kind = Kind("desk", lambda text: [(0, 4)], sign=lambda encoded: b"7777" in encoded,
                is_name=lambda name: False)  # fmt: skip
    redactor = Redactor(kinds=[kind])
    for _ in range(4):
        assert redactor.suspects("1234") == 0
    assert redactor.suspects("7777") != 0
    assert redactor.clean("7777") == "[redacted:desk]"


@pytest.mark.parametrize("more", [0, 300, 3000])
def test_what_is_known_is_bounded(more):
    redactor = Redactor()
    tracemalloc.start()
    try:
        for _ in range(1500):
            text = (new_text() + " step" * more).encode()
            ask = redactor.asker()  # one that has not given up
            ask(text)
            ask(text)
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


CARDS = [
    "4111111111111111", "5105105105105100", "5555555555554444", "2221000000000009",
    "2720990000000007", "378282246310005", "30569309025904", "6011000990139424",
    "3530111333300000", "6200000000000005", "9410000000000005", "4222222222222",
    "4111 1111 1111 1111", "5105-1051-0510-5100",
]  # fmt: skip
NUMBERS = [*CARDS, *(f"{date}-1234568" for date in ("010101", "811231", "780630", "120229"))]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "text", ["%s", "paid %s", "%s 1234567890123", "1234567890123 %s", "no 1000000000000, %s"]
)
def test_a_number_is_seen_in_a_shape_that_is_known_by_others(text, number):
    """How it begins is looked at first, at the one place where a number may begin."""
    hidden = Redactor().clean(text % number)
    assert "[redacted" in hidden
    redactor = Redactor()
    look = redactor.asker()
    for digit in "178":  # numbers of nobody
        other = text % "".join(digit if sign.isdigit() else sign for sign in number)
        for _ in range(3):
            look(other.encode())
    assert redactor.clean_suspected(text % number, look((text % number).encode())) == hidden


def test_digits_that_begin_no_number_are_not_searched(look):
    for _ in range(3):
        look(b"order 1234567890123456789")
    assert calls_of(look, "order 1799567890123456789") == 2
