"""UUIDs in long texts: what is hidden beside them, or is one, is hidden as in a short text."""

import json
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from flowery_logging.redaction import Redactor
from flowery_logging.redaction.choices import ChosenRedactor
from flowery_logging.redaction.personal import KINDS
from tests.redaction.calls import calls_in_python
from tests.redaction.test_corpus import SECRETS
from tests.redaction.test_stems import HARMLESS

ONE = "7d3f1c52-9b0e-4e64-a165-70867728950e"
UUIDS = st.builds(lambda number: str(UUID(int=number)), st.integers(0, 2**128 - 1))


@pytest.mark.parametrize("text", [
    "GET https://shop.example/orders?token=%s&page=2",
    "authorization: Token %s",
    "Authorization: Bearer %s",
    "the password of kim is now %s",
    "비밀번호는 %s입니다",
    "your access token is %s",
    "postgresql://shop:%s@db.example:5432/shop",
    "mysqladmin --password %s status",
    '{"password": "%s"}',
    "AWS_SECRET_ACCESS_KEY=%s",
    "dckr_pat_%s",
    "%s 4111 1111 1111 1111",
    '["%s", "4111111111111111"]',
    "%s,900101-1234568",
])  # fmt: skip
def test_a_secret_that_is_one_or_stands_beside_one(text):
    redactor, own = Redactor(), text.replace("%s", ONE)
    alone = redactor.clean(own)
    assert alone != own or ", " in text
    assert redactor.clean(f"{HARMLESS}\n{own}") == f"{HARMLESS}\n{alone}"


@pytest.mark.slow
def test_what_is_hidden_of_a_short_text_is_hidden_of_a_long_one():
    clean = Redactor().clean
    texts = {text.replace(secret, ONE) for _, text, secret in SECRETS if "\n" not in text}
    hidden = [text for text in texts if ONE in text and ONE not in clean(text)]
    assert len(hidden) > 500
    assert [text for text in hidden if ONE in clean(f"{HARMLESS}\n{text}\n{HARMLESS}")] == []


@given(st.lists(UUIDS, min_size=20, max_size=30))
def test_none_is_a_secret_or_personal_by_itself(some):
    redactor, own = ChosenRedactor(personal=KINDS), Redactor()
    for text in (json.dumps(some), ",".join(some), json.dumps({one: one for one in some})):
        assert redactor.clean(text) == text
        assert not own.suspects(text)


def test_others_each_time_are_no_new_words():
    redactor, chance = Redactor(), Random(0)

    def calls(word):
        rows = [{"id": str(UUID(int=chance.getrandbits(128))), "state": word} for _ in range(15)]
        return calls_in_python(redactor.suspects, json.dumps(rows))

    assert calls("paid") > calls("paid") == calls("paid") < calls("packed")
