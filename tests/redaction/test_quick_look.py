"""What the careful finders find, the quick look suspects: whatever the value looks like."""

import base64
import random

import pytest

from flowery_logging.redaction import find

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
