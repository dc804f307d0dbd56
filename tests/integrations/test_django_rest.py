"""What Django REST framework has refused: which fields, and why; and never what stood in them."""

import asyncio

import httpx
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from tests.integrations import django_site

SECRET = "sk-hunter2-9f8e7d"


@pytest.fixture(params=["wsgi", "asgi"])
def post(request, logged):
    """Post JSON to the site, under WSGI or ASGI."""
    django_site.configure(LOGGING_CONFIG=None)
    from django.test import override_settings

    with override_settings(INSTALLED_APPS=["rest_framework"]):
        from tests.integrations.rest_site import SETTINGS

    def through_wsgi(path, data):
        transport = httpx.WSGITransport(WSGIHandler())
        with httpx.Client(transport=transport, base_url="http://site.test") as client:
            return client.post(path, json=data)

    def through_asgi(path, data):
        async def main():
            transport = httpx.ASGITransport(ASGIHandler())
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.post(path, json=data)

        return asyncio.run(main())

    with override_settings(**SETTINGS):
        yield through_wsgi if request.param == "wsgi" else through_asgi


def told(logged):
    """What the access event says; and that nothing of the input is on any line."""
    assert SECRET.encode() not in b"".join(logged.lines())
    events = [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]
    found = events[-1].get("labels", {}).get("invalid_fields", [])
    number = events[-1].get("numeric_labels", {}).get("validation_errors", 0)
    assert number >= len(found)
    assert bool(number) == bool(found)
    return found


INPUTS = [
    ({}, ["number (required)"]),
    ({"number": SECRET}, ["number (invalid)"]),
    ({"number": 7, "password": SECRET}, ["password (max_length)"]),
    ({"number": 7, "items": [{"price": 1}, {"price": -1}, {}]},
     ["items.*.price (min_value)", "items.*.price (required)"]),
    ({"number": 7, "sizes": [1, SECRET]}, ["sizes.* (invalid)"]),
    ({"number": 7, "tags": {SECRET: SECRET}}, ["tags.* (invalid)"]),
    ({"number": 13}, ["non_field_errors (unlucky)"]),
    ({"number": 14, "password": "abc"}, ["* (invalid)", "number (invalid)"]),
    ([SECRET], ["non_field_errors (invalid)"]),
]  # fmt: skip


@pytest.mark.parametrize("view", ["raises", "answers", "wraps"])
@pytest.mark.parametrize(("data", "expected"), INPUTS)
def test_the_access_event_says_which_fields_and_why(post, logged, view, data, expected):
    assert post(f"/{view}/", data).status_code == (422 if view == "wraps" else 400)
    assert told(logged) == expected


def test_errors_of_a_list(post, logged):
    post("/many/", [{"number": 7}, {"number": SECRET}, {}])
    assert told(logged) == ["*.number (invalid)", "*.number (required)"]


def test_names_that_no_serializer_declares_are_hidden(post, logged):
    post("/by-hand/", {SECRET: 1})
    assert told(logged) == ["* (odd)"]


@pytest.mark.parametrize("path", ["/raises/", "/answers/", "/recovers/", "/moves/"])
def test_what_is_no_refusal_tells_nothing(post, logged, path):
    data = {"number": 7} if path in {"/raises/", "/answers/"} else {}
    assert post(path, data).status_code in {200, 202}
    assert told(logged) == []


def test_malformed_input_is_no_field(post, logged):
    assert post("/raises/", SECRET).status_code == 400
    assert told(logged) in (["non_field_errors (invalid)"], [])


def test_a_handler_of_the_projects_own_answers_as_it_likes(post, logged):
    from django.test import override_settings

    from tests.integrations.rest_site import SETTINGS

    handler = {"EXCEPTION_HANDLER": "tests.integrations.rest_site.flattening"}
    with override_settings(REST_FRAMEWORK={**SETTINGS["REST_FRAMEWORK"], **handler}):
        response = post("/raises/", {"number": SECRET})
    assert (response.status_code, response.json()) == (400, {"errors": "number"})
    assert told(logged) == ["number (invalid)"]
