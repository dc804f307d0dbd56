"""How many of the corpus's secrets are found, and how many of its look-alikes are left alone.

`python -m pytest tests/redaction -s` prints both by kind.
"""

import json
import logging
from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings, strategies as st

import flowery_logging
from flowery_logging.redaction import Redactor, find
from flowery_logging.redaction.forms import FORMS
from flowery_logging.redaction.services import SERVICES
from tests.redaction import (
    corpus,
    everyday,
    field_names,
    harmless,
    marked,
    outputs,
    places,
    unseen,
    unseen_dumps,
    unseen_logins,
    unseen_services,
    unseen_web,
)

ROOT = Path(__file__).parents[2]
LISTS = (unseen_services, unseen_dumps, unseen_logins, unseen_web)
UNSEEN = (unseen, *LISTS)


def unmarked(text):
    """Take out of a token what keeps it from being taken for a real one."""
    return text.replace("¦", "")


SECRETS = [
    (kind, unmarked(text), unmarked(secret))
    for source in (
        corpus.SECRETS,
        places.PLACES,
        everyday.SECRETS,
        marked.SECRETS,
        outputs.SECRETS,
        *(module.SECRETS for module in UNSEEN),
    )
    for kind, pairs in source.items()
    for text, secret in pairs
]
LOOK_ALIKES = [
    (kind, text)
    for source in (
        corpus.LOOK_ALIKES,
        places.LOOK_ALIKES,
        harmless.LOOK_ALIKES,
        marked.LOOK_ALIKES,
        outputs.LOOK_ALIKES,
        *(module.LOOK_ALIKES for module in UNSEEN),
    )
    for kind, texts in source.items()
    for text in texts
]
UNDETECTED = [
    (unmarked(text), unmarked(secret)) for module in LISTS for text, secret in module.UNDETECTED
]
AROUND = ("%s", "before %s", "%s, after", "전 %s", "[%s]")
INSIDE = {
    "an exception's repr": lambda text: f"raised {ValueError(text)!r}",
    "JSON": lambda text: f"body {json.dumps({'note': text})}",
    "JSON inside JSON": lambda text: json.dumps({"body": json.dumps({"note": text})}),
    "a repr inside a repr": lambda text: repr(repr({"note": text})),
}

log = logging.getLogger("shop.orders")


class Careful(Redactor):
    """Looks at each text with care: what the quick look must not change."""

    def suspects(self, text):
        return -1


def told(what, found, whole):
    """Print how many of each kind were found, and return how many were not, of all."""
    for kind, number in whole.items():
        print(f"{what} {kind}: {found[kind]} of {number}")
    return sum(whole.values()) - sum(found.values())


def test_the_corpus_is_large_enough():
    assert len(SECRETS) > 2_000
    assert len(LOOK_ALIKES) > 2_000


@pytest.mark.parametrize("path", ["docs/redaction.md", "docs/ko/redaction.md"])
def test_the_page_has_a_row_for_each_form(path):
    page = (ROOT / path).read_text(encoding="utf-8")
    assert [form.kind for form in FORMS if f"| `[redacted:{form.kind}]` |" not in page] == []
    services = next(line for line in page.splitlines() if "redacted:service_key" in line)
    makers = [form.source.partition(":")[0] for form in SERVICES]
    assert [maker for maker in makers if maker not in services] == []


@pytest.mark.slow
@pytest.mark.parametrize("around", AROUND)
def test_each_secret_is_found_where_it_stands(around):
    if around != "%s":  # a block of YAML begins a line
        texts = [(kind, text, secret) for kind, text, secret in SECRETS if "\n" not in text]
    else:
        texts = SECRETS
    clean = Redactor().clean
    hidden = Counter(kind for kind, text, secret in texts if secret not in clean(around % text))
    whole = Counter(kind for kind, _, _ in texts)
    assert told("found", hidden, whole) == 0


@pytest.mark.slow
@pytest.mark.parametrize("inside", INSIDE)
def test_each_secret_is_found_in_a_text_inside_a_text(inside):
    clean, write = Redactor().clean, INSIDE[inside]
    hidden = Counter(kind for kind, text, secret in SECRETS if secret not in clean(write(text)))
    assert told("found", hidden, Counter(kind for kind, _, _ in SECRETS)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("inside", INSIDE)
def test_no_look_alike_is_changed_in_a_text_inside_a_text(inside):
    clean, texts = Redactor().clean, [(kind, INSIDE[inside](text)) for kind, text in LOOK_ALIKES]
    kept = Counter(kind for kind, text in texts if clean(text) == text)
    assert told("left alone", kept, Counter(kind for kind, _ in LOOK_ALIKES)) == 0


def test_no_text_that_only_looks_so_is_changed():
    clean = Redactor().clean
    kept = Counter(kind for kind, text in LOOK_ALIKES if clean(text) == text)
    whole = Counter(kind for kind, _ in LOOK_ALIKES)
    assert told("left alone", kept, whole) == 0


def test_what_is_not_found_is_what_is_said_not_to_be():
    """One that is found by now belongs among the others, and out of docs/redaction.md."""
    clean = Redactor().clean
    assert [text for text, secret in UNDETECTED if secret not in clean(text)] == []
    assert [text for text in unseen_dumps.HIDDEN if clean(text) == text] == []
    page = (ROOT / "docs/redaction.md").read_text(encoding="utf-8")
    assert f"{len(UNDETECTED)} secrets of these are still not found" in page


def test_the_quick_look_sees_it_also_as_json_has_it():
    suspects = Redactor().suspects_json
    assert [text for _, text, _ in SECRETS if not suspects(orjson.dumps(text))] == []


def test_what_is_clean_stays_as_it_is():
    clean, again = Redactor().clean, Redactor().clean
    cleaned = [clean(text) for _, text, _ in SECRETS]
    assert [text for text in cleaned if again(text) != text] == []


@pytest.mark.slow
def test_the_quick_look_changes_nothing():
    quick, careful = Redactor().clean, Careful().clean
    texts = [text for _, text, _ in SECRETS] + [text for _, text in LOOK_ALIKES]
    differ = [text for text in texts if quick(text) != careful(text)]
    assert [text for text in differ if "argon2id" not in text] == []  # one more name before it


PARTS = st.sampled_from((
    "4111111111111111", "900101-1234568", "eyJhbGciOi.eyJzdWIiOi.c2ln", "password", "token", "=",
    ":", " ", "\n", "\x01", "\\", '"', "'", ",", "?", "&", "://", "@", "user", "hunter2", "-", "--",
    "비밀번호", "한글", "Bearer ", "1", "ghp_abcDEF0123456789ghIJabcDEF0123456789ghIJ",
))  # fmt: skip


@pytest.mark.slow
@settings(max_examples=500)
@given(st.lists(PARTS, max_size=5).map("".join))
def test_numbers_and_tokens_pass_no_quick_look(text):
    kinds = {"card", "resident_number", "jwt", "github_token"}
    careful = [span for span in Careful().find(text) if span.kind in kinds]
    assert not careful or find(text)


def channels(text):
    """Log a text in each of the ways it may come."""
    logger = flowery_logging.get_logger()
    log.info(text)
    log.info("got %s", text)
    log.info({"note": text})
    log.info("got %r", {"note": [text]})
    log.info("x", extra={"a": text, "user.name": text, "b": [text], "c": {"d": [[text]]}})
    logger.info("x", a=text, b={"c": text})
    with flowery_logging.bound(a=text):
        logger.info("x")
    log.error("x", exc_info=ValueError(text))
    log.info("x", extra={"data_kwargs": repr({"body": text})})


@pytest.mark.slow
def test_no_secret_is_in_the_file_however_it_was_logged(logged):
    for _, text, _ in SECRETS:
        channels(text)
    events = logged.events()
    each = len(events) // len(SECRETS)
    assert len(events) == each * len(SECRETS)
    for index, (_, text, secret) in enumerate(SECRETS):
        for event in events[index * each : (index + 1) * each]:
            for place in ("message", "labels", "user", "error"):
                assert secret not in str(event.get(place, "")), text


@pytest.mark.slow
def test_no_look_alike_is_changed_however_it_was_logged(logged):
    texts = [text for _, text in LOOK_ALIKES if "redacted" not in text]
    for text in texts:
        channels(text)
    events = logged.events()
    each = len(events) // len(texts)
    for index, text in enumerate(texts):
        own = events[index * each : (index + 1) * each]
        assert own[0]["message"] == own[-2]["error"]["message"] == text
        assert "redacted" not in str(own), text


VALUE = "Vk3!xq7Zw9"


def names(logged, name):
    """Log a value under a name in each of the ways; return what stands in the file of it."""
    before = len(logged.lines())
    log.info("x", extra={name: VALUE, "more": {name: VALUE}, "items": [{name: VALUE}]})
    flowery_logging.get_logger().info("x", **{name: VALUE})
    with flowery_logging.bound(**{name: VALUE}):
        log.info("got %s", {name: VALUE})
    log.info({name: VALUE, "n": 1})
    log.info(f"{name}={VALUE} {name}: {VALUE}")
    log.info("?%s=%s&x=1", name, VALUE)
    log.error(json.dumps({"a": {name: VALUE}}), exc_info=ValueError({name: VALUE}))
    return b"\n".join(logged.lines()[before:]).decode()


@pytest.mark.slow
def test_the_value_of_a_secrets_name_is_hidden_however_it_was_logged(logged):
    secret = field_names.SECRET.split()
    assert [name for name in secret if VALUE in names(logged, name)] == []


@pytest.mark.slow
def test_the_value_of_another_name_is_shown_however_it_was_logged(logged):
    shown = field_names.SHOWN.split()
    assert [name for name in shown if "redacted" in names(logged, name)] == []
