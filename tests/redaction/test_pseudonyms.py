"""Pseudonyms: one for all ways to write a value, another with another key, never the value."""

from __future__ import annotations

import pytest

from flowery_logging.redaction.pseudonyms import Key, NoKeyError, every, keys, of

KEY = "an invented key of enough characters"
OLD = "the key that was used last year (invented)"
ENVIRON = {"FLOWERY_LOG_PSEUDONYM_KEY": KEY, "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": OLD}


@pytest.mark.parametrize(
    ("field", "texts"),
    [
        ("phone", ["010-1234-5678", "+82 10 1234 5678", "(010) 1234 5678", 1012345678]),
        ("contact", ["010-1234-5678", "+82 10 1234 5678", "０１０－１２３４－５６７８"]),
        ("user.email", ["Kim@Example.com", " kim@example.com\n", "kim @ example.com"]),
        ("user.email", ["mailto:kim@example.com", "Kim Lee <KIM@example.com>"]),
        ("login", ["Kim@Example.com", "kim@example.com"]),
        ("customer_name", ["김철수", " 김철수 ", "\u1100\u1175\u11b7철수"]),
        ("order", ["7", 7, " ７ "]),
    ],
)
def test_however_a_value_is_written_it_has_one_pseudonym(field: str, texts: list[object]) -> None:
    (pseudonym,) = {of(text, field, Key(KEY)) for text in texts}
    assert not any(str(text).strip() in pseudonym for text in texts if len(str(text)) > 4)


@pytest.mark.parametrize(
    ("one", "other"),
    [("A-12", "a-12"), ("kim", "lee"), ("010-1234-5678", "010-1234-5679"), ("1", "1.0")],
)
def test_other_values_have_others(one: str, other: str) -> None:
    assert of(one, "ref", Key(KEY)) != of(other, "ref", Key(KEY))


def test_the_form_is_short_and_names_the_key() -> None:
    pseudonym = of("010-1234-5678", "phone", Key(KEY))
    prefix, key, hashed = pseudonym.split(":")
    assert (prefix, key, len(hashed)) == ("hmac", Key(KEY).id, 24)
    assert of("010-1234-5678", "phone", Key(OLD)).split(":")[1:] != [key, hashed]
    assert of(pseudonym, "phone", Key(KEY)) == pseudonym
    assert of("", "phone", Key(KEY)) == of("  ", "phone", Key(KEY)) == ""


def test_who_searches_finds_by_every_kind_and_key() -> None:
    found = every("+82 10 1234 5678", ENVIRON)
    for secret in (KEY, OLD):
        for field in ("phone", "contact", "note"):
            assert of("010-1234-5678", field, Key(secret)) in found
    assert of("1012345678", "phone", Key(KEY)) in every("1012345678", ENVIRON)
    assert of("1012345678", "order", Key(KEY)) in every("1012345678", ENVIRON)
    assert of("kim@localhost", "email", Key(KEY)) in every("Kim@localhost", ENVIRON)


@pytest.mark.parametrize("secret", ["", "  ", "hush", "hush" * 3, " hush            \n"])
def test_a_key_that_is_missing_or_short_is_refused_unseen(secret: str) -> None:
    with pytest.raises(NoKeyError) as refused:
        keys({"FLOWERY_LOG_PSEUDONYM_KEY": secret})
    assert "hush" not in str(refused.value)
    with pytest.raises(NoKeyError, match="OLD_KEYS"):
        keys({**ENVIRON, "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": "hush,hush"})


def test_a_key_does_not_show_itself() -> None:
    assert KEY not in repr(keys(ENVIRON))
    assert keys({**ENVIRON, "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": f" {KEY}, "}) == (Key(KEY),)
    assert len(keys(ENVIRON)) == 2
