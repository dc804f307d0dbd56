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


@pytest.mark.parametrize("command", COMMANDS)
def test_passwords_of_commands(command):
    assert find(command.format("hunter22"))
