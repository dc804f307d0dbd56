"""Which errors are the same one: by type and own frames, on every machine."""

from __future__ import annotations

import builtins
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flowery_logging

log = logging.getLogger("shop")

SHOP = """
import json
from decimal import Decimal

class ShopError(Exception):
    pass

def place(order_id):
    raise ShopError(f"no order {order_id}")

def cancel(order_id):
    raise ShopError(f"no order {order_id}")

def read(text):
    return json.loads(text)

def number(text):
    return Decimal(text)

def deep(n):
    if n: deep(n - 1)
    raise ValueError(n)

def each(items):
    return [one(item) for item in items]

def one(item):
    raise KeyError(item)

def caused(cause):
    try:
        raise cause
    except Exception as error:
        raise RuntimeError("wrapped") from error

def hidden(cause):
    try:
        raise cause
    except Exception:
        raise RuntimeError("alone") from None
"""

PROGRAM = """
import json, logging, sys
import flowery_logging
flowery_logging.setup("shop", output="stdout")
calls = json.loads(sys.argv[1])
def call(text):
    try:
        eval(text)
    except Exception:
        logging.getLogger("shop").exception("failed")
"""
RUN = "for text in calls: call(text)\n"


def groups_of(
    directory: Path, calls: list[str], shop: str = SHOP, python: str = sys.executable
) -> list[str]:
    """Return the groups of the errors of some calls, by a program in a directory of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "shop.py").write_text(shop)
    (directory / "main.py").write_text(f"{PROGRAM}from shop import *\n{RUN}")
    done = subprocess.run(
        [python, "main.py", json.dumps(calls)], cwd=directory, capture_output=True, text=True, check=True
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line["error"]["id"] for line in lines if line["message"] == "failed"]


CALLS = [
    "place(7)", "cancel(7)", "read('{')", "number('x')", "deep(3)", "each([1])",
    "caused(ValueError(1))", "hidden(ValueError(1))",
]  # fmt: skip


@pytest.mark.slow
def test_another_machine_path_and_line_are_the_same_error(tmp_path):
    here = groups_of(tmp_path / "here", CALLS)
    moved = SHOP.replace("import json\n", "\n# moved\n\nimport json\n").replace(
        "raise Shop", "pass; raise Shop"
    )
    there = groups_of(tmp_path / "srv" / "shop 2" / "app", CALLS, moved)
    assert here == there
    assert len(set(here)) == len(CALLS)
    assert all(len(group) == 16 and int(group, 16) >= 0 for group in here)


@pytest.mark.slow
def test_a_module_that_is_run_is_the_one_that_is_imported(tmp_path):
    text = PROGRAM + SHOP + "if __name__ == '__main__':\n    " + RUN
    (tmp_path / "shop.py").write_text(text)
    found = []
    starts = (
        ["shop.py"],
        ["-m", "shop"],
        [
            "-c",
            f"import sys, shop\n{RUN.replace('calls', 'shop.calls').replace('call(', 'shop.call(')}",
        ],
    )
    for start in starts:
        done = subprocess.run(
            [sys.executable, *start, '["place(7)", "deep(2)"]'], cwd=tmp_path, capture_output=True, text=True, check=True
        )  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        found.append([line["error"]["id"] for line in lines if line["message"] == "failed"])
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_a_module_of_a_package_that_is_run_is_the_one_that_is_imported(tmp_path):
    (tmp_path / "shops").mkdir()
    text = PROGRAM + SHOP + "if __name__ == '__main__':\n    " + RUN
    (tmp_path / "shops" / "flowers.py").write_text(text)
    imported = RUN.replace("calls", "flowers.calls").replace("call(", "flowers.call(")
    found = []
    for start in (
        ["-m", "shops.flowers"],
        ["-c", f"import sys, shops.flowers as flowers\n{imported}"],
    ):
        command = [sys.executable, *start, '["place(7)"]']
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        found.append([line["error"]["id"] for line in lines if line["message"] == "failed"])
    assert found[0] == found[1] != []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("place(7)", "place(8)", True),
        ("place(7)", "cancel(7)", False),
        ("deep(2)", "deep(300)", True),
        ("each([1])", "each([2, 3])", True),
        ("read('{')", "read('[1,')", True),  # different ways through the library
        ("read('{')", "read(7)", False),  # another type
        ("caused(ValueError(1))", "caused(ValueError('x'))", True),
        ("caused(ValueError(1))", "caused(TypeError(1))", False),
        ("hidden(ValueError(1))", "hidden(TypeError(1))", True),
    ],
)
def test_what_is_one_error(tmp_path, one, other, same):
    first, second = groups_of(tmp_path, [one, other])
    assert (first == second) is same


def fail(kind: type[Exception] = ValueError, *args: Any) -> None:
    raise kind(*args)


def group(logged: Any, error: BaseException) -> str:
    log.error("failed", exc_info=error)
    found = logged.last()["error"]["id"]
    assert isinstance(found, str)
    return found


def failed(*args: Any) -> Exception:
    try:
        fail(*args)
    except Exception as error:
        return error
    raise AssertionError


def test_all_ways_in_have_it(logged):
    error = failed(ValueError, 1)
    log.error("stdlib", exc_info=error)
    flowery_logging.get_logger().error("structlog", exc_info=error)
    formatter = flowery_logging.ECSFormatter()
    made = log.makeRecord("shop", 40, "f", 1, "m", (), (type(error), error, error.__traceback__))
    found = {event["error"]["id"] for event in logged.events()}
    assert found == {json.loads(formatter.format(made))["error"]["id"]}


@pytest.mark.parametrize("wrapper", [flowery_logging.carried, flowery_logging.bound(shop=7)])
def test_what_calls_for_the_application_is_no_frame_of_its_own(logged, monkeypatch, wrapper):
    """Wherever the library lies: in `site-packages`, or in a checkout as here."""
    plain = group(logged, failed(ValueError, 1))
    monkeypatch.setitem(globals(), "fail", wrapper(fail))
    assert group(logged, failed(ValueError, 1)) == plain


def test_the_callers_value_stands(logged):
    log.error("x", exc_info=failed(), extra={"error.id": "mine"})
    assert logged.last()["error"]["id"] == "mine"


def test_an_event_without_an_exception_has_none(logged):
    log.error("x", stack_info=True)
    assert "id" not in logged.last()["error"]


def test_the_members_of_groups_count_by_type(logged):
    kinds = pytest.importorskip("builtins", reason="").__dict__.get("ExceptionGroup")
    if kinds is None:
        pytest.skip("Python 3.11")
    one = failed(kinds, "two", [ValueError(1), TypeError(2)])
    same = failed(kinds, "other", [TypeError(9), ValueError(7), ValueError(8)])
    other = failed(kinds, "two", [ValueError(1), KeyError(2)])
    assert group(logged, one) == group(logged, same) != group(logged, other)


MOST = 64
"""How many functions, causes and groups of one error count."""


def below(count: int, last: str) -> BaseException:
    """Return an error of the function `last`, called through so many own functions."""
    source = f"def {last}(): raise ValueError\nstep0 = {last}\n"
    source += "".join(f"def step{n}(): step{n - 1}()\n" for n in range(1, count))
    scope: dict[str, Any] = {"__name__": "shop"}
    exec(compile(source, "shop.py", "exec"), scope)
    try:
        scope[f"step{count - 1}"]()
    except ValueError as error:
        trace = error.__traceback__
        return error.with_traceback(trace and trace.tb_next)  # without this function's frame
    raise AssertionError


def caused_by(count: int, first: type[Exception]) -> BaseException:
    """Return an error at the end of so many causes."""
    error = first("the first cause")
    for _ in range(count):
        error, error.__cause__ = RuntimeError("next"), error
    return error


def grouped(count: int, inner: type[Exception]) -> BaseException:
    """Return an error inside so many groups."""
    error: Exception = inner("inside")
    for _ in range(count):
        error = vars(builtins)["ExceptionGroup"]("group", [error])
    return error


@pytest.mark.parametrize(("make", "most", "one", "other"), [
    (below, MOST, "left", "right"),
    (caused_by, MOST - 1, ValueError, TypeError),
    pytest.param(grouped, MOST, ValueError, TypeError, marks=pytest.mark.skipif(
        sys.version_info < (3, 11), reason="there are no groups"
    )),
])  # fmt: skip
def test_so_many_functions_causes_and_groups_count(logged, make, most, one, other):
    assert group(logged, make(most, one)) != group(logged, make(most, other))
    assert group(logged, make(most + 1, one)) == group(logged, make(most + 1, other))


def while_handling(cause: Exception) -> BaseException:
    """Return an error that was raised while another one was handled."""
    try:
        try:
            raise cause
        except Exception:
            raise RuntimeError("meanwhile")
    except RuntimeError as error:
        return error


def test_an_error_that_was_being_handled_counts_too(logged):
    one, other = while_handling(ValueError(1)), while_handling(TypeError(1))
    assert group(logged, one) == group(logged, while_handling(ValueError(2)))
    assert group(logged, one) != group(logged, other)


def test_an_error_keeps_its_group_over_releases(logged):
    """Alerts and dashboards know it by that."""
    assert group(logged, below(3, "pay")) == "cb9fa3a0b0b66311"
    assert group(logged, caused_by(2, Ringed)) == "920589cb34f443d2"


class Ringed(Exception):
    """Its cause is itself in the end."""


def test_strange_exceptions(logged):
    ring = failed(Ringed)
    ring.__cause__ = other = failed(Ringed)
    other.__cause__ = ring
    assert group(logged, ring)

    class Strange(Exception):
        @property
        def exceptions(self) -> Any:
            raise ValueError

    log.error("strange", exc_info=failed(Strange))
    assert logged.last()["error"]["type"].endswith("Strange")
    assert group(logged, ValueError("never raised")) == group(logged, ValueError("neither"))


@pytest.mark.slow
def test_functions_that_come_and_go(logged):
    """The `id` of code that is gone may be another code's."""
    found = set()
    for number in range(300):
        scope: dict[str, Any] = {"__name__": "generated"}
        exec(f"def made_{number}():\n    raise ValueError", scope)
        try:
            scope[f"made_{number}"]()
        except ValueError as error:
            found.add(group(logged, error))
    assert len(found) == 300
