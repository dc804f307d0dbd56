"""How many of the corpus's secrets are found, and how many of its look-alikes are left alone."""

import orjson
import pytest

from flowery_logging.redaction import Redactor
from tests.redaction.corpus import LOOK_ALIKES, SECRETS

KINDS = [(kind, *pair) for kind, pairs in SECRETS.items() for pair in pairs]


def test_the_corpus_is_large_enough():
    assert len(KINDS) >= 150
    assert sum(map(len, LOOK_ALIKES.values())) >= 150


@pytest.mark.parametrize(("kind", "text", "secret"), KINDS)
def test_a_secret_is_found_where_it_stands(kind, text, secret):
    redactor = Redactor()
    for around in ("%s", "before %s", "%s, after", "전 %s", "[%s]"):
        assert secret not in redactor.clean(around % text)


@pytest.mark.parametrize("text", [text for texts in LOOK_ALIKES.values() for text in texts])
def test_a_text_that_only_looks_so_stays(text):
    assert Redactor().clean(text) == text


@pytest.mark.parametrize(("kind", "text", "secret"), KINDS)
def test_the_quick_look_sees_it_also_as_json_has_it(kind, text, secret):
    assert Redactor().suspects_json(orjson.dumps(text))


@pytest.mark.parametrize(("kind", "text", "secret"), KINDS)
def test_what_is_clean_stays_as_it_is(kind, text, secret):
    cleaned = Redactor().clean(text)
    assert Redactor().clean(cleaned) == cleaned
