"""A password of any signs, as they are made by chance, in each place where one stands."""

import string

import pytest

from flowery_logging.redaction.redactor import Redactor

REDACTOR = Redactor()
BEHIND = "cd9xyzQ"

# By place: signs that end a value there, inside it and as its first one.
ENDS = {
    "login password={} failed": (" ", " &"),
    "login password: {}": (" ", " &"),
    "PASSWORD={}": (" ", " &"),
    "uid=sa;pwd={};server=x": (" &", " &/"),
    "https://h/a?password={}&b=1": (" ", " &"),
    "db:\n  password: {}\n  host: x": (" ", " &"),
    "비밀번호: {}": (" ", " "),
    "X-Api-Key: {}": (" ", " &"),
    "prog --password {} -h db": (" |;", " |;"),
    "prog --password '{}' -h db": ("", ""),
    "{{'user': 'kim', 'password': '{}', 'a': 1}}": ("", ""),
    '{{"password": "{}", "a": 1}}': ("", ""),
    "User(password='{}')": ("", ""),
    "('password', '{}')": ("", ""),
    "<password>{}</password>": ("", ""),
    "ALTER USER kim IDENTIFIED BY '{}'": ("", ""),
    "postgresql://kim:{}@db:5432/x": (" >", " >"),
    "SplitResult(scheme='https', netloc='kim:{}@h', path='')": (" \\", " \\/"),
}
QUOTES = "'\""
"""Signs that are looked at elsewhere: test_quotes_inside.py."""


@pytest.mark.parametrize("place", ENDS)
def test_it_is_hidden_as_a_whole(place):
    inside, first = ENDS[place]
    signs = [sign for sign in string.punctuation + " " if sign not in QUOTES]
    values = [f"Ab1{sign}{BEHIND}" for sign in signs if sign not in inside]
    values += [f"{sign}{BEHIND}" for sign in signs if sign not in first]
    assert [value for value in values if BEHIND in REDACTOR.clean(place.format(value))] == []


@pytest.mark.parametrize("text", [
    "password=it's9me failed", "token: it's9me", "login failed password=Tr0ub4dor&3",
    "password=Ab1(cd9xyzQ failed", "?password=Ab1(cd9&b=1",
])  # fmt: skip
def test_bare_values(text):
    assert not {"9me", "&3", "cd9"}.intersection(
        part for part in ("9me", "&3", "cd9") if part in REDACTOR.clean(text)
    )


@pytest.mark.parametrize("text", [
    "connect(password=get_password(user), host='db')",
    "    password=os.environ.get(",
    "secret=settings[",
    "UPDATE users SET password = :password_1_1 WHERE id = :id",
    "{'password': ':password'}",
    "?auth=None&debug",
    "password=None&x",
    "password: it's wrong",
    "token: that's all",
    "password: <none>, otp",
    "http://host:8080>kim@shop.example",
])  # fmt: skip
def test_what_is_none_stays(text):
    assert REDACTOR.clean(text) == text


@pytest.mark.parametrize(("text", "rest"), [
    ("'password=abc9' and more", "' and more"),
    ("password=abc9|{'channel': 'sms'}", "channel"),
    ("?password=abc9&user[name]=kim", "user[name]=kim"),
    ("?password=abc9&user=kim", "user=kim"),
    ("password=abc9&quot;, user", "user"),
    ("password=abc9 && restart", "&& restart"),
])  # fmt: skip
def test_what_follows_stays(text, rest):
    cleaned = REDACTOR.clean(text)
    assert rest in cleaned
    assert "abc9" not in cleaned
