"""The corpus in the library's own events: in requests, and in tasks of a real Celery worker."""

import asyncio
import json
import re
import signal
from collections import Counter
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest

from flowery_logging.integrations.asgi import RequestMiddleware
from tests.integrations.celery_workers import APP, ends, process, read, wait_for_ends
from tests.redaction.test_corpus import LOOK_ALIKES, SECRETS, told

pytestmark = pytest.mark.slow

WAYS: dict[str, Callable[[str], str]] = {
    "quoted": lambda text: quote(text, safe=""),
    "as forms have it": quote_plus,
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "as JSON": lambda text: quote(json.dumps({"note": text})),
}


async def answer(scope, receive, send):
    """An application that answers each request with nothing."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def request(queries):
    """Ask the application once for each query."""
    app = RequestMiddleware(answer)

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        pass

    async def ask():
        for query in queries:
            scope = {
                "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http",
                "path": "/orders", "raw_path": b"/orders", "query_string": query.encode(),
                "headers": [], "client": ("127.0.0.1", 1), "server": ("shop", 80),
            }  # fmt: skip
            await app(scope, receive, send)

    asyncio.run(ask())


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_in_an_access_event(logged, way):
    request(f"page=1&note={WAYS[way](text)}&x=2" for _, text, _ in SECRETS)
    found: Counter[str] = Counter()
    for (kind, text, secret), event in zip(SECRETS, logged.events(), strict=True):
        query = event["url"]["query"]
        shown = (query, unquote(query), unquote_plus(unquote_plus(query)))
        found[kind] += not any(secret in one for one in shown)
        assert query.startswith("page=1&note="), text
    assert told("found", found, Counter(kind for kind, _, _ in SECRETS)) == 0


@pytest.mark.parametrize("way", ["quoted", "as forms have it"])
def test_no_look_alike_is_changed_in_an_access_event(logged, way):
    queries = [f"page=1&note={WAYS[way](text)}&x=2" for _, text in LOOK_ALIKES]
    request(queries)
    kept: Counter[str] = Counter()
    for (kind, _), query, event in zip(LOOK_ALIKES, queries, logged.events(), strict=True):
        kept[kind] += event["url"]["query"] == query
    assert told("left alone", kept, Counter(kind for kind, _ in LOOK_ALIKES)) == 0


TASKS = """
@app.task
def told(text, **named):
    log.info("task is told %s", text, extra={"data_kwargs": repr(named), "named": named})
    return {"text": text, "named": named}

@app.task
def failing(text, **named):
    raise ValueError(text)
"""
SENDER = """
import json, os, time
from shop_tasks import failing, told
for number, text in enumerate(json.load(open("texts.json"))):
    while len(os.listdir("queue")) > 50:  # each task is found by a look at all that wait
        time.sleep(0.01)
    for task in (told, failing):
        task.apply_async((text,), {"body": {"text": text}}, task_id=f"{task.__name__}-{number}")
"""


@pytest.fixture(scope="module")
def of_worker(tmp_path_factory):
    """Send each text to a worker; return by text what the events of its tasks show.

    One task is told the text, the other fails with it.
    """
    directory = tmp_path_factory.mktemp("celery")
    (directory / "queue").mkdir()
    (directory / "shop_tasks.py").write_text(APP + TASKS)
    texts = [text for _, text, _ in SECRETS] + [text for _, text in LOOK_ALIKES]
    (directory / "texts.json").write_text(json.dumps(texts))
    command = ["-m", "celery", "-A", "shop_tasks", "worker", "-c", "2", "-l", "info"]
    worker = process(directory, "courier", *command, "--without-gossip", "--without-mingle")
    try:
        _, err = process(directory, "gateway", "-c", SENDER).communicate(timeout=300)
        wait_for_ends(directory, 2 * len(texts), worker)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=300)
    events = read(directory)
    assert len(ends(events)) == 2 * len(texts), err.decode()
    return by_text(events, texts, str(directory))


def by_text(events, texts, directory):
    found: dict[str, list[str]] = {text: [] for text in texts}
    for event in events:
        _, dash, number = event.get("labels", {}).get("task_id", "").partition("-")
        if dash:
            found[texts[int(number)]].append(shown(event).replace(directory, ""))
    return found


def shown(event):
    """What an event shows of a text; its IDs may have the same letters."""
    labels = {key: text for key, text in event["labels"].items() if key != "task_id"}
    error = {key: text for key, text in event.get("error", {}).items() if key != "id"}
    return "\n".join(map(str, (event["message"], *labels.values(), *error.values())))


def stands_in(shown, secret):
    """Tell whether a secret is shown; one of two digits may be in how long a task has taken."""
    number = rf"(?<![\w.]){re.escape(secret)}(?!\w|\.[0-9])"
    return re.search(number, shown) is not None if len(secret) < 5 else secret in shown


@pytest.mark.slow
def test_no_secret_is_in_the_events_of_a_celery_worker(of_worker):
    found: Counter[str] = Counter()
    for kind, text, secret in SECRETS:
        assert len(of_worker[text]) >= 6  # each task is received, runs or fails, and ends
        seen = [one for one in of_worker[text] if stands_in(one, secret)]
        found[kind] += not seen
        print(*seen, sep="\n", end="\n" * bool(seen))
    assert told("found", found, Counter(kind for kind, _, _ in SECRETS)) == 0


@pytest.mark.slow
def test_no_look_alike_is_changed_in_the_events_of_a_celery_worker(of_worker):
    kept: Counter[str] = Counter()
    for kind, text in LOOK_ALIKES:
        shown = of_worker[text]
        kept[kind] += any(f"task is told {text}" in one for one in shown) and not any(
            "redacted" in one and "redacted" not in text for one in shown
        )
    assert told("left alone", kept, Counter(kind for kind, _ in LOOK_ALIKES)) == 0
