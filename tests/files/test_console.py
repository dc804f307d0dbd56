"""The console of a developer: one line an event, in the columns that there are."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files import event_line
from flowery_logging.files.columns import clipped, folded, width
from flowery_logging.files.event_line import EventLine, local_time
from flowery_logging.files.event_traceback import readable
from flowery_logging.files.shown import at, duration_text

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def environment(**others: str) -> dict[str, str]:
    hidden = {"NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "TERM": "xterm-256color", "TZ": "Asia/Seoul", **others}


def on_terminal(body: str, tmp_path: Path, columns: int = 100, **others: str) -> str:
    """Return what a program shows on a terminal of so many columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = "import logging, flowery_logging\nflowery_logging.setup('orders', output='console')\n"
    program += "log = logging.getLogger('shop')\n" + textwrap.dedent(body)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=follower, cwd=tmp_path, env=environment(**others)
    )
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 65_536):
            shown += chunk
    except OSError:
        pass  # the program has ended
    os.close(leader)
    assert process.wait(300) == 0
    return shown.decode().replace("\r\n", "\n")


def elsewhere(body: str) -> str:
    """Return what a program shows where stderr is no terminal."""
    program = f"import flowery_logging as f; f.setup('orders', output='console')\n{body}"
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    ).stderr


def document(message: str = "order placed", **others: Any) -> dict[str, Any]:
    return {
        "@timestamp": "2026-11-23T01:24:33.779460Z",
        "log.level": "info",
        "message": message,
        "service": {"name": "orders"},
        "event": {"dataset": "orders"},
        **others,
    }


def shown(event: dict[str, Any], columns: int | None = None) -> str:
    return EventLine(colours=False, columns=columns, utc=True).text(event)


LOGGED = """
log.info("order placed", extra={"order_id": 7, "user": "kim"})
log.info("a long story " * 20)
log.info("주문이 접수되었습니다 " * 6, extra={"이름": "김하늘"})
log.info("a tab\\tand \\x1b[2J an escape", extra={"text": "y" * 500, "more": "z z"})
log.info("many fields", extra={f"name_{n}": n for n in range(40)})
"""


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 100, 120])
def test_an_event_is_one_line_in_the_columns_of_the_terminal(tmp_path, columns):
    lines = ESCAPES.sub("", on_terminal(LOGGED, tmp_path, columns)).splitlines()
    assert len(lines) == 5, lines
    assert [line for line in lines if width(line) > columns] == []
    assert re.match(r"\d\d:\d\d:\d\d(\.\d{3})? info    orders order placed  ", lines[0])
    assert "user=kim order_id=7" in lines[0]
    assert "…" in lines[1]
    assert re.search(r"  name_0=0 .* \+\d+$", lines[4])


def test_colours_of_the_program_s_own_go_and_other_escapes_are_written_out():
    line = shown(document("\x1b[31m\x1b[1mWARNING\x1b[0m: \x1b[2J a development server"))
    assert line.endswith("WARNING: \\x1b[2J a development server")


@pytest.mark.slow
def test_the_variable_for_columns_is_heeded(tmp_path):
    body = "log.info('a long story ' * 20)"
    for given, columns in (("60", 60), ("0", 100)):
        (line,) = ESCAPES.sub("", on_terminal(body, tmp_path, 100, COLUMNS=given)).splitlines()
        assert (width(line), line[-1]) == (columns, "…")


@pytest.mark.slow
def test_a_terminal_that_tells_no_columns_cuts_nothing(tmp_path):
    (line,) = ESCAPES.sub("", on_terminal("log.warning('long ' * 90)", tmp_path, 0)).splitlines()
    assert line.endswith(("long " * 90).strip())


@pytest.mark.slow
@pytest.mark.parametrize("level", ["warning", "error"])
def test_the_message_of_a_warning_or_an_error_is_never_cut(tmp_path, level):
    text = on_terminal(f"log.{level}('no connection to the database ' * 12)", tmp_path, 80)
    first, *others = ESCAPES.sub("", text).splitlines()
    assert all(width(line) <= 80 for line in [first, *others])
    whole = " ".join(line.strip() for line in [first.partition("orders ")[2], *others])
    assert whole == ("no connection to the database " * 12).strip()


BANNER = "WARNING: This is a development server. Do not use it in a production deployment. Use a production WSGI server instead.\n * Running on http://127.0.0.1:5000"  # fmt: skip


@pytest.mark.slow
def test_the_lines_of_a_message_stand_below_each_other(tmp_path):
    """As those of `flask run`, whose address is in the second one."""
    text = on_terminal(f"log.info({BANNER!r}, extra={{'n': 7}})", tmp_path)
    first, second = ESCAPES.sub("", text).splitlines()
    assert first.endswith("…")
    assert second == "     * Running on http://127.0.0.1:5000"
    assert all(width(line) <= 100 for line in (first, second))


@pytest.mark.parametrize(
    ("level", "message", "lines"),
    [
        ("info", "a\n\n  b \n", ["a  n=1", "  b"]),
        ("debug", "a\r\nb", ["a  n=1", "b"]),
        ("info", f"{'a ' * 60}\n{'b' * 100}", [f"{'a ' * 28}a…", f"{'b' * 92}…"]),
        ("info", "\n".join("abcdefghijk"), ["a  n=1", *"bcdefghijk"]),
        ("info", "\n".join("abcdefghijkl"), ["a  n=1", *"bcdefghijk", "… 1 more line"]),
        ("info", "\n".join("abcdefghijklm"), ["a  n=1", *"bcdefghijk", "… 2 more lines"]),
        ("error", "\n".join("abcdefghijklm"), ["a  n=1", *"bcdefghijklm"]),
        ("error", f"a\n{'b ' * 50}", ["a  n=1", ("b " * 46).strip(), ("b " * 4).strip()]),
        ("error", f"{'a ' * 40}\nb", [("a " * 29).strip(), ("a " * 11).strip(), "b"]),
        ("error", f"{'a ' * 20}{'b' * 30}", [("a " * 20).strip(), "b" * 30]),
    ],
)
def test_lines_of_a_message(level, message, lines):
    event = document(message, numeric_labels={"n": 1}, **LONG_AGO, **{"log.level": level})
    head = HEAD.replace("info   ", level.ljust(7))
    first, *below = shown(event, len(head) + 58).splitlines()
    assert [first.removeprefix(head), *(line.removeprefix("    ") for line in below)] == lines
    assert "\n" not in shown(event)


def test_what_a_terminal_of_almost_no_columns_shows():
    lines = shown(document("abc\nabcdefghijkl", **LONG_AGO), 1).splitlines()
    assert lines == [f"{HEAD.replace('.789', '')}…", "    abcdefg…"]
    error = {"type": "E", "stack_trace": "Traceback (most recent call last):\nE: abcdefghijkl"}
    failed = document("abcdefghijkl", error=error, **LONG_AGO, **{"log.level": "error"})
    first, *below = shown(failed, 1).splitlines()
    assert first.endswith(" abcdefgh")
    heading = "    Traceback (most recent call last):"
    assert below == ["    ijkl", heading, "    E: abcde", "    fghijkl"]


@pytest.mark.slow
def test_the_text_of_an_exception_is_never_cut(tmp_path):
    body = """
    try:
        raise ValueError("no connection to the database " * 12)
    except ValueError:
        log.exception("failed")
    """
    lines = ESCAPES.sub("", on_terminal(body, tmp_path, 80)).splitlines()
    assert all(width(line) <= 80 and line.startswith("    ") for line in lines[1:])
    text = " ".join(line.strip() for line in lines[3:])
    assert text == "ValueError: " + ("no connection to the database " * 12).strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("others", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_colours_on_a_terminal_unless_they_are_not_wanted(tmp_path, others, coloured):
    text = on_terminal("log.warning('stock is low')", tmp_path, **others)
    assert bool(ESCAPES.search(text)) is coloured
    assert "warning orders stock is low" in ESCAPES.sub("", text)


@pytest.mark.slow
def test_elsewhere_there_are_no_colours_and_nothing_is_cut(tmp_path):
    (line,) = elsewhere("f.get_logger().info('word ' * 100, order_id=7)").splitlines()
    assert line.endswith(f"{('word ' * 100).strip()}  order_id=7")


@pytest.mark.slow
def test_times_are_local(tmp_path):
    body = "import freezegun\nwith freezegun.freeze_time('2026-11-23 01:24:33.5'): "
    shown = elsewhere(body + "f.get_logger().info('now')")
    assert "10:24:33.500 info" in shown


def test_a_request_is_told_in_short():
    access = document(
        "GET /orders/7 200",
        http={"request": {"method": "GET", "id": "x"}, "response": {"status_code": 200}},
        url={"path": "/orders/7", "query": "page=2"},
        user_agent={"original": "curl"},
        event={"action": "http-request", "duration": 14_200_000},
        labels={"http_route": "/orders/{n}", "user": "kim"},
        numeric_labels={"time_to_first_byte": 5, "thread_cpu_ms": 1.5},
        trace={"id": "4bf92f3577b34da6a3ce929d0e0e4736"},
    )
    line = shown(access, 100)
    assert line.endswith("orders GET /orders/7?page=2 200 14.2 ms  user=kim  4bf92f35")
    call = {**access, "event": {"action": "http-call", "duration": 2_000_000_000}}
    assert "→ GET /orders/7?page=2 200 2.00 s" in shown(call)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"message": None, "log": "x", "error": 5, "labels": [1], "trace": "t", "event": "e"},
        {"@timestamp": "yesterday", "log": {"level": "TRACE"}, "message": {"a": 1}},
        {"message": "m", "error": {"stack_trace": ["at shop.py"]}},
        {"@timestamp": 12, "log.level": 30, "message": 7, "service": {"name": 7}},
        document(event={"duration": "long", "action": ["http-request"]}, http={"response": 5}),
        document(event={"action": "http-request"}, url={"path": "", "query": "a=1"}),
    ],
)
@pytest.mark.parametrize("columns", [None, 1, 20, 100])
def test_a_document_of_any_origin_is_shown(event, columns):
    assert "\n" not in shown(event, columns)


LONG_AGO = {"@timestamp": "2001-02-03T04:05:06.789Z"}
HEAD = "2001-02-03 04:05:06.789 info    orders "


@pytest.mark.parametrize(
    ("columns", "end"),
    [
        (None, "  a=1 b=22 c=333  01234567"),
        (0, "  a=1 b=22 c=333  01234567"),
        (-1, "  a=1 b=22 +1  01234567"),
        (-3, "  a=1 b=22 +1  01234567"),
        (-4, "  a=1 +2  01234567"),
        (-8, "  a=1 +2  01234567"),
        (-9, "  +3  01234567"),
        (-12, "  +3  01234567"),
        (-13, "  01234567"),
        (-16, "  01234567"),
        (-17, "m…  01234567"),
    ],
)
def test_fields_that_do_not_fit_are_counted(columns, end):
    """`columns` are those that the whole line takes, and so many fewer."""
    labels = {"a": "1", "b": "22", "c": "333"}
    event = document("m" * 60, labels=labels, trace={"id": "0123456789"}, **LONG_AGO)
    whole = len(HEAD) + 60 + len("  a=1 b=22 c=333  01234567")
    line = shown(event, None if columns is None else whole + columns)
    assert line.endswith(f"m{end}")
    assert columns is None or len(line) <= whole + columns


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"labels": {"a": "x y", "b": "x=y", "c": ""}}, '  a="x y" b="x=y" c=""'),
        ({"labels": {"a": "1\n2", "b": "v" * 61}}, f'  a="1 ⏎ 2" b={"v" * 59}…'),
        ({"event": {"reason": "R"}, "error": {"type": "E"}}, "  reason=R error=E"),
        ({"error": {"type": "E", "message": "no"}}, "  error=no"),
        ({"error": {"type": "E", "stack_trace": ""}}, ""),
        ({"event": {"action": "x", "duration": 0}}, " 0.0 ms"),
        ({"event": {"duration": -1}}, ""),
        ({"event": {"duration": True}}, ""),
        (
            {"http": {"version": "1.1", "request": {"id": "q", "bytes": 7}}},
            "  http.version=1.1 http.request.bytes=7",
        ),
        ({"url": {"path": "/a", "domain": "shop"}}, "  url.domain=shop"),
        ({"url.path": "/a", "url.query": "q=1", "event.action": "http-request"}, "?q=1"),
        ({"a": {"b.c": 1}, "d.e": {"f": 2}}, "  a.b.c=1 d.e.f=2"),
    ],
)
def test_what_is_shown_of_an_event(event, text):
    assert shown(document("GET /a", **LONG_AGO, **event)) == f"{HEAD}GET /a{text}"


def test_a_value_is_found_however_its_name_is_spelled():
    for document in (
        {"a": {"b": {"c": 7}}},
        {"a.b.c": 7},
        {"a.b": {"c": 7}},
        {"a": {"b.c": 7}},
        {"a": "other", "a.b": {"c": 7}},
    ):
        assert at(document, "a.b.c") == 7


def test_a_narrow_terminal_leaves_less_to_time_and_service():
    event = document("m", service={"name": "s" * 17}, **LONG_AGO, **{"log.level": "emergency"})
    wide = f"2001-02-03 04:05:06.789 emergen… {'s' * 15}… m"
    assert shown(event) == shown(event, 80) == wide
    assert shown(event, 79) == "2001-02-03 04:05:06 emergen… sssssss… m"
    assert shown({**event, "@timestamp": "yesterday"}, 79).startswith("yesterday emergen… ")


def test_names_of_services_stand_in_one_column():
    line = EventLine(colours=False, columns=None, utc=True)
    names = ["a", "orders", "b"]
    texts = [line.text(document("m", service={"name": name}, **LONG_AGO)) for name in names]
    assert [text[len("2001-02-03 04:05:06.789 info    ") :] for text in texts] == [
        "a m",
        "orders m",
        "b      m",
    ]
    assert shown(document("m", service={}, **LONG_AGO)) == "2001-02-03 04:05:06.789 info    m"


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m"


LEVELS = {
    "trace": "2", "debug": "2", "info": "32", "warn": "33", "warning": "33", "error": "1;31",
    "critical": "1;31", "fatal": "1;31",
}  # fmt: skip


@pytest.mark.parametrize(("level", "code"), LEVELS.items())
def test_a_level_has_its_colour(level, code):
    event = document("m", numeric_labels={"n": 1}, **LONG_AGO, **{"log.level": level})
    text = EventLine(colours=True, columns=None, utc=True).text(event)
    message = "m" if level in {"trace", "debug"} else paint("1", "m")
    level = paint(code, level.ljust(7))
    head = f"{paint('2', '2001-02-03 04:05:06.789')} {level} {paint('36', 'orders')}"
    assert text == f"{head} {message}  {paint('2', 'n=')}1"


@pytest.mark.parametrize(
    ("message", "status", "action", "shown"),
    [
        ("GET / 204", 204, "http-request", f"GET / {paint('32', 204)}"),
        ("GET / 304", 304, "http-request", f"GET / {paint('36', 304)}"),
        ("GET / 404 late", 404, "http-call", f"→ GET / {paint('33', 404)} late"),
        ("GET / 500", 500, "http-request", f"GET / {paint('1;31', 500)}"),
        ("GET / 700", 700, "http-request", "GET / 700"),
        ("GET /2004", 200, "http-request", paint("1", "GET /2004")),
        ("GET / 2004", 200, "http-request", paint("1", "GET / 2004")),
        ("GET / 200", 200, "other", paint("1", "GET / 200")),
    ],
)
def test_the_status_of_a_request_has_its_colour(message, status, action, shown):
    event = document(
        message, http={"response": {"status_code": status}}, event={"action": action}, **LONG_AGO
    )
    text = EventLine(colours=True, columns=None, utc=True).text(event)
    assert text.partition(f"{paint('36', 'orders')} ")[2].startswith(shown)


def test_an_event_without_a_message_has_no_colour_of_one():
    access = {"event": {"action": "http-request"}, "http": {"response": {"status_code": 204}}}
    for others in ({}, access):
        event = document("", **LONG_AGO, **others)
        text = EventLine(colours=True, columns=None, utc=True).text(event)
        assert text.endswith(paint("36", "orders"))


SOURCE = "return await warehouse.reserve(order, for_customer=customer)"
TRACE_BACK = f"""\
Traceback (most recent call last):
  File "/app/shop.py", line 3, in place
    {SOURCE}
  File "/usr/lib/python3.13/json/decoder.py", line 72, in decode
    raise
ValueError: no"""


@pytest.mark.parametrize("columns", [30, 37, 38, 60, 80, 200])
def test_source_takes_the_columns_that_are_left(columns):
    own = "      /app/shop.py:3 in place"
    event = document("m", error={"type": "E", "stack_trace": TRACE_BACK}, **LONG_AGO)
    source = clipped(f"  {SOURCE}", columns - len(own)) if columns - len(own) > 8 else ""
    assert shown(event, columns).splitlines()[2] == f"{own}{source}"
    assert shown(event).splitlines()[2] == f"{own}  {SOURCE}"


def test_a_traceback_has_its_colours():
    event = document("m", error={"type": "E", "stack_trace": TRACE_BACK}, **LONG_AGO)
    text = EventLine(colours=True, columns=None, utc=True).text(event)
    assert text.splitlines()[1:] == [
        "    " + paint("2", "Traceback (most recent call last):"),
        "    " + paint("36", "  /app/shop.py:3 in place") + f"  {SOURCE}",
        "    " + paint("2", "  … 1 library frame: json"),
        "    " + paint("2", "  raised in json/decoder.py:72 in decode"),
        "    " + paint("31", "ValueError: no"),
    ]


def test_a_day_that_is_not_today_is_named():
    assert local_time("2001-02-03T04:05:06.789Z", utc=True) == "2001-02-03 04:05:06.789"


@pytest.mark.parametrize(
    ("end", "text"),
    [(".5Z", ".500"), (".77+00:00", ".770"), (".7799999Z", ".779"), (".Z", ".000"), ("Z", ".000")],
)
def test_a_fraction_may_have_any_number_of_digits(end, text):
    """Go leaves out its last zeros."""
    assert local_time(f"2001-02-03T04:05:06{end}", utc=True) == f"2001-02-03 04:05:06{text}"


def test_a_time_of_no_day_stays_as_it_is():
    assert local_time("2001-02-30T04:05:06.789Z", utc=True) == "04:05:06.789"


def test_today_is_the_day_where_the_reader_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_line, "_now", lambda: 1_795_464_000.0)  # 2026-11-23 20:00 UTC
    with monkeypatch.context() as of_place:
        of_place.setenv("TZ", "Asia/Seoul")
        time.tzset()
        shown = [local_time(f"2026-11-23T{hour}:00:01Z") for hour in (10, 20)]
        in_utc = local_time("2026-11-23T20:00:01Z", utc=True)
    time.tzset()
    assert shown == ["11-23 19:00:01.000", "05:00:01.000"]
    assert in_utc == "20:00:01.000"


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+09:00", "+0900", "+09", "-03:30"])
def test_a_time_with_a_zone_of_another_program(zone: str) -> None:
    hour = {"Z": "04:05", "+00:00": "04:05", "-03:30": "07:35"}.get(zone, "19:05")
    day = "2001-02-02" if hour == "19:05" else "2001-02-03"
    for fraction in ("", ".789"):
        shown = local_time(f"2001-02-03T04:05:06{fraction}{zone}", utc=True)
        assert shown == f"{day} {hour}:06{fraction or '.000'}"


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0.0 ms"),
        (14_249_999, "14.2 ms"),
        (3_050_000_000, "3.05 s"),
        (60e9, "1 min 0 s"),
        (125e9, "2 min 5 s"),
    ],
)
def test_durations_have_a_unit(nanoseconds, text):
    assert duration_text(nanoseconds) == text


def test_hangul_takes_two_columns():
    assert width("주문 7") == 6
    assert width("\u1112\u1161\u11ab") == 2  # the same letters, joined
    assert width("e\u0301") == 1
    assert clipped("주문이 왔다", 6) == "주문…"
    assert list(folded("주문이 왔다", 6, 5)) == ["주문이", "왔다"]
    assert list(folded("a bcdefgh", 6, 6)) == ["a bcde", "fgh"]  # else little would be on it
    assert list(folded("abc defgh", 6, 6)) == ["abc de", "fgh"]
    assert list(folded("abcd efgh", 6, 6)) == ["abcd", "efgh"]


@pytest.mark.slow
def test_own_frames_come_first_and_the_others_are_folded(tmp_path):
    body = """
    import json
    def read(text):
        return json.loads(text)
    try:
        read("{bad")
    except ValueError:
        log.exception("no order")
    """
    lines = ESCAPES.sub("", on_terminal(body, tmp_path)).splitlines()[1:]
    assert lines[0] == "    Traceback (most recent call last):"
    assert re.fullmatch(r"      <string>:\d+ in <module>(  read.*)?", lines[1])
    assert re.fullmatch(r"      <string>:\d+ in read(  return.*)?", lines[2])
    assert lines[3] == "      … 3 library frames: json"
    assert re.fullmatch(r"      raised in json/decoder\.py:\d+ in raw_decode", lines[4])
    assert lines[5].startswith("    json.decoder.JSONDecodeError: Expecting property name")


CHAIN = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/shop.py", line 3, in place
  |     await wait()
  |     ^^^^^^^^^^^^
  |   File "/usr/lib/python3.13/asyncio/taskgroups.py", line 72, in __aexit__
  |     return await self._aexit(et, exc)
  | ExceptionGroup: two (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/shop.py", line 9, in deep
    |     deep()
    |   [Previous line repeated 995 more times]
    | ValueError: no
    +------------------------------------"""


def test_a_frame_that_is_repeated_once_was_there_twice():
    trace = CHAIN.replace("995 more times", "1 more time")
    assert "deep (2 times)" in "\n".join(line.text for line in readable(trace))


def test_groups_and_repeated_frames():
    assert [line.text for line in readable(CHAIN)] == [
        "  + Exception Group Traceback (most recent call last):",
        "  |   /app/shop.py:3 in place",
        "  |   … 1 library frame: asyncio",
        "  |   raised in asyncio/taskgroups.py:72 in __aexit__",
        "  | ExceptionGroup: two (1 sub-exception)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        "    |   /app/shop.py:9 in deep (996 times)",
        "    | ValueError: no",
        "    +------------------------------------",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "java.lang.IllegalStateException: x\n\tat com.flowery.Shop.place(Shop.java:7)\n",
        "Traceback (most recent call last):\n… [7 characters left out] …\nValueError: x",
        "just a text",
    ],
)
def test_what_is_not_understood_stays(text):
    assert "\n".join(line.text for line in readable(text)) == text.rstrip("\n")


@pytest.mark.slow
def test_beside_uvicorn_no_line_is_shown_twice(tmp_path):
    app = """
    import os, signal, threading
    import flowery_logging
    from fastapi import FastAPI
    from flowery_logging.integrations import fastapi
    import uvicorn
    app = FastAPI()
    fastapi.instrument(app)
    @app.get("/orders/{n}")
    def order(n: int):
        return {}
    server = uvicorn.Server(uvicorn.Config(app, port=0))
    def ask():
        import http.client
        while not server.started: pass
        port = server.servers[0].sockets[0].getsockname()[1]
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        one.request("GET", "/orders/7"); one.getresponse().read(); one.close()
        server.should_exit = True
    threading.Thread(target=ask).start()
    os.dup2(2, 1)
    server.run()
    """
    lines = ESCAPES.sub("", on_terminal(app, tmp_path, 120)).splitlines()
    (access,) = [line for line in lines if "/orders/7" in line]
    assert re.search(r" orders GET /orders/7 200 \d+\.\d ms  [0-9a-f]{8}$", access)
    told = [re.sub(r"^\S+ ", "", line) for line in lines]
    assert sorted(set(told)) == sorted(told)
    assert sum("Application startup complete" in line for line in lines) == 1


@pytest.mark.slow
def test_the_records_of_the_file_itself_are_not_for_people(tmp_path):
    program = f"import flowery_logging as f; f.setup('orders', directory={str(tmp_path)!r}, output='file,console')\n"
    program += "f.get_logger().info('now')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert [
        line
        for line in done.stderr.splitlines()
        if "log file opened" in line or "log closed" in line
    ] == []
    (file,) = tmp_path.glob("*.ndjson")
    assert [json.loads(line)["message"] for line in file.read_text().splitlines()][
        -1
    ] == "log closed"
