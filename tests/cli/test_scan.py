"""`flowery-logging scan`: what slipped through is found where it stands, and never shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import flowery
from tests.cli.test_audit_elasticsearch import ok

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.fake_elasticsearch import FakeElasticsearch
    from tests.files.conftest import Logs

CARD = "4111-1111-1111-" + "1111"
TOKEN = "ghp_" + "abcDEF0123456789ghIJabcDEF0123456789"
RANDOM = "q9Zx7Lm2" + "Tt4Kp8Wv6Rb3Yc5N"
SLIPPED = """
    for _ in range(3): log.info("paid by SLOT1")
    log.error("called SLOT2", extra={"note": "SLOT1", "seed": "SLOT3"})
    try: raise ValueError("SLOT1")
    except ValueError: log.exception("failed")
    flowery_logging.get_logger("shop").info("login", user={"secret_word": "hush-hush"}, pins=["hush-hush"], pin=4711)
    log.info("all is well", extra={"order_no": "A-1", "token_count": 7})
"""


def scanned(*arguments: str | Path, code: int = 1, **variables: str) -> dict[str, Any]:
    done = flowery("scan", "--json", *arguments, **variables)
    assert done.returncode == code, done.stdout + done.stderr
    assert not any(value in done.stdout for value in (CARD, TOKEN, RANDOM, "hush-hush", "4711"))
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["exit_code"] == code
    return result


@pytest.fixture
def slipped(logs: Logs) -> Logs:
    """Files of a service that shows some names, with secrets put in where none are hidden."""
    ok(logs.run(SLIPPED, setup="redact_safe=('secret_word', 'pin', 'pins')"))
    for path in logs.files():
        content = path.read_bytes()
        for slot, value in (("SLOT1", CARD), ("SLOT2", TOKEN), ("SLOT3", RANDOM)):
            content = content.replace(slot.encode(), value.encode())
        path.write_bytes(content)
    return logs


def by_field(result: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(place["field"], place["kind"]): place["count"] for place in result["places"]}


def test_secrets_are_counted_by_field_and_call_site(slipped: Logs) -> None:
    result = scanned(slipped.directory)
    found = by_field(result)
    assert found["message", "card"] == 3
    assert found["message", "github_token"] == 1
    assert found["labels.note", "card"] == 1
    assert found["error.message", "card"] == 1
    assert found["error.stack_trace", "card"] >= 1
    assert found["labels.user_secret_word", "by_name"] == 1
    assert found["numeric_labels.pin", "by_name"] == 1
    assert not any("order_no" in field or "token_count" in field for field, _ in found)
    assert result["found"] == sum(found.values()) == sum(result["kinds"].values())
    (message, *_) = result["places"]
    assert (message["field"], message["service"]) == ("message", "svc")
    assert message["file"]
    assert message["line"] > 0
    shop = next(place for place in result["places"] if "secret_word" in place["field"])
    assert shop["logger"] == "shop"


def test_a_table_shows_the_same_and_no_value(slipped: Logs) -> None:
    done = flowery("scan", slipped.directory)
    assert done.returncode == 1
    assert "github_token" in done.stdout
    assert "labels.user_secret_word" in done.stdout.replace("\n", "")
    assert not any(value in done.stdout for value in (CARD, TOKEN, RANDOM, "hush-hush", "4711"))


@pytest.mark.slow
def test_strict_finds_what_only_looks_random(slipped: Logs) -> None:
    assert ("labels.seed", "high_entropy") not in by_field(scanned(slipped.directory))
    found = by_field(scanned(slipped.directory, "--strict"))
    assert found["labels.seed", "high_entropy"] == 1
    assert [field for field, kind in found if kind == "high_entropy"] == ["labels.seed"]


@pytest.mark.slow
def test_names_that_are_shown_on_purpose_are_left_out(slipped: Logs) -> None:
    safe = ("--redact-safe", "secret_word,user_secret_word,pin,pins")
    found = by_field(scanned(slipped.directory, *safe))
    assert not any(kind == "by_name" for _, kind in found)
    result = scanned(slipped.directory, *safe, FLOWERY_LOG_REDACT="order-no")
    assert ("labels.order_no", "by_name") in by_field(result)


@pytest.mark.slow
def test_what_a_service_writes_holds_nothing(logs: Logs) -> None:
    """Whatever is hidden leaves a marker, which is no finding; nor are IDs and digests random."""
    program = f"""
import hashlib, uuid
for text in ("paid by {CARD}", "Bearer {TOKEN}", "password={RANDOM}", "call 010-1234-5678"):
    log.info(text, extra={{"note": text, "password": text, "pin": 4711, "list": [{{"token": text}}]}})
    try: raise ValueError(text)
    except ValueError: log.exception(text)
    log.info("x", extra={{"id": str(uuid.uuid4()), "phone": "010-1234-5678", "name": "kim"}})
    log.info("x", extra={{"user.email": "kim@example.com", "url.query": "password=x&phone=010-1234-5678"}})
"""  # fmt: skip
    kinds = ("phone", "email", "account", "address", "name")
    ok(logs.run(program, setup=f"redact_personal={kinds}"))
    result = scanned(logs.directory, "--strict", "--personal", "all", code=0)
    assert result["events"] > 16
    assert result["places"] == []
    done = flowery("scan", logs.directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("nothing was found.\n")


@pytest.mark.slow
def test_personal_data_is_found_where_it_is_asked_for(logs: Logs) -> None:
    program = """
log.info("call 010-1234-5678", extra={"customer_name": "Kim", "user": {"email": "kim@example.com"}})
log.info("x", extra={"client.address": "10.0.0.1", "shipping_address": "Seoul", "kim@example.com": 1})
"""
    ok(logs.run(program))
    scanned(logs.directory, code=0)
    found = by_field(scanned(logs.directory, "--personal", "all"))
    assert set(found) >= {
        ("message", "phone"),
        ("labels.customer_name", "name"),
        ("user.email", "email"),
        ("labels.shipping_address", "address"),
    }
    assert not any("client" in field or "kim" in field for field, _ in found)
    assert set(by_field(scanned(logs.directory, FLOWERY_LOG_REDACT_PERSONAL="phone"))) == {
        ("message", "phone")
    }
    assert flowery("scan", logs.directory, "--personal", "age").returncode == 2


@pytest.mark.slow
def test_lines_that_are_no_events_are_read_too(logs: Logs) -> None:
    ok(logs.run("log.info('one')"))
    (path,) = logs.files()
    with path.open("ab") as file:
        file.write(f"Traceback: {TOKEN}\n".encode())
        file.write(b'{"password": "hush-hush", "msg": "x"}\n\xff\xfe\n{"@timestamp":"20')
    result = scanned(logs.directory)
    assert result["foreign_lines"] == 4
    assert by_field(result) == {("(not an event)", "github_token"): 1, ("password", "by_name"): 1}


@pytest.mark.slow
def test_events_of_a_service_and_a_time_alone(slipped: Logs) -> None:
    assert scanned(slipped.directory, "--service", "other", code=0)["events"] == 0
    assert scanned(slipped.directory, "--until", "2020-01-01", code=0)["events"] == 0
    assert scanned(slipped.directory, "--service", "svc", "--since", "1d")["found"]


@pytest.mark.slow
def test_a_directory_without_files_is_an_error(tmp_path: Path) -> None:
    assert flowery("scan", tmp_path).returncode == 2
    assert flowery("scan", tmp_path / "absent").returncode == 2


@pytest.mark.slow
def test_events_of_elasticsearch(slipped: Logs, elasticsearch: FakeElasticsearch) -> None:
    for record in slipped.records():
        level = record.pop("log.level")
        record["log"] = {**record.get("log", {}), "level": level}
        elasticsearch.sources.append(record)
    found = scanned("--elasticsearch", elasticsearch.url, "--api-key", "the-key")
    files = scanned(slipped.directory)
    assert found["places"] == files["places"]
    assert found["events"] == len(elasticsearch.sources)
    assert {key for _, key in elasticsearch.requests} == {"ApiKey the-key"}
    elasticsearch.status = 403
    refused = flowery("scan", "--elasticsearch", elasticsearch.url)
    assert refused.returncode == 4
    assert "not today" in refused.stderr
