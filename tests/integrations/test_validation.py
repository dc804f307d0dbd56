"""What of a request's input was refused: which fields, and why; and never what stood in them."""

import asyncio
import json
from typing import Annotated, Literal

import httpx
import pytest
from fastapi import (
    APIRouter,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    Query,
    Request,
    WebSocket,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from flask import Flask, request as flask_request
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from flowery_logging.integrations import fastapi, validation, wsgi

SECRET = "sk-hunter2-9f8e7d"


class Item(BaseModel):
    price: float = Field(alias="unitPrice", gt=0)
    tags: dict[str, int] = {}


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    bones: int


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Item]
    password: str = Field("", max_length=3)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    inner: "Order | None" = None
    code: str = Field("", validation_alias=AliasChoices("code", "kode"))

    @field_validator("code")
    @classmethod
    def _checked(cls, value: str) -> str:
        if value:
            raise ValueError(f"the code {value} is wrong")
        return value


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = 10


class Contact(BaseModel):
    mail: int


def token(x_token: Annotated[int, Header()]) -> int:
    return x_token


def tenant(x_tenant: Annotated[int, Header()]) -> int:
    return x_tenant


def application() -> FastAPI:
    app = FastAPI()

    @app.post("/orders/{number}")
    async def orders(number: int, order: Order, page: int = 1) -> None:
        pass

    @app.post("/several")
    def several(order: Order, contact: Contact, colour: Annotated[Literal["red"], Body()]) -> None:
        pass

    @app.post("/pets")
    async def pets(pet: Annotated[Cat | Dog, Body(discriminator="kind")]) -> None:
        pass

    @app.get("/filtered")
    async def filtered(filters: Annotated[Filters, Query()]) -> None:
        pass

    @app.get("/headers", dependencies=[Depends(token)])
    async def headers(flavour: Annotated[int, Cookie()]) -> None:
        pass

    @app.get("/caught/{number}")
    async def caught(number: int) -> None:
        pass

    @app.websocket("/ws/{number}")
    async def ws(websocket: WebSocket, number: int) -> None:
        await websocket.accept()

    router = APIRouter(prefix="/shop", dependencies=[Depends(token)])

    @router.get("/{shelf}")
    async def shop(shelf: int) -> None:
        pass

    app.include_router(router, dependencies=[Depends(tenant)])
    return app


@pytest.fixture
def app(logged):
    made = application()
    fastapi.instrument(made)
    return made


def access(logged):
    return [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"][-1]


def told(logged):
    """What the access event says; and that nothing of the input is on any line."""
    assert SECRET.encode() not in b"".join(logged.lines())
    event = access(logged)
    found = event.get("labels", {}).get("invalid_fields", [])
    assert ("validation_errors" in event.get("numeric_labels", {})) == bool(found)
    return found


def ask(app, method, path, **request):
    async def main():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://it") as client:
            return await client.request(method, path, **request)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["body.items (missing)"]),
        ({"items": [{"unitPrice": SECRET}]}, ["body.items.*.unitPrice (float_parsing)"]),
        ({"items": [{"unitPrice": -1}]}, ["body.items.*.unitPrice (greater_than)"]),
        ({"items": [], "password": SECRET}, ["body.password (string_too_long)"]),
        ({"items": [], SECRET: 1}, ["body.* (extra_forbidden)"]),
        (
            {"items": [{"unitPrice": 1, "tags": {SECRET: SECRET}}]},
            ["body.items.*.tags.* (int_parsing)"],
        ),
        ({"items": [], "pet": {"kind": "cat", "lives": SECRET}}, ["body.pet.cat.lives (int_parsing)"]),
        ({"items": [], "pet": {"kind": SECRET}}, ["body.pet (union_tag_invalid)"]),
        ({"items": [], "inner": {}}, ["body.inner.items (missing)"]),
        ({"items": [], "kode": SECRET}, ["body.kode (value_error)"]),
        (SECRET, ["body (model_attributes_type)"]),
        ([], ["body (model_attributes_type)"]),
    ],
)  # fmt: skip
def test_the_access_event_says_which_fields_and_why(app, logged, body, expected):
    assert ask(app, "POST", "/orders/7", json=body).status_code == 422
    assert told(logged) == expected
    assert access(logged)["numeric_labels"]["validation_errors"] == len(expected)
    assert access(logged)["message"] == "POST /orders/7 422"


def test_each_place_of_input_is_named(app, logged):
    response = ask(app, "POST", f"/orders/{SECRET}?page={SECRET}", json={"items": 1})
    assert response.status_code == 422
    event = access(logged)
    assert event["labels"]["invalid_fields"] == [
        "path.number (int_parsing)",
        "query.page (int_parsing)",
        "body.items (list_type)",
    ]
    assert event["numeric_labels"]["validation_errors"] == 3


@pytest.mark.parametrize(
    ("method", "path", "request_", "expected"),
    [
        ("POST", "/orders/7", {"content": f'{{"items": {SECRET}'}, ["body.* (json_invalid)"]),
        ("POST", "/orders/7", {}, ["body (missing)"]),
        ("POST", "/several", {"json": {"order": {"items": []}, "contact": {"mail": SECRET}, "colour": SECRET}},
         ["body.contact.mail (int_parsing)", "body.colour (literal_error)"]),
        ("POST", "/pets", {"json": {"kind": "dog", "bones": SECRET}}, ["body.dog.bones (int_parsing)"]),
        ("GET", f"/filtered?{SECRET}=1&limit=2", {}, ["query.* (extra_forbidden)"]),
        ("GET", "/filtered?limit=x", {}, ["query.limit (int_parsing)"]),
        ("GET", "/headers", {"headers": {"X-Token": SECRET, "Cookie": f"flavour={SECRET}"}},
         ["header.x-token (int_parsing)", "cookie.flavour (int_parsing)"]),
        ("GET", "/shop/x", {}, ["header.x-tenant (missing)", "header.x-token (missing)", "path.shelf (int_parsing)"]),
    ],
)  # fmt: skip
def test_headers_cookies_and_what_routers_add(app, logged, method, path, request_, expected):
    if "content" in request_:
        request_ = {**request_, "headers": {"Content-Type": "application/json"}}
    assert ask(app, method, path, **request_).status_code == 422
    found = access(logged)["labels"]["invalid_fields"]
    assert found == expected
    assert SECRET not in json.dumps(access(logged)["labels"])


def test_what_is_valid_is_refused_nowhere(app, logged):
    assert ask(app, "POST", "/orders/7", json={"items": []}).status_code == 200
    assert told(logged) == []


def test_number_and_length_are_bounded(app, logged):
    items = [{"unitPrice": 1, "tags": {f"{SECRET}{n}": "x"}} for n in range(300)]
    names = {f"{SECRET * 50}{n}": n for n in range(300)}
    assert ask(app, "POST", "/orders/7", json={"items": items, **names}).status_code == 422
    assert told(logged) == ["body.items.*.tags.* (int_parsing)"]  # the first hundred are looked at
    assert access(logged)["numeric_labels"]["validation_errors"] == 600


def test_many_different_fields_are_cut(logged):
    class Wide(BaseModel):
        __annotations__ = {f"field_{n}": int for n in range(30)}

    app = FastAPI()

    @app.post("/")
    async def wide(wide: Wide) -> None:
        pass

    fastapi.instrument(app)
    ask(app, "POST", "/", json={})
    assert told(logged) == [f"body.field_{n} (missing)" for n in range(validation.MAX_FIELDS)]
    assert access(logged)["numeric_labels"]["validation_errors"] == 30


def test_a_deep_location_and_a_long_name_are_cut(logged):
    deep = [("body", *["inner"] * 20, "items"), ("body", "n" * 300)]
    app = FastAPI()

    @app.post("/")
    async def endpoint(inner: int = 0, n: Annotated[int, Query(alias="n" * 300)] = 0) -> None:
        raise RequestValidationError([{"loc": loc, "type": "missing"} for loc in deep])

    fastapi.instrument(app)
    ask(app, "POST", "/", json={})
    first, second = told(logged)
    assert first == "body.inner.inner.inner.inner.inner.inner.inner.… (missing)"
    assert second == f"body.{'n' * 123}… (missing)"


@pytest.mark.parametrize("status", [200, 302, 400, 422, 500, None])
def test_the_applications_own_handler_answers_as_it_likes(app, logged, status):
    seen = []

    async def own(request: Request, exc: RequestValidationError) -> JSONResponse:
        seen.append(exc)
        if status is None:
            raise KeyError("broken")
        return JSONResponse({"mine": True}, status)

    app.add_exception_handler(RequestValidationError, own)
    response = ask(app, "GET", "/caught/x")
    assert [type(one) for one in seen] == [RequestValidationError]
    assert seen[0].errors()[0]["input"] == "x"  # it gets all that it got
    assert status is None or (response.status_code, response.json()) == (status, {"mine": True})
    is_refusal = (status or 500) >= 400
    assert told(logged) == (["path.number (int_parsing)"] if is_refusal else [])


def test_other_peoples_middleware_may_lie_between(logged):
    app = application()

    class Passing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app.add_middleware(Passing)
    fastapi.instrument(app)
    ask(app, "GET", "/caught/x")
    assert told(logged) == ["path.number (int_parsing)"]


def test_an_application_that_is_mounted_is_seen_too(logged):
    app = Starlette(routes=[Mount("/below", application())])
    fastapi.instrument(app)
    ask(app, "GET", "/below/caught/x")
    assert told(logged) == ["path.number (int_parsing)"]


def test_a_websocket_that_is_refused(app, logged):
    with pytest.raises(WebSocketDisconnect), TestClient(app).websocket_connect("/ws/x"):
        pass
    assert told(logged) == ["path.number (int_parsing)"]
    assert access(logged)["http"]["response"]["status_code"] == 403


def test_a_kind_that_is_no_name_is_hidden(logged):
    class Odd(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def _odd(cls, value: str) -> str:
            raise PydanticCustomError(f"bad: {value}", "x")

    app = FastAPI()

    @app.post("/")
    async def endpoint(odd: Odd) -> None:
        pass

    fastapi.instrument(app)
    ask(app, "POST", "/", json={"name": SECRET})
    assert told(logged) == ["body.name (*)"]


@pytest.mark.parametrize(
    "errors", ["text", ["text"], [{"loc": SECRET}], [{"loc": [None, b"x"], "type": 7}], [{}], 7]
)
def test_what_an_application_puts_into_the_exception_itself_does_no_harm(logged, errors):
    app = FastAPI()

    @app.get("/")
    async def endpoint() -> None:
        raise RequestValidationError(errors)

    @app.exception_handler(RequestValidationError)
    async def own(request: Request, exc: RequestValidationError) -> JSONResponse:
        return JSONResponse({}, 422)

    fastapi.instrument(app)
    assert ask(app, "GET", "/").status_code == 422
    assert all("*" in one or one == "(*)" for one in told(logged))


def test_a_route_is_looked_at_once(app, logged, monkeypatch):
    ask(app, "GET", "/caught/x")
    looked: list[object] = []
    from flowery_logging.integrations import fastapi_validation

    monkeypatch.setattr(fastapi_validation, "names_in", looked.append)
    ask(app, "GET", "/caught/x")
    assert told(logged) == ["path.number (int_parsing)"]
    assert looked == []


def test_a_fastapi_of_which_nothing_is_known_costs_the_names_alone(app, logged, monkeypatch):
    from flowery_logging.integrations import fastapi_validation

    monkeypatch.setattr(fastapi_validation, "_known", {})
    monkeypatch.setattr(fastapi_validation, "_KINDS", ("no_list_of_params", "name", "call"))
    assert ask(app, "GET", "/caught/x").status_code == 422
    assert told(logged) == ["path.* (int_parsing)"]


# What an application tells itself


def flask(*models):
    app = Flask(__name__)

    @app.post("/")
    def endpoint():
        try:
            Order.model_validate(flask_request.get_json())
        except ValidationError as error:
            validation.tell(error, *models)
            return {"error": "invalid"}, 400
        return {}

    return wsgi.RequestMiddleware(app)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ((Order,), ["password (string_too_long)", "* (extra_forbidden)"]),
        ((Contact, list[Order]), ["password (string_too_long)", "* (extra_forbidden)"]),
        ((), ["* (string_too_long)", "* (extra_forbidden)"]),
        ((object(), 7), ["* (string_too_long)", "* (extra_forbidden)"]),
    ],
)
def test_an_application_tells_what_pydantic_has_refused(logged, models, expected):
    transport = httpx.WSGITransport(flask(*models))
    with httpx.Client(transport=transport, base_url="http://it") as client:
        client.post("/", json={"items": [], "password": SECRET, SECRET: SECRET})
    assert told(logged) == expected


@pytest.mark.parametrize("error", [None, ValueError("x"), "text", object()])
def test_what_is_no_such_error_is_ignored(logged, error):
    validation.tell(error)  # also outside of a request
    app = FastAPI()

    @app.get("/")
    async def endpoint() -> None:
        validation.tell(error, Order)
        raise ValueError("x")

    fastapi.instrument(app)
    ask(app, "GET", "/")
    assert told(logged) == []
