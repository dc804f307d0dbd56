"""No text makes a search take longer than its length, up to what is searched of one at most."""

import gc
import math
import time

import pytest

from flowery_logging.redaction import Redactor
from flowery_logging.redaction.ends import longest
from flowery_logging.redaction.forms import FORMS

UNITS = [
    "a", "password=", "password: ", "password:\n", "- token:\n", "token=x&", "?token=", "token:'",
    'token:\\"', "\\", "'", '"', "[", "{", "token=[", "'token','", "[['token','",
    '"name":"token",', '{"name":"token","value":', '"value":"x","name":"token"', "<token>", "<token ",
    '<a name="token" ', "://", "://a:b", "https://a:b@", "@", "--password ", "-p x ", "curl -u a:",
    "mysql -p", 'name="token"\n', "input_value=", "\ntoken\n  x ", "IDENTIFIED BY '",
    "(token) VALUES (", "(token) VALUES ('", "eyJ", "eyJaaaaa.", "-eyJ", "Bearer ", "Basic YTpi",
    "Digest a=", "api key ", "a b c ", "비밀번호는 ", "인증번호 ", "code is ", "%22token%22%3A",
    "token%3D", "%2525", "\\u", '"\\ubbbb', "token=<", "token=x<", "token=x;", "=", ":", "'a',",
    "－", "＝", "１", "4\u00a0", "4111 ", "4111", "900101-", "-", "[redacted", "token=[redacted] ",
    "Authorization: ", "Cookie: a=", ":thin:a/", "code=aaaaaaaaaa1&", "token=${", "sshpass -p ",
    "x=Decimal('", "token=A(", "%41", "%EB%B9%84", "\\u0041", "\\\\n", "token aaaaaaaaaaaaaa1", "password ",
    "\\xeb", "1\\xa0", "\x1b[1m", "\x1b[1", "mysql -p'a'", "&#45;", "\\\n-p ",
    "password for ", "여권", "passport ", "licence ", "뒷자리", "login code ", "1234 is your ", "otp ", "a.1-",
    "config set token ", "htpasswd -b a b ", "curl -b a=", "auth:\n  a: ", "${a:", "arn:", "?a=", "$(",
    "pass=a1", "a:b@", "a:b@c:5432/", "kim:", "@c:54", "a/b@c:1521/", "a/", "AUTH PLAIN ", "AUTH PLAIN AAA",
    "UGFzc3dvcmQ6 ", "&quot;", "&#39;token&#39;:", "&", "&amp;", "&amp;quot;", "secret key is ", "echo a ",
    "'field':'token','old':", "'old':'", "1//0", "access-sandbox-", "eyJaaaaa..", "v4.local.", "//a:b@c/",
    "sqlplus a/", "a.b@c", "AUTH XOAUTH2 ", "Duplicate entry '", "token']=> string(9) ", "비밀번호 → ", "your a b c code is ",
    "token)=(", '<input name="pw">x', "dXNlcj", "dXNlcjAWF1dGg9QmVhcmVy", "twine -p ", "hook.dooray.com/services/", "docker login -p ", "/api/webhooks/", "seed phrase: aaa ", "'code': '", "M1", "비밀번호 ",
    "| password |\n|---|---|\n", "---+---\n", "|", "password|\n--|", "| a ", "[parameters: (", "; args=('a',", "(token) VALUES (?) [parameters: ('",
    "token=? ", "BasicAuth('a', '", "Credentials", ".login('a','", "name: token\n value: ", "name: a\n", "ENV TOKEN ", "ENV ",
    '"AUTH" "a" "', "AUTH a ", "rejected value [", "on field 'token': rejected value [", "password: This field is ", "token: ['Is a b ",
    "token: [\"can't ", "비밀번호: 값은 ", "(password): ", "password(비밀번호", "password(가)=", "token: {'type':", "token: {a for b in ", "비밀번호 변경: a1 → ",
    "비밀번호 입력값: ", "보안카드 앞 12 ", "비밀번호 앞 두자리 ", "password a1b2c3 to ", "check_password('a1", "/reset/a1", "/invite/", 'token: "a" -> "', "{SSHA}", "token: {a}a",
    "user-token ", "rabbitmqctl add_user a ", "echo a | sudo -S ", "ssh-keygen -N ", "$6$a", "$6$rounds=1$", "비밀번호는 a1에서 ", "password for user ", "token:: ",
    "password='a'b", "password='a''", "password=''\\''a", "--token 'a'b c'", "'a'b c", "IDENTIFIED BY 'a'b", "<token>a<", "<token>a>",
    "(token) VALUES ('a'b,", "password=a(", "password=a&b", "password=a)b", "password: )a1", "password=a`b",
    "password=a'b", "://a:b<", "://a:b<@", "netloc='a:b@", "netloc=", "password=a(b&",
    "본인확인 900101-1234567 ", "LS0tLS1CRUdJTiBQUklWQVRF", "key=", "key=a&", "PWD=/", "비밀번호: 만료", "token: ~1.", "password: 1 ",
    "**token**: ", "**token:** ", "token*", "</b>", "<b>token</b>", "<b>token:</b> <b>", "<td>token</td><td>", "<td>token</td>", "<td>token", "<td><b>",
    "<td>token</td><td>a1", "<a name='token'><value>", "<a name='token'>", "token: !!str ", "token: &a ", "!!a ", "token: |\n\n", "token: Optional[", "token: str = '", "token (가): ",
    "\x00", "--token\x00", "-p\x00a1", "\u200b", "t\u200boken=", "ｔｏｋｅｎ：", "“token”: “", "\u1107\u1175", "%EF%BC%9D", "mysql -p'a ", "curl -u 'a:", "htpasswd -nb a ",
    "token" + " " * 60, "password is <b>", "**password** `", "비밀번호</b>", "<b><i><u>", "token:<br>", '""token"": ""',
]  # fmt: skip
TRIES = 5
MOST = 10
NOTHING = 0.002  # seconds
STEMS = [stem for form in FORMS for stem in form.stems]


def cpu_seconds(clean, text):
    """Return what a call takes, without the garbage of the tests that ran before it."""
    gc.disable()
    begun = time.thread_time()
    clean(text)
    seconds = time.thread_time() - begun
    gc.enable()
    return seconds


def is_linear(make, unit, length):
    """Four times the text takes about four times as long; sixteen times if it were quadratic.

    The best of several tries counts, as others use the machine too. What takes next to nothing may
    take any multiple of it.
    """
    text = (unit * (length // len(unit) + 1))[:length]
    # The longer one is cut where it begins again: what that makes of it may have to be searched.
    cut = text[length // 2 :] + text[: length // 2]
    make()(text[:1000])  # patterns are compiled at their first use
    short = long = math.inf
    for _ in range(TRIES):
        short = min(short, max(cpu_seconds(make(), one) for one in (text, cut)))
        long = min(long, cpu_seconds(make(), text * 4))
        if long < MOST * max(short, NOTHING):
            return True
    print(f"{short=} {long=}")
    return False


LONGEST = longest(32_000)
"""Characters of a text that is searched as a whole, with the line that is the default."""


def cleaner():
    return Redactor().clean


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("run", ["a", "1a-", "M1", "a1.", " "])
def test_a_long_run_around_the_sign_of_a_token_takes_no_longer_than_its_length(stem, run):
    def cleaner_of_run():
        clean = cleaner()
        return lambda text: clean(f"{stem}{text} {text}{stem}")

    assert is_linear(cleaner_of_run, run, 12_500)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [*UNITS, *STEMS])
def test_the_longest_text_that_is_searched_takes_no_longer_than_its_length(unit):
    assert is_linear(cleaner, unit, LONGEST // 4)


@pytest.mark.parametrize("unit", [*UNITS, *STEMS])
def test_some_kilobytes_take_no_longer_than_their_length(unit):
    assert is_linear(cleaner, unit, 4_000)


@pytest.mark.slow
@pytest.mark.parametrize("length", [4_000, LONGEST // 4])
def test_a_search_that_takes_the_square_of_a_length_is_noticed(length):
    """A busy machine may hide it once, and not each time."""
    steps = 500

    def clean(text):
        for _ in range(steps * len(text) // length):
            for _ in range(steps * len(text) // length):
                pass

    assert not all(is_linear(lambda: clean, "a", length) for _ in range(5))
