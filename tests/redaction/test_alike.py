"""Texts that differ in digits alone are looked at once; those that are new each time cost no more."""

import gc
import random
import sys
import tracemalloc

import pytest

from flowery_logging.kept import Kept
from flowery_logging.redaction import Kind, Redactor

chance = random.Random(0)


def new_text():
    return "seen " + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9))


def calls_of(look, text):
    """How many functions in Python a look calls."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        look(text.encode())
    finally:
        sys.setprofile(None)
    return count


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


def test_no_text_that_may_hold_a_secret_is_kept(look):
    secret = "hunter" + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=12))
    for _ in range(4):
        assert look(f"login with password={secret}".encode()) != 0
    assert not [one for one in gc.get_objects() if type(one) is Kept and secret in repr(one)]


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
