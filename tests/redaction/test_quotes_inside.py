"""A value that has the quotes inside which it stands between, as templates and SQL leave it."""

import shlex

import pytest
from hypothesis import given, settings, strategies as st

from flowery_logging.redaction.redactor import Redactor

REDACTOR = Redactor()

TEMPLATES = [
    "login with password={q}{value}{q} failed",
    "{{'user': 'kim', {q}password{q}: {q}{value}{q}, 'a': 1}}",
    "User(name='kim', password={q}{value}{q})",
    "비밀번호: {q}{value}{q}입니다",
    "mysql --password={q}{value}{q} -h db",
    "mysql --password {q}{value}{q} -h db",
    "export DB_PASSWORD={q}{value}{q}",
    "ALTER USER kim IDENTIFIED BY {q}{value}{q}",
    "INSERT INTO users (name, password) VALUES ('kim', {q}{value}{q})",
    "({q}password{q}, {q}{value}{q})",
    "{{{q}name{q}: {q}password{q}, {q}value{q}: {q}{value}{q}}}",
    "<input name='password' value={q}{value}{q}>",
    "curl -u {q}kim:{value}{q} https://shop.example",
]
WORD = st.from_regex(r"[a-z]{2}[0-9]{2}[A-Za-z0-9!@#$%^*+-]{2,8}", fullmatch=True)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    template=st.sampled_from(TEMPLATES),
    words=st.lists(WORD, min_size=2, max_size=4),
    quote=st.sampled_from("'\""),
)
def test_nothing_of_it_is_shown(template, words, quote):
    text = template.format(q=quote, value=quote.join(words))
    cleaned = REDACTOR.clean(text)
    assert not [word for word in words if word in cleaned], text
    behind = template.rpartition("{q}")[2].replace("}}", "}")
    assert cleaned.endswith(behind)


@pytest.mark.slow
@given(template=st.sampled_from(TEMPLATES[:8]), words=st.lists(WORD, min_size=2, max_size=3))
def test_as_sql_doubles_them_and_as_shells_write_them(template, words):
    for value in ("''".join(words), shlex.quote("'".join(words))[1:-1], r"'\''".join(words)):
        cleaned = REDACTOR.clean(template.format(q="'", value=value))
        assert not [word for word in words if word in cleaned], value


@pytest.mark.parametrize("text", [
    "{'password': 'x1y2z3', 'user': 'kim'}",
    "password='x1y2z3' user='kim'",
    'password="x1y2z3"user="kim"',
    '{"password": "x1y2z3,"user": "kim"}',
    '{"password": "x1y2z3, "user": "kim"}',
    "password='x1y2z3', name 'kim' is not 'lee'",
    "password='', user='kim'",
])  # fmt: skip
def test_what_follows_a_value_stays(text):
    cleaned = REDACTOR.clean(text)
    assert "kim" in cleaned
    assert "user" in cleaned or "name" in cleaned
    assert "x1y2z3" not in cleaned


def test_with_a_blank():
    assert REDACTOR.clean("{'password': 'it's me', 'a': 1}") == "{'password': '[redacted]', 'a': 1}"


@pytest.mark.parametrize("text", ["<password>ab<cd9xyz</password>", "<password>ab>cd9</password>"])
def test_signs_of_tags_inside_an_element(text):
    assert REDACTOR.clean(text) == "<password>[redacted]</password>"


def test_an_element_with_others_inside_is_no_value():
    text = "<credentials><user>kim</user><password>hunter2</password></credentials>"
    assert "<user>kim</user><password>[redacted]</password>" in REDACTOR.clean(text)
