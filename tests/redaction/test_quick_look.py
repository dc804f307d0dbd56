"""What the careful finders find, the quick look suspects: whatever the value looks like."""

import base64
import json
import logging
import random
import re

import pytest
from hypothesis import given, settings, strategies as st

from flowery_logging.redaction import Redactor, find
from tests.redaction.calls import calls_in_python
from tests.redaction.test_corpus import LOOK_ALIKES, SECRETS
from tests.redaction.test_stems import HARMLESS

SCHEMES = ["Bearer", "ApiKey", "Token", "NTLM", "Negotiate", "SSWS", "SharedAccessSignature"]
COMMANDS = [
    "7z a -p{} out.7z x", "zip -P {} out.zip x", "curl -u kim:{} http://shop", "sshpass -p {} ssh x",
    "mysql -p{} shop", "redis-cli -a {}", "docker login -u kim -p {}", "openssl rsa -passin pass:{}",
]  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [16, 24, 32])
def test_credentials_of_base64_behind_each_scheme(scheme, size):
    numbers = random.Random(size)
    for _ in range(300):
        value = base64.b64encode(numbers.randbytes(size)).decode()
        if scheme == "Token" and not any(map(str.isdigit, value)):
            continue  # a word of that length may be one
        text = f"{scheme} {value}"
        shown = "".join(text[s.start : s.end] for s in find(text))
        assert value.rstrip("=")[:8] in shown, text


@pytest.mark.parametrize(
    "head", ["FwoGZXIvYXdz", "IQoJb3JpZ2lu", "ABSK", "whsec_", "fm2_", "essu_"]
)
def test_tokens_of_base64_whatever_signs_they_have(head):
    numbers = random.Random(head)
    for _ in range(300):
        token = head + base64.b64encode(numbers.randbytes(96)).decode()
        assert find(f"sent {token} again"), token


@pytest.mark.parametrize("head", ["ya29.", "hvs."])
def test_tokens_whose_part_behind_the_dot_is_like_a_name_of_a_class(head):
    assert find(f"sent {head}AbcDefghijklmnopqrstuVwx again")


@pytest.mark.parametrize("word", ["reset", "verify", "confirm", "activate", "invite"])
def test_tokens_in_links(word):
    numbers = random.Random(word)
    for _ in range(300):
        token = base64.urlsafe_b64encode(numbers.randbytes(24)).decode()
        if any(map(str.isdigit, token)):
            assert find(f"GET /{word}/{token} 200"), token


@pytest.mark.parametrize("command", COMMANDS)
def test_passwords_of_commands(command):
    assert find(command.format("hunter22"))


@pytest.mark.parametrize(
    "text",
    [
        "secret/author=kim token=hunter22",
        "token=hunter22 password_changed_at|page=7",
        "cookie x/y=1 and --token hunter22",
    ],
)
def test_what_stands_beside_a_secret_is_judged_as_it_is_alone(text):
    assert [text[span.start : span.end] for span in find(text)] == ["hunter22"]


@pytest.mark.parametrize("value", ["b'hunter22'", 'r"hunter22"', "hunter22;x=1"])
def test_a_value_is_hidden_and_what_is_around_it_stays(value):
    text = f"Login(kim, password={value})"
    assert [text[span.start : span.end] for span in find(text)] == ["hunter22"]


@pytest.mark.parametrize("query", ["{}", "a=b&{}", "{}&a=b"])
def test_a_token_that_is_the_name_of_a_parameter(logged, query):
    token = "ghp_" + "abcDEF0123456789ghIJ" * 2
    extra = {"url.query": query.format(token), "query": query.format(token)}
    for _ in range(8):  # also by the plan that is made then
        logging.getLogger("shop").info("x", extra=extra)
    assert [line for line in logged.lines() if token.encode() in line] == []


def with_other_digits(text, numbers):
    """Give a text other digits: a card's number is none then, mostly."""
    return re.sub("[0-9]", lambda _: str(numbers.randrange(10)), text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "around", ["%s", 'got "%s", 7', "a\n%s\nthen 42", "주문 1: %s", "%s" + " step 12" * 80]
)
def test_what_is_learnt_of_other_digits_lets_no_secret_pass(around):
    numbers = random.Random(around)
    for _, text, _ in SECRETS + [(kind, text, "") for kind, text in LOOK_ALIKES]:
        whole = around % text
        learnt = Redactor()
        for _ in range(3):
            learnt.clean(with_other_digits(whole, numbers))
        learnt.clean(re.sub("[0-9]", "0", whole))
        assert learnt.clean(whole) == Redactor().clean(whole), whole


PARTS = st.sampled_from((
    "4111111111111111", "9001011234568", "1", "20", "3056", "-", ".", " ", "+", "\n", '"', "\\", "%",
    "&", ";", "#", "x", "a1", "한", "\uff11", "\u00a0", "\u2013", "=", ":", "password", "/", "@", "?",
    "ya29.a0AfH6SMB", "AKIAABCDEFGHIJ234567", "1//0eABCDEFGHIJKLMNOPQ", "xoxb-123456789012-abcdef",
    "us12", "us7", "4/0AABCDEFGHIJKLMNO", "fm2_", "%41", "&#49;", "\\x31", "token", "kim", ",",
))  # fmt: skip


@pytest.mark.slow
@settings(max_examples=2000)
@given(st.lists(PARTS, max_size=8).map("".join), st.integers(0, 99))
def test_what_is_learnt_of_a_shape_holds_for_all_digits(text, seed):
    numbers = random.Random(seed)
    learnt = Redactor()
    for _ in range(3):
        learnt.clean(with_other_digits(text, numbers))
    assert learnt.clean(text) == Redactor().clean(text)


@pytest.mark.parametrize("name", ["card_cvv2", "cardCvc2", "user_cvv2", "pop3pass", "pop3_pw"])
@pytest.mark.parametrize(
    "text", ["{}=h77", "x {}: h77", "<{0}>h77</{0}>", "run --{} h77 x", '{{"{}": "h77"}}']
)
def test_a_digit_in_the_name_of_a_secret(name, text):
    text = text.format(name)
    assert [text[span.start : span.end] for span in find(text)] == ["h77"]


@pytest.mark.parametrize("text", [
    # Where a line begins, or behind a tab.
    "prog\n--api-key RmUHtxoCSLow\n--verbose", "run\n-storepass RmUHtxoCSLow", "x\t--token RmUHtxoCSLow",
    "callback:\ncode=RmUHtxoCSLow1a\nstate=1", "x:\tcode=RmUHtxoCSLow1a",
    "send:\nkey=RmUHtxoCSLow0123456789abcdef&user=kim",
    # On the next line of a command.
    "curl https://h \\\n  -u kim:RmUHtxoCSLow", "prog --password \\\r\n  RmUHtxoCSLow -x",
    # As HTML writes a query.
    "/cb?state=1&amp;code=RmUHtxoCSLow1a", "/x?a=1&amp;key=RmUHtxoCSLow0123456789abcdef",
    # In small letters, and in an abbreviation.
    "user_pwd RmUHtxoCSLow1a", "DB PWD → RmUHtxoCSLow1a", "pwd RmUHtxoCSLow1a",
    "pin번호 RmUHtxoCSLow1a 오류", "otp번호는 RmUHtxoCSLow1a",
])  # fmt: skip
@pytest.mark.parametrize("inside", ["%s", "body %s"], ids=["plain", "JSON"])
def test_names_whatever_stands_before_them(text, inside):
    whole = inside % (text if inside == "%s" else json.dumps({"note": text}, ensure_ascii=False))
    assert "RmUHtxoCSLow" not in Redactor().clean(whole)
    assert "RmUHtxoCSLow" not in Redactor().clean(f"{HARMLESS}\n{whole}")


@pytest.mark.parametrize(
    "between", ["\u00a0-\u00a0", " \u2013 ", "\u2013", " \u2212", "\u00a0\u2011 "]
)
def test_a_foreign_dash_between_blanks(between):
    assert Redactor().clean(f"kim 900101{between}1234567") == "kim [redacted:resident_number]"


@pytest.mark.parametrize("between", ["\u00a0-", " \u2013", "\u2013 ", "\u00ad", "\u2002\u2002"])
def test_cards_with_foreign_signs_between_their_digits(between):
    number = between.join(["4111", "1111", "1111", "1111"])
    assert Redactor().clean(f"paid {number}") == "paid [redacted:card]"


@pytest.mark.parametrize("text", [
    '{"비밀번호": "RmUHtxoCSLow1a"}', "비밀번호: RmUHtxoCSLow1a", "토큰=RmUHtxoCSLow1a&a=1",
    "인증번호는 RmUHtxoCSLow1a입니다", "password\u00a0= RmUHtxoCSLow1a", "password＝RmUHtxoCSLow1a",
])  # fmt: skip
@pytest.mark.parametrize("write", [
    lambda text: f"body {text.encode()!r}",
    lambda text: f"body {[text.encode()]!r}, status 400",
    lambda text: json.dumps({"body": repr(text.encode())}),
    lambda text: repr(repr(text.encode())),
    lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
], ids=["bytes", "a list", "bytes in JSON", "bytes in a repr", "HTML"])  # fmt: skip
def test_names_in_escapes_of_bytes_and_of_characters(text, write):
    assert "RmUHtxoCSLow" not in Redactor().clean(write(text))
    assert "RmUHtxoCSLow" not in Redactor().clean(f"{HARMLESS}\n{write(text)}")


@pytest.mark.parametrize("between", [r"\xa0", r"\xad", "&nbsp;", "&#45;", "&#x2013;", "&#160;", r"\xe2\x80\x93",
                                     r"\\xa0"])  # fmt: skip
def test_cards_with_escapes_between_their_digits(between):
    number = between.join(["4111", "1111", "1111", "1111"])
    assert Redactor().clean(f"paid {number}") == "paid [redacted:card]"


@pytest.mark.parametrize("text", [
    r"b'\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00'", r"C:\xampp\xa1\xeb\php.ini=1", "&#45; &nbsp; &#x;",
    "&#9999999999; &#xffffff; &#0;", repr("비밀번호 변경됨".encode()), r"\xeb\xb9 = \xff",
])  # fmt: skip
def test_other_escapes_stay(text):
    assert Redactor().clean(text) == text
    assert not find(text)


@pytest.mark.parametrize("text", [
    "\x1b[36mpassword\x1b[0m=\x1b[35mRmUHtxoCSLow1a\x1b[0m user=kim", "'token'\x1b[39;49;00m: \x1b[33m'RmUHtxoCSLow1a'",
    "\x1b[1;32mtoken\x1b[m : RmUHtxoCSLow1a", "\x1b[31m비밀번호\x1b[0m: RmUHtxoCSLow1a",
    "\x1b[36mcard\x1b[0m=\x1b[35m4111111111111111\x1b[0m", "paid \x1b[1m4111 1111 1111 1111",
    "\x1b[33m900101-1234567\x1b[0m",
])  # fmt: skip
@pytest.mark.parametrize("write", [
    str, repr, json.dumps, lambda text: json.dumps({"out": json.dumps(text)}),
    lambda text: f"{HARMLESS}\n{text}",
], ids=["plain", "repr", "JSON", "JSON in JSON", "long"])  # fmt: skip
def test_secrets_between_codes_of_colours(text, write):
    shown = Redactor().clean(write(text))
    assert not [one for one in ("RmUHtxoCSLow", "4111", "1234567") if one in shown]


@pytest.mark.parametrize(
    "text", ["the token is RmUHtxoCSLow1a", "otp 482913", "the secret key is RmUHtxoCSLow1a"]
)
def test_a_letter_that_is_longer_in_small_moves_nothing(text):
    """Of all letters İ alone has two there."""
    shown = Redactor().clean(f"{'İstanbul ' * 300}{text}")
    assert not [one for one in ("RmUHtxoCSLow", "482913") if one in shown]


SAID = [
    "your password for user kim is now set to hunter22", "requirepass hunter22", "pwd hunter22",
    "the api key is hunter22x", "password → <b>hunter22</b>", "verification code 482913",
    f"the password of {'k' * 60} is hunter22", f"the passphrase is {'x' * 32}7", "4829 is your code",
    f"password is{' ' * 32}hunter22", "passport M12345678", "otp is 4829", 'password -> "hunter22"',
    "password is 1xyz", "password is x1yz", "password is xy1z", "password is xyz1",
    "your verification code is 123-456", "licence 11-22-123456-78", "password is 19900101",
    "check_password('1990-01-01'",
]  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_what_is_said_is_found_wherever_words_with_digits_stand_before_it(said):
    assert find(said)
    for gap in range(600):
        assert find(f"in 2026 {'x ' * (gap // 2)}{'x' * (gap % 2)} {said}"), gap


def test_a_text_that_speaks_of_passwords_is_left_where_no_value_is_in_it():
    mail = (
        "On 2026-11-27 at 10:02 somebody at 10.0.2.15 asked for another password, with 3.11.7. The link is valid for 30 minutes"
        " and holds a token; it asks for the old password and for the new one. "
    )
    assert not Redactor().suspects(mail * 10)
    assert Redactor().suspects(mail * 10 + "Your password is hunter22.")


@pytest.mark.parametrize("sign", ["\x01", "\x08", "\x1b", "\x7f", "\x85"])
def test_signs_of_control_are_not_read_one_by_one(sign):
    text = f"ab{sign}c" * 1000
    assert Redactor().suspects(text) == 0  # all patterns are compiled by now
    suspects = Redactor().suspects
    assert calls_in_python(suspects, text) < 100
