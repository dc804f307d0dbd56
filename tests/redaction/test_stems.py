"""Long texts: what no word of tells the name of a secret is left at once, and nothing else is."""

import itertools
import json

import pytest
from hypothesis import given, settings, strategies as st

from flowery_logging.redaction.redactor import Redactor
from tests.redaction import field_names
from tests.redaction.test_corpus import LOOK_ALIKES, SECRETS

HARMLESS = "We sorted the vases on line twelve. 꽃병을 정리했습니다. " * 12
AROUND = (f"{HARMLESS}\n%s", f"%s\n{HARMLESS}", f"{HARMLESS}\n%s\n{HARMLESS}")


def test_the_text_around_is_long_and_harmless():
    assert len(HARMLESS.encode()) > 512
    assert not Redactor().suspects(HARMLESS)


@pytest.mark.slow
@pytest.mark.parametrize("around", AROUND)
def test_secrets_in_long_texts(around):
    clean = Redactor().clean
    texts = [(text, secret) for _, text, secret in SECRETS if "\n" not in text]
    assert len(texts) > 1000
    assert [text for text, secret in texts if secret in clean(around.replace("%s", text))] == []


@pytest.mark.slow
@pytest.mark.parametrize("around", AROUND)
def test_look_alikes_in_long_texts(around):
    clean = Redactor().clean
    texts = [around.replace("%s", text) for _, text in LOOK_ALIKES]
    changed = [text for text in texts if clean(text) != text]
    with_care = [text for text in changed if clean(f"{text} %") != f"{text} %"]  # for its sign
    assert changed == with_care


@pytest.mark.parametrize("form", ['{"%s": "Ab1cd9xyz"}', "%s=Ab1cd9xyz", '[{"%s": "Ab1cd9xyz"}]'])
def test_names_in_long_texts(form):
    redactor = Redactor(["tulip_bed", "RoseNo", "ÄPFEL"])
    names = [*field_names.SECRET.split(), "tulip_bed", "TulipBed", "rose.no", "ÄPFEL", "x-user-pin"]
    texts = [(name, f"{HARMLESS}{form % name}") for name in names if redactor.hides(name)]
    assert len(texts) > 200
    alone = {name for name, _ in texts if "Ab1cd9" not in redactor.clean(form % name)}
    assert {name for name, text in texts if "Ab1cd9" in redactor.clean(text)}.isdisjoint(alone)


def test_what_has_many_new_words_is_looked_at_as_well():
    """As base 64 has, of which no word comes again; more of them than are learnt at once."""
    noise = " ".join(map("".join, itertools.product("bdfghz", repeat=4)))
    for _ in range(20):
        redactor = Redactor()
        for _ in range(3):
            assert "Ab1cd9" not in redactor.clean(f"body {noise} password=Ab1cd9xyz")
        for _ in range(9):
            assert not redactor.suspects(f"body={noise}")


IDS = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
HIDDEN_NAMES = [name for name in field_names.SECRET.split() if Redactor().hides(name)]


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(IDS, min_size=30, max_size=40), st.sampled_from(HIDDEN_NAMES), st.data())
def test_names_among_ids_in_which_parts_of_names_stand_by_chance(ids, name, data):
    """In long texts and in short ones: whatever is told of all words at once, or of each."""
    redactor = Redactor()
    alone = json.dumps({name: "Ab1cd9xyz"})
    place = data.draw(st.integers(0, len(ids)))
    for some in (ids, ids[:4]):
        listed = [*some[:place], "PWSIGKEYPAN0PIN", *some[place:]]
        text = json.dumps({"ids": listed, name: "Ab1cd9xyz"})
        for _ in range(3):
            is_shown = "Ab1cd9" in redactor.clean(text)
            assert is_shown is ("Ab1cd9" in Redactor().clean(alone))
