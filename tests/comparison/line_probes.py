"""What stands on a line, whatever is logged."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.comparison.asking import answer, probe
from tests.comparison.libraries import Library, leaves


@probe
def one_json_object_a_line(library: Library, folder: Path) -> str:
    library.start(folder)
    library.info('two\nlines and "quotes"', order_id=7)
    found = [library.text(event) for event in library.events(folder)]
    return answer(found == ['two\nlines and "quotes"'])


@probe
def names_of_ecs(library: Library, folder: Path) -> str:
    library.start(folder)
    library.info("placed")
    found = [dict(leaves(event)) for event in library.events(folder)]
    wanted = {"@timestamp", "log.level", "message", "ecs.version"}
    return answer(found and wanted <= found[0].keys())


@probe
def one_name_one_type(library: Library, folder: Path) -> str:
    """Services disagree: 7 and "seven", a text and an object."""
    library.start(folder)
    library.info("a", code=7, address="Seoul")
    library.info("b", code="seven", address={"city": "Seoul"})
    kinds: dict[str, set[type]] = {}
    for event in library.events(folder):
        for path, value in leaves(event):
            if value is not None:
                kinds.setdefault(path, set()).add(type(value))
    if not any("code" in path for path in kinds):
        return "no fields"
    objects = {path.rpartition(".")[0] for path in kinds}
    return answer(not objects & kinds.keys() and all(len(found) == 1 for found in kinds.values()))


class _Unwilling:
    def __repr__(self) -> str:
        raise RuntimeError("no text of mine")


def _cycle() -> dict[str, Any]:
    found: dict[str, Any] = {"name": "cycle"}
    found["self"] = found
    return found


ODD: Final[tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]] = (
    ((), {"message": "a name of the library's own"}),
    ((), {"event": "another one"}),
    ((), {"log": "an object of ECS as a text"}),
    ((), {"item": _Unwilling()}),
    ((), {"items": _cycle()}),
    ((), {"stock": {7: "seven", ("a", 1): "pair"}}),
    ((), {"number": 2**70}),
    ((), {"share": float("nan")}),
    ((), {"text": "half of a pair: \ud83c"}),
    (("too", "many"), {}),
)  # fmt: skip


@probe
def odd_events(library: Library, folder: Path) -> str:
    """Count those of which a line arrives, while the call does not raise."""
    library.start(folder)
    logging.raiseExceptions = False  # as the documentation of `logging` advises for production
    calm = 0
    for number, (args, fields) in enumerate(ODD):
        before = len(_arrived(library, folder))
        with suppress(Exception):
            library.info(f"odd {number}", *args, **fields)
            calm += len(_arrived(library, folder)) > before
    return f"{calm} of {len(ODD)}"


def _arrived(library: Library, folder: Path) -> list[Any]:
    if library.name == "logging":
        return library.lines(folder)
    return library.events(folder)


@probe
def message_of_100_kb(library: Library, folder: Path) -> str:
    library.start(folder)
    library.info("x" * 100_000)
    longest = max(map(len, library.lines(folder)))
    return "in full" if longest > 100_000 else "cut"


SECRETS: Final[tuple[tuple[str, dict[str, Any], bytes], ...]] = (
    ("login", {"password": "hunter-2x"}, b"hunter-2x"),
    ("paid with 4111 1111 1111 1111", {}, b"4111 1111"),
    ("주민번호 900101-1234568 확인", {}, b"1234568"),
    ("GET https://shop.example/?token=abc123def456", {}, b"abc123def456"),
    ("sent Authorization: Bearer abcdefgh12345678", {}, b"abcdefgh12345678"),
)


@probe
def secrets_hidden(library: Library, folder: Path) -> str:
    library.start(folder)
    for message, fields, _ in SECRETS:
        library.info(message, **fields)
    whole = b"".join(library.lines(folder))
    if library.name == "logging":  # shows no fields
        return f"{sum(secret not in whole for _, _, secret in SECRETS[1:])} of 4"
    return f"{sum(secret not in whole for _, _, secret in SECRETS)} of {len(SECRETS)}"
