"""Frames whose text is kept: always what Python itself prints."""

import builtins
import linecache
import logging
import os
import sys
import traceback
import types

import pytest
from hypothesis import given, strategies as st

from flowery_logging.ecs import error_group, frames
from flowery_logging.ecs.exception import stack_trace
from flowery_logging.kept import Kept
from tests.strategies import exceptions, raised


@pytest.fixture(autouse=True)
def _nothing_kept():
    frames._kept.clear()
    yield
    frames._kept.clear()


def printed(error):
    """What Python prints, by its own means."""
    kind, trace = type(error), error.__traceback__
    try:
        parts = list(traceback.TracebackException(kind, error, trace, compact=True).format())
    except Exception:  # the details of a syntax error may be anything
        parts = [*traceback.format_tb(trace), f"{kind.__qualname__}: {error}"]
    return "".join(parts).rstrip("\n")


def failing(path, source):
    """Return the exception of a program in a file."""
    path.write_text(source, encoding="utf-8")
    return failure_of(compile(source, str(path), "exec"))


def failure_of(code):
    try:
        exec(code, {"__name__": "program"})
    except Exception as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("make", exceptions())
def test_every_shape_is_as_python_prints_it(make):
    error = make()
    assert [stack_trace(error) for _ in range(3)] == [printed(error)] * 3


PARTS = st.sampled_from(
    ["x", "one()", "d['한글']", "(1 + 0)", "[0][1]", "'가' + 1", "\\\n", " + ", "\t"]
)


@pytest.mark.slow
@given(st.lists(PARTS, min_size=1, max_size=8), st.integers(0, 3))
def test_any_source_is_as_python_prints_it(tmp_path, parts, depth):
    source = f"def one():\n  return {''.join(parts)}\n" + "\n" * depth + "d = {}\none() / 0\n"
    try:
        error = failing(tmp_path / "program.py", source)
    except SyntaxError:
        return
    assert stack_trace(error) == printed(error) == stack_trace(error)


def test_the_text_of_a_frame_is_kept(tmp_path):
    error = failing(tmp_path / "program.py", "x = 1\nx / 0 + x\n")
    first = stack_trace(error)
    kept = dict(frames._kept)
    assert stack_trace(error) == first
    assert frames._kept == kept
    assert len(kept) == 2


def test_two_places_in_one_line_are_told_apart(tmp_path):
    source = "def f(n): return (1 / n) + [][n]\n"
    for call in ("f(0)", "f(1)"):
        error = failing(tmp_path / "program.py", source + call)
        assert stack_trace(error) == printed(error)
    texts = {text for *_, text in frames._kept.values() if "return" in text}
    assert len(texts) == (2 if sys.version_info >= (3, 11) else 1)


def test_a_file_that_has_changed_shows_as_python_shows_it(tmp_path):
    path = tmp_path / "program.py"
    error = failing(path, "x = 1\nx / 0\n")
    assert "x / 0" in stack_trace(error)
    path.write_text("# other lines\ny = 'what stands there now'\n", encoding="utf-8")
    assert stack_trace(error) == printed(error)
    assert "what stands there now" in stack_trace(error)
    path.unlink()
    assert stack_trace(error) == printed(error)
    assert "there now" not in stack_trace(error)
    path.write_text("\nx / 0  # again\n", encoding="utf-8")
    assert "again" in stack_trace(error)


def test_a_file_of_the_same_size_and_another_time(tmp_path):
    path = tmp_path / "program.py"
    error = failing(path, "x = 1\nx / 0\n")
    assert "x / 0" in stack_trace(error)
    path.write_text("x = 1\ny / 0\n", encoding="utf-8")
    os.utime(path, (1, 1))
    assert "y / 0" in stack_trace(error)


@pytest.mark.parametrize("name", ["<text>", "<frozen program>", "", "/nowhere/program.py"])
def test_code_without_a_file_is_not_kept(name):
    error = failure_of(compile("1 / 0", name, "exec"))
    assert stack_trace(error) == printed(error)
    assert all(code.co_filename != name for code, *_ in frames._kept.values())


def test_source_that_a_shell_has_registered_later(monkeypatch):
    error = failure_of(compile("1 / 0", "<cell 1>", "exec"))
    assert "1 / 0  # cell" not in stack_trace(error)
    entry = 5, None, ["1 / 0  # cell\n"], "<cell 1>"
    monkeypatch.setitem(linecache.cache, "<cell 1>", entry)
    assert "1 / 0  # cell" in stack_trace(error)


def test_what_is_kept_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "_kept", Kept(10))
    for number in range(30):
        error = failing(tmp_path / f"program{number}.py", "x = 1\nx / 0\n")
        assert stack_trace(error) == printed(error)
        assert len(frames._kept) <= 10


def test_a_long_line_is_not_kept(tmp_path):
    error = failing(tmp_path / "program.py", f"x = 1 / 0 {'#' * 5000}\n")
    assert stack_trace(error) == printed(error)
    assert all(len(text) <= frames._LONGEST_KEPT for *_, text in frames._kept.values())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="has no groups")
def test_a_group_that_has_others_each_time():
    class Changing(builtins.ExceptionGroup):  # type: ignore[misc,unused-ignore]
        @property
        def exceptions(self):
            return [KeyError("a"), *([IndexError("b")] if next(times) else [])]

    times = iter(range(100))
    error = raised(Changing("group", [ValueError("x")]))
    text = stack_trace(error)
    assert "KeyError" in text
    assert "IndexError" in text


@pytest.mark.parametrize("limit", [None, 0, 1, 2, 50, -1, -2, -50])
@pytest.mark.parametrize("of_python", ["absent", None, -1, 0, 1, 3])
def test_the_limit_is_as_python_takes_it(monkeypatch, limit, of_python):
    def deeper(depth):
        if depth:
            deeper(depth - 1)
        elif limit is None:
            raise ValueError("no")
        else:
            raise KeyError("no") from raised(ValueError("why"))

    if of_python != "absent":
        monkeypatch.setattr(sys, "tracebacklimit", of_python, raising=False)
    try:
        deeper(3)
    except Exception as caught:
        error = caught
    kind, trace = type(error), error.__traceback__
    made = traceback.TracebackException(kind, error, trace, limit=limit, compact=True)
    assert stack_trace(error, None, limit) == "".join(made.format()).rstrip("\n")


@pytest.mark.parametrize("times", range(8))
def test_a_call_that_repeats_is_counted(times):
    def again(depth):
        if depth:
            again(depth - 1)
        else:
            raise ValueError("no")

    def both(depth):
        again(depth)

    try:
        both(times)
    except ValueError as caught:
        error = caught
    assert stack_trace(error) == printed(error)


def test_the_frames_that_a_worker_of_celery_hands_on_are_not_kept(logged):
    """Billiard makes other code objects for each exception: no text of theirs is found again."""
    einfo = pytest.importorskip("billiard.einfo")
    error_group._labels.clear()
    for _ in range(3):
        try:
            raise ValueError("x")
        except ValueError as error:
            trace = einfo.Traceback(error.__traceback__)
            logging.getLogger("app").error("failed", exc_info=(ValueError, error, trace))
    shown = {event["error"]["stack_trace"] for event in logged.events()}
    assert len(shown) == 1
    assert "test_the_frames_that_a_worker" in shown.pop()
    kept = [code for code, *_ in (*frames._kept.values(), *error_group._labels.values())]
    assert [code for code in kept if type(code) is not types.CodeType] == []
