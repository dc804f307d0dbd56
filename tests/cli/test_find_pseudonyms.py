"""`flowery-logging find` with a key: what a service has written as a pseudonym is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import flowery
from tests.cli.test_audit_elasticsearch import ok

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.files.conftest import Logs

KEY = "an invented key of enough characters"
OLD = "the key of last year (also invented)"
PROGRAM = """
with flowery_logging.bound(**{"trace.id": "4bf92f3577b34da6a3ce929d0e0e4736"}):
    log.info("ordered", extra={"phone": "010-1234-5678", "user.email": "Kim@Example.com"})
log.info("another", extra={"phone": "010-1234-5679"})
"""


def found(logs: Logs, value: str, variables: dict[str, str], code: int = 0) -> str:
    done = flowery("find", value, logs.directory, "--json", **variables)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("value", ["+82 10 1234 5678", "kim@example.com"])
def test_a_request_is_found_by_what_no_file_holds(
    logs: Logs, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", OLD)
    ok(logs.run(PROGRAM, setup="pseudonyms=('phone', 'user.email')"))
    assert not any(b"1234-5678" in path.read_bytes() for path in logs.files())
    new = {"FLOWERY_LOG_PSEUDONYM_KEY": KEY, "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": OLD}
    old = {"FLOWERY_LOG_PSEUDONYM_KEY": "", "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": OLD}
    for variables in ({"FLOWERY_LOG_PSEUDONYM_KEY": OLD}, new, old):
        assert "4bf92f3577b34da6a3ce929d0e0e4736" in found(logs, value, variables)
    found(logs, value, {"FLOWERY_LOG_PSEUDONYM_KEY": KEY}, code=1)
    found(logs, value, {"FLOWERY_LOG_PSEUDONYM_KEY": "short"}, code=2)
    found(logs, value, {**old, "FLOWERY_LOG_PSEUDONYM_OLD_KEYS": "short"}, code=2)
    monkeypatch.delenv("FLOWERY_LOG_PSEUDONYM_KEY")
    found(logs, value, {}, code=1)
    found(logs, value, {"FLOWERY_LOG_PSEUDONYM_KEY": ""}, code=1)
