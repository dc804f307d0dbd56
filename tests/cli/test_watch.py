"""`watch`: each thing is told once, and once that it is over; to a chat in its own form."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.cli.watch import state as states, webhook
from tests.cli.conftest import here
from tests.cli.crafted import Written, ago
from tests.cli.fake_elasticsearch import FakeElasticsearch

SECRET = "T00000000/B00000000/XXXXXXXXXXXX"


class Chat:
    """A server that takes what is posted; `status` and `location` are what it answers."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.location = ""
        self.hold: threading.Event | None = None  # an answer waits for it
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.posts.append((self.path, json.loads(body)))
                while chat.hold is not None and not chat.hold.wait(0.05):
                    pass
                self.send_response(chat.status)
                if chat.location:
                    self.send_header("Location", chat.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/{SECRET}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def chat() -> Iterator[Chat]:
    server = Chat()
    yield server
    server.close()


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., list[tuple[str, str, str]]]:
    def once(*arguments: str | Path, code: int) -> list[tuple[str, str, str]]:
        """What one look tells: state, kind and text."""
        state = tmp_path / "state" / "watch.json"
        done = here("watch", "--once", "--json", "--state", state, tmp_path / "logs", *arguments)
        assert done.exit_code == code, done.output
        return [(one["state"], one["kind"], one["text"]) for one in json.loads(done.stdout)["told"]]

    return once


Look = Callable[..., list[tuple[str, str, str]]]


@pytest.fixture
def file(tmp_path: Path) -> Written:
    written = Written(tmp_path / "logs", "orders", start=ago(hours=3))
    written.add(ago(seconds=1))
    return written


def test_nothing_to_tell(look: Look, file: Written) -> None:
    assert look(code=0) == look(code=0) == []


def test_a_service_goes_silent_and_comes_back(look: Look, tmp_path: Path) -> None:
    file = Written(tmp_path / "logs", "orders", start=ago(hours=3))
    file.add(ago(minutes=16))
    assert look(code=1) == [("begun", "silent", "orders has been silent for 15 min or longer")]
    assert look(code=1) == []
    file.add(ago(seconds=1))
    assert look(code=0) == [("over", "silent", "over: orders has been silent for 15 min or longer")]
    assert look(code=0) == []
    assert look("--silent", "1s", code=1)[0][:2] == ("begun", "silent")


def test_a_job_that_is_done_is_not_silent_but_a_service_that_was_stopped_is(
    look: Look, tmp_path: Path
) -> None:
    for service, reason in (("job", ""), ("service", "SIGTERM")):
        file = Written(tmp_path / "logs", service, start=ago(hours=3))
        event = {"reason": reason} if reason else {}
        file.add(
            ago(hours=1),
            "log closed",
            log={"logger": "flowery_logging"},
            action="log-closed",
            event=event,
        )
    assert [one[2].partition(" ")[0] for one in look(code=1)] == ["service"]


def test_a_service_whose_files_are_gone_is_silent_too(look: Look, file: Written) -> None:
    assert look(code=0) == []
    file.path.unlink()
    state = file.path.parents[1] / "state" / "watch.json"
    content = json.loads(state.read_bytes())
    content["services"]["orders"] -= 3600
    state.write_text(json.dumps(content))
    assert look(code=1)[0][1] == "silent"
    content = json.loads(state.read_bytes())
    content["services"]["orders"] -= 86_400
    state.write_text(json.dumps(content))
    assert look(code=0) == [
        ("over", "silent", "orders has been silent for a day and is not watched any more")
    ]
    assert look(code=0) == []


def test_many_errors_are_told_until_they_are_few(look: Look, file: Written) -> None:
    for minute in range(10, 60):
        file.add(ago(minutes=minute), "usual", "error")
    for _ in range(9):
        file.add(ago(seconds=30), "boom", "error")
    assert look(code=0) == []
    for _ in range(10):
        file.add(ago(seconds=30), "boom", "critical")
    ((state, kind, text),) = look(code=1)
    assert (state, kind) == ("begun", "errors")
    assert text.startswith("orders: 19 errors within 5 min, where 4.")
    assert look(code=1) == []
    assert look("--errors", "20", code=0)[0][:2] == ("over", "errors")
    assert look("--errors", "19", "--factor", "5", code=0) == []


def test_a_new_error_is_told_once_whatever_its_message(look: Look, file: Written) -> None:
    file.error(ago(hours=2), "OldError", message="there before the first look")
    assert look(code=0) == []
    file.error(ago(seconds=5), "NewError", message="order 7\nsecond line")
    file.error(ago(seconds=5), "OldError")
    ((state, kind, text),) = look(code=1)
    assert (state, kind) == ("happened", "new-error")
    assert text.startswith("new error in orders: NewError: order 7 (")
    file.error(ago(seconds=4), "NewError", message="order 8")
    assert look(code=0) == []


def test_an_error_that_began_within_the_window_is_new_at_the_first_look(
    look: Look, file: Written
) -> None:
    file.error(ago(seconds=5))
    assert look(code=1)[0][1] == "new-error"


def test_dropped_and_lost_events(look: Look, file: Written) -> None:
    assert look(code=0) == []
    file.add(
        ago(seconds=3), "log can be written again", "warning", log={"logger": "flowery_logging"},
        action="log-recovered", labels={"dropped_sequences": "4-9"},
    )  # fmt: skip
    file.number = 9  # these six were dropped
    file.add(ago(seconds=2))
    assert look(code=1) == [
        ("happened", "dropped", "orders dropped events 4-9 while the disk took none")
    ]
    lines = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(b"".join(lines[:1] + lines[2:]))
    ((state, kind, text),) = look(code=1)
    assert (state, kind) == ("happened", "lost")
    assert f"orders lost 1 events: numbers 2 of process {file.entity}" in text
    assert look(code=0) == []


@pytest.mark.parametrize("form", ["slack", "discord", "kakaowork", "kakao", "json"])
def test_a_chat_is_told_in_its_own_form(form: str, look: Look, file: Written, chat: Chat) -> None:
    file.error(ago(seconds=5), message="<b> & @everyone")
    look("--webhook", chat.url, "--format", form, code=1)
    ((path, body),) = chat.posts
    assert path == f"/services/{SECRET}"
    if form == "slack":
        assert set(body) == {"text"}
        assert "ValueError: &lt;b&gt; &amp; @everyone" in body["text"]
    elif form == "discord":
        assert "ValueError: <b> & @everyone" in body["content"]
        assert body["allowed_mentions"] == {"parse": []}
    elif form.startswith("kakao"):
        assert "ValueError" in body["text"]
        assert [block["type"] for block in body["blocks"]] == ["header", "text"]
    else:
        assert body["alerts"][0]["state"] == "happened"
    look("--webhook", chat.url, code=0)
    assert len(chat.posts) == 1


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/x", "slack"), ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://discordapp.com/api/webhooks/1/x", "discord"), ("https://kakaowork.com/bots/hook/x", "kakaowork"),
        ("https://notslack.com/x", "json"), ("https://example.com/slack.com", "json"),
    ],
)  # fmt: skip
def test_the_form_is_told_by_the_host(url: str, form: str) -> None:
    assert webhook.form_of(url) == form


def test_a_message_is_as_long_as_the_chat_takes() -> None:
    told = [("begun", "한" * 150)] * 40
    assert len(webhook.body("discord", told)["content"]) <= 2000
    assert len(webhook.body("kakaowork", told)["blocks"][1]["text"]) <= 500
    assert webhook.body("discord", told)["content"].splitlines()[-1].endswith(" more")
    assert len(webhook.body("discord", [("begun", "x" * 9000)])["content"]) == 2000


def test_what_a_chat_did_not_take_is_told_again(look: Look, file: Written, chat: Chat) -> None:
    file.error(ago(seconds=5))
    state = file.path.parents[1] / "state" / "watch.json"
    for status in (500, 404, 429):
        chat.status = status
        done = here("watch", "--state", state, "--webhook", chat.url, file.path.parent)
        assert done.exit_code == 4
        assert f"the webhook was not told: it answers {status}" in done.stderr
        assert SECRET not in done.output
    chat.status = 200
    assert look("--webhook", chat.url, code=1)[0][1] == "new-error"
    assert look("--webhook", chat.url, code=0) == []


def test_no_redirect_is_followed(look: Look, file: Written, chat: Chat) -> None:
    other = Chat()
    file.error(ago(seconds=5))
    try:
        for status in (301, 302, 303, 307, 308):
            chat.status, chat.location = status, other.url
            done = here(
                "watch",
                "--state",
                file.path.parent / "state",
                "--webhook",
                chat.url,
                file.path.parent,
            )
            assert done.exit_code == 4
            assert "redirect, which is not followed" in done.stderr
            assert SECRET not in done.output
        assert other.posts == []
    finally:
        other.close()


def test_a_chat_that_never_answers_is_given_up(
    file: Written, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TOTAL_SECONDS", 0.2)
    chat.hold = threading.Event()
    file.error(ago(seconds=5))
    done = here(
        "watch", "--state", file.path.parent / "state", "--webhook", chat.url, file.path.parent
    )
    chat.hold.set()
    assert done.exit_code == 4
    assert "does not answer within" in done.stderr


@pytest.mark.parametrize(
    "url", [f"ftp://x/{SECRET}", f"/{SECRET}", f"https://x:port/{SECRET}", f"http:///{SECRET}", f"https://a b/{SECRET}",
            f"http://[::1/{SECRET}", f"https://x/\n{SECRET}"],
)  # fmt: skip
def test_the_url_of_a_webhook_is_never_shown(url: str, file: Written) -> None:
    for done in (
        here("watch", "--webhook", url, file.path.parent),
        here("watch", file.path.parent, WATCH_WEBHOOK_URL=url),
    ):
        assert done.exit_code == 2
        assert SECRET not in done.output
        assert "a URL is wanted" in done.stderr


def test_a_host_that_is_not_there(file: Written) -> None:
    file.error(ago(seconds=5))
    url = f"http://127.0.0.1:1/{SECRET}"
    done = here("watch", "--state", file.path.parent / "state", "--webhook", url, file.path.parent)
    assert done.exit_code == 4
    assert "it cannot be reached" in done.stderr
    assert SECRET not in done.output


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version":1,"open":7}', '{"version":9}', '{"version":1,"x":1}']
)
def test_a_state_that_is_none(content: str, file: Written, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    done = here("watch", "--state", path, file.path.parent)
    assert done.exit_code == 2
    assert str(path) in done.stderr
    assert "remove it to begin anew" in done.stderr
    assert path.read_text() == content


def test_wrong_arguments(file: Written, tmp_path: Path) -> None:
    directory = file.path.parent
    assert here("watch", "--once", "--every", "1m", directory).exit_code == 2
    assert here("watch", "--silent", "soon", directory).exit_code == 2
    assert here("watch", "--silent", "0s", directory).exit_code == 2
    assert here("watch", "--state", tmp_path / "s", tmp_path / "none").exit_code == 2


def test_a_directory_without_log_files_is_no_quiet_one(look: Look, tmp_path: Path) -> None:
    """A cron job with the wrong directory would be green for ever."""
    directory = tmp_path / "logs"
    directory.mkdir()
    arguments = ("watch", "--once", "--state", tmp_path / "state.json", directory)
    for _ in range(2):
        done = here(*arguments)
        assert done.exit_code == 2
        assert f"no log files in {directory}" in done.output
    Written(directory, "orders", start=ago(hours=3)).add(ago(seconds=1))
    assert here(*arguments).exit_code == 0


@pytest.mark.slow
def test_a_service_that_watches_tells_each_thing_once(
    file: Written, chat: Chat, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "flowery_logging",
        "watch",
        "--every",
        "100ms",
        "--state",
        tmp_path / "state.json",
    ]
    command[command.index("100ms")] = "0.1s"
    environment = {**os.environ, "WATCH_WEBHOOK_URL": chat.url}
    process = subprocess.Popen(
        [*map(str, command), str(file.path.parent)], env=environment, stdout=subprocess.PIPE
    )
    try:
        file.error(ago(seconds=1), "FirstError")
        deadline = time.monotonic() + 300
        while len(chat.posts) < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        second = here("watch", "--state", tmp_path / "state.json", file.path.parent)
        assert second.exit_code == 2
        assert "another watch is at work" in second.stderr
        file.error(ago(seconds=1), "SecondError")
        while len(chat.posts) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert ["FirstError" in body["text"] for _, body in chat.posts] == [True, False]
    assert output.decode().count("new error") == 2


@pytest.mark.slow
def test_a_loss_is_told_after_the_clock_was_set_back(file: Written, tmp_path: Path) -> None:
    path, ahead = tmp_path / "state.json", time.time() + 10 * 365 * 86_400
    states.save(path, states.State(looked=ahead, audited=ahead))
    file.number += 5  # these are lost
    file.add(ago(seconds=1))
    arguments = ("--every", "0.1s", "--state", str(path), str(file.path.parent))
    watching = subprocess.Popen(
        [sys.executable, "-m", "flowery_logging", "watch", *arguments], stdout=subprocess.PIPE
    )
    try:
        wait_until(lambda: states.load(path).looked < ahead)
    finally:
        watching.send_signal(signal.SIGTERM)
        output, _ = watching.communicate(timeout=300)
    assert b"orders lost 5 events" in output


class Arrived(FakeElasticsearch):
    """Answers the questions of `watch` with buckets that are given, and those by number."""

    def __init__(self) -> None:
        super().__init__()
        self.services: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []
        self.processes: list[dict[str, Any]] = []
        self.dead_letters = 0

    def answer(self, path: str, authorization: str | None, body: bytes) -> tuple[int, Any]:
        self.requests.append((path, authorization))
        if self.status != 200 or "/_refresh" in path:
            return self.status, {"error": {"reason": "not today"}}
        request = json.loads(body)
        if "dead_letters" in path:
            return 200, {"hits": {"total": {"value": self.dead_letters}, "hits": []}}
        aggregations = request.get("aggs", {})
        if "page" in aggregations:
            sources = aggregations["page"]["composite"]["sources"]
            if not any("service" in source for source in sources):
                return super().answer(path, authorization, body)
            return 200, {"aggregations": {"page": {"buckets": self.processes}}}
        if "services" in aggregations:
            buckets = {"services": {"buckets": self.services}, "errors": {"buckets": self.errors}}
            return 200, {"aggregations": buckets}
        found = [
            {"_source": one, "sort": ["", one["event"]["id"]]}
            for one in self.records
            if one["event"]["id"] > request.get("search_after", ["", ""])[1]
        ]
        return 200, {"hits": {"hits": found[: request["size"]]}}

    def arrive(self, process: str, numbers: Iterable[int], **since: float) -> None:
        """Let events of a process be there."""
        self.documents += [
            {
                "process.entity_id": process,
                "event.sequence": number,
                "event.id": f"{process}-{number}",
                "@timestamp": ago(**since).isoformat(),
            }
            for number in numbers
        ]


def process_bucket(service: str, process: str, first: int, last: int, count: int) -> dict[str, Any]:
    return {
        "key": {"service": service, "process": process},
        "doc_count": count,
        "first": {"value": float(first)},
        "last": {"value": float(last)},
    }


@pytest.fixture
def arrived() -> Iterator[Arrived]:
    server = Arrived()
    yield server
    server.close()


def service_bucket(name: str, **since: float) -> dict[str, Any]:
    newest: dict[str, Any] = {"hits": {"hits": [{"_source": {"event": {}}}]}}
    last = {"value": ago(**since).timestamp() * 1000}
    return {
        "key": name,
        "doc_count": 7,
        "last": last,
        "newest": newest,
        "errors": {"minutes": {"buckets": []}},
    }


def test_a_look_at_elasticsearch(arrived: Arrived, tmp_path: Path) -> None:
    def look(code: int) -> list[tuple[str, str]]:
        done = here(
            "watch", "--json", "--state", tmp_path / "state.json", "--elasticsearch", arrived.url,
            "--api-key", "key",
        )  # fmt: skip
        assert done.exit_code == code, done.output
        return [(one["state"], one["kind"]) for one in json.loads(done.stdout)["told"]]

    arrived.services = [service_bucket("orders", seconds=10)]
    assert look(0) == []
    minute = {"key": int(ago(minutes=1).timestamp() * 1000), "doc_count": 30}
    orders = service_bucket("orders", seconds=5)
    orders["errors"]["minutes"]["buckets"] = [minute]
    arrived.services = [orders, service_bucket("gateway", minutes=30)]
    moment = {"value": ago(seconds=9).timestamp() * 1000}
    sample = {"hits": {"hits": [{"_source": {"error": {"type": "ValueError", "message": "boom"}}}]}}
    arrived.errors = [
        {
            "key": "abc",
            "first": moment,
            "last": moment,
            "sample": sample,
            "services": {"buckets": [{"key": "orders"}]},
        }
    ]
    arrived.records = [
        {"event": {"id": "p-9", "action": "log-recovered"}, "labels": {"dropped_sequences": "4-6"},
         "process": {"entity_id": "p"}, "service": {"name": "orders"}}
    ]  # fmt: skip
    arrived.processes = [process_bucket("orders", "p", 1, 10, 6)]
    arrived.arrive("p", [1, 2, 3, 7, 8, 10], minutes=30)
    arrived.dead_letters = 2
    assert sorted(look(1)) == [
        ("begun", "dead-letters"), ("begun", "errors"), ("begun", "silent"),
        ("happened", "dropped"), ("happened", "lost"), ("happened", "new-error"),
    ]  # fmt: skip
    assert look(1) == []
    arrived.dead_letters = 0
    assert look(1) == [("over", "dead-letters")]
    arrived.status = 503
    done = here("watch", "--state", tmp_path / "state.json", "--elasticsearch", arrived.url)
    assert done.exit_code == 4
    assert {authorization for _, authorization in arrived.requests[:3]} == {"ApiKey key"}


def test_what_is_announced_hides_nothing_else_that_is_lost(
    arrived: Arrived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is announced may have arrived all the same, and stand on a later page."""
    monkeypatch.setattr("flowery_logging.cli.elasticsearch.PAGE_DOCUMENTS", 2)
    arrived.services = [service_bucket("orders", seconds=10)]
    arrived.arrive("p", [*range(1, 91), *range(96, 101)], minutes=30)
    arrived.arrive("q", [1, 4], minutes=30)
    arrived.arrive("late", [1, 2, 4], minutes=30)
    arrived.arrive("late", [3], seconds=1)  # with a number of its own, and its time behind
    arrived.processes = [
        process_bucket("orders", "p", 1, 100, 95),
        process_bucket("orders", "q", 1, 4, 2),
        process_bucket("orders", "late", 1, 4, 3),
    ]
    removed = {"removed_sequences": "p:1-50"}  # shipped before
    arrived.records = [
        {"event": {"id": f"r-{n}", "action": "log-files-removed"}, "labels": labels,
         "process": {"entity_id": "r"}, "service": {"name": "orders"}}
        for n, labels in enumerate([removed, {}, {}, {}, {"removed_sequences": "q:2-3"}])
    ]  # fmt: skip
    done = here(
        "watch", "--json", "--state", tmp_path / "state.json", "--elasticsearch", arrived.url
    )
    lost = [one["text"] for one in json.loads(done.stdout)["told"] if one["kind"] == "lost"]
    assert len(lost) == 1, done.stdout
    assert "5 events of orders have not arrived: process p" in lost[0]


@pytest.mark.parametrize(
    "answer", [{}, {"hits": {"hits": []}, "_shards": {"failed": 2}}], ids=["no search", "shards"]
)
@pytest.mark.parametrize("command", [["watch"], ["trace", "4bf92f3577b34da6a3ce929d0e0e4736"]])
def test_an_answer_that_is_none_is_said(
    command: list[str], answer: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(FakeElasticsearch):
        def answer(self, path: str, authorization: str | None, body: bytes) -> tuple[int, Any]:
            return 200, answer

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    other = Other()
    try:
        done = here(*command, "--elasticsearch", other.url)
    finally:
        other.close()
    assert done.exit_code == 4, done.output
    assert ("2 shards gave no answer" if answer else "is this Elasticsearch?") in done.stderr


@pytest.mark.slow
def test_a_state_that_cannot_be_saved_ends_no_watch_and_is_remembered(
    tmp_path: Path, chat: Chat
) -> None:
    place = tmp_path / "state"
    place.mkdir()
    file = Written(tmp_path / "logs", "orders")
    command = [sys.executable, "-m", "flowery_logging", "watch", "--every", "0.1s"]
    options = ["--state", str(place / "state.json"), str(file.path.parent)]
    environment = {**os.environ, "WATCH_WEBHOOK_URL": chat.url}
    with (tmp_path / "stderr").open("wb") as errors:
        process = subprocess.Popen([*command, *options], env=environment, stderr=errors)
    try:
        wait_until((place / "state.json").exists)
        (place / "state.json").unlink()
        (place / "state.json").mkdir()  # nothing replaces a folder
        file.error(ago(seconds=1), "FirstError")
        wait_until(lambda: (tmp_path / "stderr").read_bytes().count(b"cannot write") >= 3)
        file.error(ago(seconds=1), "SecondError")
        wait_until(lambda: len(chat.posts) >= 2)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(300)
    told = [body["text"] for _, body in chat.posts]
    assert ["FirstError" in text for text in told] == [True, False]
    assert sorted(path.name for path in place.iterdir()) == ["state.json", "state.json.lock"]


def wait_until(is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 300
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
