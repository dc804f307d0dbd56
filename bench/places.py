"""Further places where secrets stand in events, for `python -m bench.zoo --shapes places`.

A message, its arguments, and fields. The table of the pages has the kinds of `zoo.SECRETS`.
"""

from __future__ import annotations

from typing import Any, Final

_ORDER: Final = ("order %s placed", ("o-17",))

PLACES: Final[dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]]] = {
    "JSON in the message": ("got %s", ('{"user":"kim","password":"hunter2","n":1}',), {}),
    "JSON in a field": (*_ORDER, {"body": '{"user":"kim","password":"hunter2","n":1}'}),
    "a dict's text": ("got %s", ("{'user': 'kim', 'password': 'hunter2', 'n': 1}",), {}),
    "a text in a dict": (*_ORDER, {"order": 7, "address": {"note": "password=hunter2"}}),
    "a text in a list": (*_ORDER, {"items": ["tea", "password=hunter2"]}),
    "key=value": ("login user=%s password=%s", ("kim", "hunter2"), {}),
    "key: value": (*_ORDER, {"note": "password: hunter2, user: kim"}),
    "form": (*_ORDER, {"body": "user=kim&password=hunter2&remember=1"}),
    "url.query": (*_ORDER, {"url.query": "a=b&token=hunter2&c=d"}),
    "header": (*_ORDER, {"headers": "Host: shop.example\nX-Api-Key: S3cr3tV4lu3\nAccept: */*"}),
    "list of headers": ("got %s", ("[('host', 'x'), ('cookie', 'sid=abcdefgh12345678')]",), {}),
    "cookie": ("got %s", ("Cookie: sid=hunter2; theme=dark",), {}),
    "Basic": ("sent %s", ("Authorization: Basic dXNlcjpTM2NyM3Q=",), {}),
    "connection string": (*_ORDER, {"dsn": "Server=db;User Id=sa;Password=hunter2;Timeout=3"}),
    "what a driver says": (
        *_ORDER,
        {"error": "FATAL: connection failed: host=db user=shop password=hunter2 dbname=shop"},
    ),
    "an exception in the message": (
        "failed: %r",
        (ValueError("cannot connect to postgresql://shop:hunter2@db:5432/shop"),),
        {},
    ),
    "command": (*_ORDER, {"command": "mysql --password hunter2 -h db shop"}),
    "curl": (*_ORDER, {"command": "curl -u kim:hunter2 https://shop.example/x"}),
    "XML": (*_ORDER, {"body": "<login><user>kim</user><password>hunter2</password></login>"}),
    "YAML": (*_ORDER, {"body": "db:\n  user: kim\n  password: hunter2\n"}),
    "INSERT": (
        *_ORDER,
        {"sql": "INSERT INTO users (id, name, password) VALUES (1, 'kim', 'hunter2')"},
    ),
    "prose": ("your login code is %s", ("483920",), {}),
    "prose in Korean": (*_ORDER, {"note": "초기 비밀번호는 Xk9mm21 입니다"}),
    "known token": (*_ORDER, {"note": "AKIA" + "ABCDEFGHIJ234567"}),
}
