"""`trace`: one request as a tree, as JSON, as a page; by whatever ID somebody has at hand."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files.columns import width
from tests.cli.conftest import flowery, here
from tests.cli.events import STACK, TRACE, Service, checkout, stamp
from tests.cli.fake_elasticsearch import FakeElasticsearch

VOID = {"meta", "rect", "link", "br"}


def trace(*arguments: str | Path, code: int = 0, **variables: str) -> str:
    done = flowery("trace", *arguments, **variables)
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def tree(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(trace("--json", *arguments))
    return found


def outline(hops: list[dict[str, Any]]) -> list[Any]:
    """Titles, each with what hangs below it."""
    return [[hop["title"], *outline(hop["hops"])] for hop in hops]


CHECKOUT = [
    ["POST /checkout 502",
     ["POST orders.internal/orders 500", ["POST /orders 500"]],
     ["task deliver: success"]],
]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Service]:
    checkout(tmp_path, "f" * 32, at=-60)
    services = checkout(tmp_path)
    checkout(tmp_path, "4bf92f35" + "0" * 24, at=60)
    return services


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "asked",
    [TRACE, TRACE.upper(), TRACE[:9], TRACE[:9].upper(), f"00-{TRACE}-{'c' * 16}-01", f" {TRACE} ",
     "4BF92F35-77B3-4DA6-A3CE-929D0E0E4736"],
)  # fmt: skip
def test_hops_hang_below_the_call_whose_span_they_name(asked: str, tmp_path: Path) -> None:
    found = tree(asked, tmp_path)
    assert outline(found["hops"]) == CHECKOUT
    assert (found["trace_id"], found["request_id"]) == (TRACE, "req-가-1")
    assert found["services"] == ["gateway", "orders", "courier"]
    assert (found["events"], found["errors"]) == (8, 3)
    assert found["begin"] == "2026-11-27T03:00:00.000000Z"
    (gateway,) = found["hops"]
    assert (gateway["kind"], gateway["status"], gateway["failed"]) == ("request", 502, True)
    assert (gateway["offset_ms"], gateway["duration_ms"]) == (0, 100)
    assert gateway["gaps"] == [{"offset_ms": 1, "duration_ms": 24}], "the call is no gap"
    call, task = gateway["hops"]
    assert (call["kind"], call["offset_ms"], call["duration_ms"]) == ("call", 25, 70)
    assert (task["kind"], task["offset_ms"], task["failed"]) == ("task", 148, False)
    assert [e["message"] for e in call["hops"][0]["events"]] == [
        "주문 접수", "charge failed", "POST /orders 500",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["only-mine", "only", "5" * 16, "4d63-task"])
def test_an_id_of_another_kind_finds_the_whole_trace(asked: str, tmp_path: Path) -> None:
    checkout(tmp_path, "f" * 32)
    service = Service(tmp_path, "other")
    service.log(
        1, "has it", task_id="4d63-task", trace__id="e" * 32, http__request__id="only-mine",
        transaction__id="5" * 16,
    )  # fmt: skip
    Service(tmp_path, "third").log(2, "has another ID", trace__id="e" * 32)
    assert tree(asked, tmp_path)["events"] == 2
    assert tree(f"{service.entity}-1", tmp_path)["events"] == 2, "an event's own"


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_several_traces_are_listed(tmp_path: Path) -> None:
    for asked, count in (("4bf92f35", 2), ("req-가-1", 3), ("req", 3)):
        done = flowery("trace", asked, tmp_path, "--utc")
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{count} traces have the ID {asked}" in done.stderr
        first, second = done.stderr.splitlines()[1:3]
        assert "2026-11-27 03:01:00.001 UTC  gateway" in first, "the youngest first"
        assert TRACE in second


@pytest.mark.usefixtures("shop")
def test_a_whole_id_counts_before_one_that_only_begins_so(tmp_path: Path) -> None:
    service = Service(tmp_path, "other")
    service.log(1, "one", trace__id="1" * 32, http__request__id="demo-1")
    service.log(2, "twelve", trace__id="2" * 32, http__request__id="demo-12")
    assert tree("demo-1", tmp_path)["trace_id"] == "1" * 32


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_what_is_not_there(tmp_path: Path) -> None:
    done = flowery("trace", "nothing", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no event has the ID nothing" in done.stderr
    assert flowery("trace", " ", tmp_path).returncode == 2
    assert flowery("trace", TRACE, tmp_path, "--since", stamp(120)).returncode == 1


def test_without_parents_a_hop_hangs_where_it_ran(tmp_path: Path) -> None:
    """Events of a version that did not write `parent.id`, as of other agents."""
    ids: dict[str, Any] = {"trace__id": TRACE}
    gateway, orders = Service(tmp_path, "gateway"), Service(tmp_path, "orders")
    gateway.access(1, "GET", "/", 200, 1000, **ids, transaction__id="a" * 16)
    orders.access(0.5, "GET", "/first", 200, 300, **ids, transaction__id="b" * 16)
    Service(tmp_path, "stock").access(
        0.45, "GET", "/inner", 200, 100, **ids, transaction__id="c" * 16
    )
    orders.access(0.34, "GET", "/same", 200, 30, **ids, transaction__id="f" * 16)
    orders.access(0.9, "GET", "/second", 200, 300, **ids, transaction__id="d" * 16)
    Service(tmp_path, "courier").log(
        3, "task x: success", logger="flowery_logging.task", event__duration=10**9,
        transaction__id="e" * 16, **ids,
    )  # fmt: skip
    assert outline(tree(TRACE, tmp_path)["hops"]) == [
        [
            "GET / 200",
            ["GET /first 200", ["GET /inner 200"]],
            ["GET /same 200"],
            ["GET /second 200"],
            ["task x: success"],
        ]
    ]


def test_calls_at_once_hang_below_who_told_their_spans(tmp_path: Path) -> None:
    """At INFO a call has no event of its own: the caller's last event tells its span."""
    ids: dict[str, Any] = {"trace__id": TRACE}
    Service(tmp_path, "gateway").access(
        1, "GET", "/", 200, 1000, **ids, transaction__id="a" * 16, parent__id="9" * 16,
        call_span_ids=["1" * 16, "2" * 16, "3" * 16],
    )  # fmt: skip
    for number, name in enumerate(("orders", "stock", "orders"), 1):
        Service(tmp_path, name, number).access(
            0.5 + number / 100, "GET", f"/{number}", 200, 300, **ids,
            transaction__id=f"{number + 4}" * 16, parent__id=f"{number}" * 16,
        )  # fmt: skip
    assert outline(tree(TRACE, tmp_path)["hops"]) == [
        ["GET / 200", ["GET /1 200"], ["GET /2 200"], ["GET /3 200"]]
    ]


def test_requests_of_one_browser_stand_side_by_side(tmp_path: Path) -> None:
    """They name a parent that logs nothing, and run at the same time."""
    gateway = Service(tmp_path, "gateway")
    for number in range(3):
        gateway.access(
            1 + number / 10, "GET", f"/{number}", 200, 900, trace__id=TRACE,
            transaction__id=f"{number:016x}", parent__id="9" * 16,
        )  # fmt: skip
    assert outline(tree(TRACE, tmp_path)["hops"]) == [
        ["GET /0 200"],
        ["GET /1 200"],
        ["GET /2 200"],
    ]


def test_parents_that_go_in_a_circle_end_the_tree(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    for own, parent in (("a", "b"), ("b", "a"), ("c", "c")):
        service.access(
            1, "GET", f"/{own}", 200, 500, trace__id=TRACE,
            transaction__id=own * 16, parent__id=parent * 16,
        )  # fmt: skip
    assert len(re.findall('"title"', trace("--json", TRACE, tmp_path))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("count", [19, 1500])
def test_a_chain_without_an_end_is_shown(count: int, tmp_path: Path) -> None:
    """A task that sends itself again; all of it is there, from some depth on side by side."""
    service = Service(tmp_path, "worker")
    for number in range(count):
        service.access(
            number, "GET", f"/{number}", 200, 500, trace__id=TRACE,
            transaction__id=f"{number + 1:016x}", **({"parent__id": f"{number:016x}"} if number else {}),
        )  # fmt: skip
    found = tree(TRACE, tmp_path)["hops"]
    titles = []
    depth = 0
    while found:
        depth += 1
        titles += [hop["title"] for hop in found]
        found = [child for hop in found for child in hop["hops"]]
    assert titles == [f"GET /{number} 200" for number in range(count)]
    assert depth == min(count, 20)
    assert trace(TRACE, tmp_path).count("worker  GET /") == count
    trace(TRACE, tmp_path, "--html", tmp_path / "page.html")
    assert f"GET /{count - 1} 200" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("by", ["trace", "request ID"])
def test_of_a_trace_without_an_end_the_first_events_are_shown_and_the_others_counted(
    by: str, tmp_path: Path, elasticsearch: FakeElasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowery_logging.cli.trace.gathering.MOST_EVENTS", 20)
    monkeypatch.setattr("flowery_logging.cli.elasticsearch.PAGE_DOCUMENTS", 7)
    service = Service(tmp_path, "orders")
    for number in reversed(range(50)):
        fields = {"http__request__id": "r-1"} if number == 3 else {}
        elasticsearch.sources.append(
            service.log(number, f"n{number}", trace__id=TRACE, transaction__id="a" * 16, **fields)
        )
    asked = TRACE if by == "trace" else "r-1"
    for source in ([tmp_path], ["--elasticsearch", elasticsearch.url]):
        done = here("trace", asked, "--json", *source)
        assert (done.exit_code, done.stderr) == (0, "30 more events are not shown\n")
        (hop,) = json.loads(done.stdout)["hops"]
        assert [event["message"] for event in hop["events"]] == [f"n{n}" for n in range(20)]


@pytest.mark.slow
def test_lines_of_no_request_are_shown_too(tmp_path: Path) -> None:
    service = Service(tmp_path, "nightly")
    service.log(1, "begun", trace__id=TRACE)
    service.log(2, "failed", "error", trace__id=TRACE)
    (work,) = tree(TRACE, tmp_path)["hops"]
    assert (work["kind"], work["duration_ms"], work["failed"]) == ("work", None, True)
    assert "failed" in trace(TRACE, tmp_path)


@pytest.mark.slow
def test_odd_fields_are_no_error(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    service.log(
        1, "\x1b[31m", trace__id=TRACE, transaction__id="a" * 16, event__duration="long",
        logger="flowery_logging.access", http__response__status_code="x", http__request__id=7,
    )  # fmt: skip
    text = trace(TRACE, tmp_path, COLUMNS="60")
    assert "\x1b" not in text
    assert tree(TRACE, tmp_path)["events"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "America/New_York"])
@pytest.mark.parametrize(
    ("time", "duration"),
    [("0001-01-01T00:00:00+23:59", 1), ("9999-12-31T23:59:59Z", 1), (stamp(0), 10**30)],
)
def test_times_that_no_calendar_has_are_no_error(
    tmp_path: Path, zone: str, time: str, duration: int
) -> None:
    service = Service(tmp_path, "orders")
    service.access(1, "GET", "/", 200, 1, trace__id=TRACE, transaction__id="a" * 16)
    line = json.loads(service.path.read_bytes())
    line["@timestamp"], line["event"]["duration"] = time, duration
    service.path.write_text(json.dumps(line, separators=(",", ":")) + "\n")
    page = tmp_path / "page.html"
    assert "GET / 200" in trace(TRACE, tmp_path, TZ=zone)
    assert '"events": 1' in trace(TRACE, tmp_path, "--json", TZ=zone)
    trace(TRACE, tmp_path, "--html", page, TZ=zone)
    done = flowery("stats", tmp_path, "--html", page, TZ=zone)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_the_tree_fits_the_terminal(columns: str, tmp_path: Path) -> None:
    text = trace(TRACE, tmp_path, COLUMNS=columns)
    for part in (
        "✗ POST /che",
        "└─ courier",
        "├─ →  ✗ POST",
        "주문 접수",
        "without a line",
        "PaymentError: 결제 실패 <7>",
    ):
        assert part in text
    assert max(map(width, text.splitlines())) <= int(columns)


@pytest.mark.usefixtures("shop")
def test_in_a_pipe_nothing_is_cut(tmp_path: Path) -> None:
    lines = trace(TRACE, tmp_path, "--utc").splitlines()
    assert lines[0] == f"trace {TRACE}"
    assert lines[1] == "request req-가-1"
    assert lines[2:4] == [
        "2026-11-27 03:00:00.000 UTC · 160.0 ms", "3 services · 8 events · 3 errors",
    ]  # fmt: skip
    (task,) = (line for line in lines if "배송 출발" in line)
    assert task.endswith("order_id=7"), "with all its fields"


class Page(HTMLParser):
    """The elements of a page that is well formed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_the_page_says_all_and_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert trace(TRACE, tmp_path, "--html", path) == ""
    content = path.read_text("utf-8")
    assert trace(TRACE, tmp_path, "--html", "-") == content
    page = Page(content)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "a", "base"}
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"style", "src", "href"}
    (style,) = page.texts["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (m["content"] or "" for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert "url(" not in style
    assert "@import" not in style
    assert [s["class"] for s in page.all("section")] == [
        "hop request failed", "hop call failed", "hop request failed", "hop task",
    ]  # fmt: skip
    assert page.texts["pre"] == [STACK]
    assert "PaymentError: 결제 실패 <7>" in "".join(page.texts["summary"])
    parts = [r for r in page.all("rect") if r["class"] == "part"]
    assert [(r["x"], r["width"]) for r in parts] == [
        ("0", "625"), ("156", "437"), ("187", "375"), ("925", "75"),
    ]  # fmt: skip
    assert {"주문 접수", "tulip 주문 요청", "배송 출발"} <= set(page.texts["span"])


def test_what_stands_in_events_is_never_markup(tmp_path: Path) -> None:
    bad = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
    Service(tmp_path, bad).access(
        1, bad, bad, 500, 10, trace__id=TRACE, transaction__id=bad, http__request__id=bad,
        host__name=bad, evil=bad, error__stack_trace=bad, error__type=bad,
    )  # fmt: skip
    Service(tmp_path, "x").log(1, bad, bad, trace__id=TRACE)
    page = Page(trace(TRACE, tmp_path, "--html", "-"))
    assert not {tag for tag, _ in page.elements} & {"script", "img"}


@pytest.mark.slow
def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    checkout(tmp_path)
    done = flowery("trace", TRACE, tmp_path, "--html", tmp_path / "no" / "page.html")
    assert (done.returncode, "cannot write" in done.stderr) == (2, True)


@pytest.mark.slow
def test_the_same_tree_from_elasticsearch(tmp_path: Path, elasticsearch: FakeElasticsearch) -> None:
    checkout(tmp_path)
    checkout(tmp_path, "f" * 32, at=60)
    records = [
        json.loads(line)
        for path in tmp_path.glob("*.ndjson")
        for line in path.read_bytes().splitlines()
    ]
    elasticsearch.sources += [*records, *records[:3]]  # some were delivered twice
    url = ["--elasticsearch", elasticsearch.url]
    assert json.loads(trace(TRACE, *url, "--json")) == tree(TRACE, tmp_path)
    assert outline(tree(TRACE[:12], *url)["hops"]) == CHECKOUT
    for record in elasticsearch.sources:  # as a synthetic source has it
        record["@timestamp"] = record["@timestamp"].rstrip("0Z").rstrip(".") + "Z"
    short, whole = tree(TRACE, *url), tree(TRACE, tmp_path)
    for hop in (short["hops"][0], whole["hops"][0]):
        hop["events"] = [event["message"] for event in hop.pop("events")]
    assert short["hops"][0]["events"] == whole["hops"][0]["events"]
    assert (short["begin"], short["duration_ms"]) == (whole["begin"], whole["duration_ms"])
    assert flowery("trace", "nothing", *url).returncode == 1
    assert flowery("trace", "req-가-1", *url).returncode == 1, "two traces have it"
    elasticsearch.status = 503
    done = flowery("trace", TRACE, *url)
    assert (done.returncode, "cannot be asked" in done.stderr) == (4, True)
