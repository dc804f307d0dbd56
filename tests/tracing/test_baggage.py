"""W3C baggage: what passes through, what is bound, over HTTP, queues and processes of Celery."""

import asyncio
import string

import httpx
import pytest
from celery import Celery
from fastapi import FastAPI
from hypothesis import given, strategies as st

import flowery_logging
from flowery_logging import continue_trace, outgoing_headers
from flowery_logging.integrations import celery, fastapi
from flowery_logging.integrations.httpx import instrument
from flowery_logging.tracing import baggage

TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=20)


def passed(*headers):
    with continue_trace([("baggage", header) for header in headers]):
        return outgoing_headers().get("baggage")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["tenant=acme"], "tenant=acme"),
        (["tenant = acme ,\tregion=kr "], "tenant = acme,region=kr"),
        (["a=1", "b=2,c=3"], "a=1,b=2,c=3"),
        (["a=1;ttl=30;private , b=2"], "a=1;ttl=30;private,b=2"),
        (["a="], "a="),
        (["a=b=c"], "a=b=c"),
        (["a=%EA%BD%83"], "a=%EA%BD%83"),
        (["a=1,,b=2,"], "a=1,b=2"),
        # Malformed members are dropped alone.
        (["a=1,b c=2,c=3"], "a=1,c=3"),
        (["a=1,=2,c=3"], "a=1,c=3"),
        (["a,b=2"], "b=2"),
        (['a="quoted",b=2'], "b=2"),
        (["a=two words,b=2"], "b=2"),
        (["a=back\\slash,b=2"], "b=2"),
        (["a=꽃,b=2"], "b=2"),
        (["a=1;,b=2"], "b=2"),
        (["a=1;=x,b=2"], "b=2"),
        (["a=1\n,b=2\r\nx=3"], None),
        ([""], None),
        (["nonsense"], None),
    ],
)
def test_well_formed_members_pass_and_no_others(headers, expected):
    assert passed(*headers) == expected


def test_none_of_it_without_a_header_and_outside_of_a_request():
    assert "baggage" not in outgoing_headers()
    with continue_trace({}):
        assert "baggage" not in outgoing_headers()


def test_at_most_64_members_pass():
    found = passed(",".join(f"k{number}=v" for number in range(100)))
    assert found == ",".join(f"k{number}=v" for number in range(64))


def test_at_most_8192_bytes_pass_in_whole_members():
    found = passed(",".join(f"k{number}={'v' * 996}" for number in range(10, 30)))
    assert len(found) <= 8192
    assert found == ",".join(f"k{number}={'v' * 996}" for number in range(10, 18))
    assert passed("a=1," + "b=" + "v" * 8191 + ",c=2") == "a=1"
    assert len(passed("a=" + "v" * 8190)) == 8192
    assert passed("a=" + "v" * 8191) is None


@pytest.mark.slow
@given(st.dictionaries(TOKENS, st.text(max_size=20), max_size=20))
def test_what_was_encoded_is_bound_as_it_was(values):
    from urllib.parse import quote

    header = ",".join(f"{key}={quote(value, safe='')}" for key, value in values.items())
    baggage.allow(values)
    try:
        assert baggage.bound_of(baggage.passed_on([header])) == values
    finally:
        baggage.allow(())


@pytest.mark.slow
@given(st.lists(st.text(max_size=100), max_size=5))
def test_nothing_that_comes_raises_and_what_passes_passes_again(headers):
    once = baggage.passed_on(headers)
    assert baggage.passed_on([once]) == once
    assert len(once) <= 8192
    assert once.isascii()


def test_only_what_is_allowed_is_bound(logged):
    logged.setup(baggage=["tenant", "user.id"])
    header = "tenant=acme%20%EA%BD%83,secret=x,user.id=7,Tenant=other,trace.id=bad"
    with continue_trace({"baggage": header}):
        flowery_logging.get_logger("shop").info("order placed")
    event = logged.event()
    assert event["labels"] == {"tenant": "acme 꽃"}
    assert event["user"] == {"id": "7"}
    assert len(event["trace"]["id"]) == 32


def test_the_last_of_equal_keys_is_bound_and_what_is_no_utf8_is_replaced(logged):
    logged.setup(baggage="tenant,broken")
    with continue_trace({"baggage": "tenant=one,broken=a%ff%zz,tenant=two"}):
        flowery_logging.get_logger("shop").info("order placed")
    assert logged.event()["labels"] == {"tenant": "two", "broken": "a\ufffd%zz"}


def test_what_is_bound_in_code_stands_above_and_nothing_above_the_trace(logged):
    logged.setup(baggage=["tenant", "trace.id"])
    with continue_trace({"baggage": "tenant=acme,trace.id=00"}):
        flowery_logging.bind(tenant="mine")
        flowery_logging.get_logger("shop").info("order placed")
    assert logged.event()["labels"] == {"tenant": "mine"}
    assert logged.event()["trace"]["id"] != "00"


def test_it_can_be_allowed_by_the_environment_and_is_forgotten_at_shutdown(logged, monkeypatch):
    monkeypatch.setenv("FLOWERY_LOG_BAGGAGE", "tenant, region")
    logged.setup()
    with continue_trace({"baggage": "region=kr"}):
        flowery_logging.get_logger("shop").info("order placed")
    assert logged.event()["labels"] == {"region": "kr"}
    flowery_logging.shutdown()
    assert baggage.bound_of("region=kr") == {}


@pytest.mark.parametrize("wrong", ["ten ant", "a=b", "a;b", '"x"'])
def test_what_is_no_key_is_refused(wrong):
    with pytest.raises(flowery_logging.ConfigError, match=r"baggage.*setup\(\)"):
        flowery_logging.setup(baggage=[wrong])


def test_over_http_it_reaches_the_lines_and_the_next_service(logged):
    logged.setup(baggage=["tenant"])
    seen = []
    app = FastAPI()

    @app.get("/")
    async def view():
        def answer(request):
            seen.append(request.headers.get_list("baggage"))
            return httpx.Response(200)

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            instrument(client)
            await client.get("http://next/")
            await client.get("http://next/", headers={"baggage": "mine=1"})

    fastapi.instrument(app)

    async def main():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://it") as client:
            headers = [("baggage", "tenant=acme"), ("baggage", "other=1;private")]
            await client.get("/", headers=headers)

    asyncio.run(main())
    assert seen == [["tenant=acme,other=1;private"], ["mine=1"]]
    (access,) = [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]
    assert access["labels"]["tenant"] == "acme"
    assert "other" not in access["labels"]


def test_it_goes_on_into_tasks(logged):
    logged.setup(baggage=["tenant"])
    celery.instrument()
    app = Celery("eager")
    app.conf.task_always_eager = True
    seen = []

    @app.task
    def work():
        seen.append(outgoing_headers()["baggage"])

    try:
        with continue_trace({"baggage": "tenant=acme,other=1"}):
            work.delay()
    finally:
        celery.uninstrument()
    assert seen == ["tenant=acme,other=1"]
    tasks = [e for e in logged.events() if e["log"]["logger"].startswith("flowery_logging.task")]
    assert [e["labels"]["tenant"] for e in tasks] == ["acme", "acme"]
