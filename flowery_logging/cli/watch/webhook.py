"""Tells a chat: one POST of JSON, in the form that it takes.

The URL is a secret: whoever has it can write there. It stands in no message of ours. No redirect is
followed, and a server that does not answer is given up.
"""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from flowery_logging.cli.http import NoRedirect

TIMEOUT_SECONDS: Final = 10.0
"""How long each step of the connection may take."""

TOTAL_SECONDS: Final = 20.0
"""How long all of it may take, also from a server that answers byte by byte."""

_HOSTS: Final = {
    "slack.com": "slack", "slack-gov.com": "slack", "discord.com": "discord",
    "discordapp.com": "discord", "kakaowork.com": "kakaowork",
}  # fmt: skip

SLACK_CHARS: Final = 3_000  # of `text` before its escapes; Slack cuts at 40 000
DISCORD_CHARS: Final = 2_000  # of `content`: https://discord.com/developers/docs/resources/webhook
KAKAOWORK_CHARS: Final = 500  # of a text block: https://docs.kakaoi.ai/kakao_work/

Told = Sequence[tuple[str, str]]
"""State ("begun", "over" or "happened") and text of what is told."""

_MARKS: Final = {"begun": "[!]", "over": "[ok]", "happened": "[!]"}


class WebhookError(Exception):
    """It was not delivered; says why, without the URL."""


def check(url: str) -> None:
    """Raise ValueError, which does not show the URL, if it is none of HTTP(S)."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable()
        usable = usable and " " not in url and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("a URL is wanted that begins with https://")


def form_of(url: str) -> str:
    """Return the form that a URL's host takes; "json" for one that is not known."""
    host = urlsplit(url).hostname or ""
    return next((form for name, form in _HOSTS.items() if f".{host}".endswith(f".{name}")), "json")


def body(form: str, told: Told) -> dict[str, Any]:
    """Return what is sent."""
    return FORMS[form](told)


def _lines(told: Told) -> list[str]:
    return [f"{_MARKS[state]} {text}" for state, text in told]


def _slack(told: Told) -> dict[str, Any]:
    text = _cut(_lines(told), SLACK_CHARS)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    return {"text": text}


def _discord(told: Told) -> dict[str, Any]:
    # Nobody is called by a log message that says @everyone.
    return {"content": _cut(_lines(told), DISCORD_CHARS), "allowed_mentions": {"parse": []}}


def _kakaowork(told: Told) -> dict[str, Any]:
    text = _cut(_lines(told), KAKAOWORK_CHARS)
    style = "blue" if all(state == "over" for state, _ in told) else "red"
    header = {"type": "header", "text": "flowery-logging", "style": style}
    return {"text": text, "blocks": [header, {"type": "text", "text": text, "markdown": False}]}


def _json(told: Told) -> dict[str, Any]:
    alerts = [{"state": state, "text": text} for state, text in told]
    return {"text": "\n".join(_lines(told)), "alerts": alerts}


FORMS: Final[dict[str, Callable[[Told], dict[str, Any]]]] = {
    "slack": _slack,
    "discord": _discord,
    "kakaowork": _kakaowork,
    "json": _json,
}
"""What `--format` takes."""


def _cut(lines: list[str], most: int) -> str:
    """Return lines of at most so many characters; how many are left out stands in the last one."""
    text = "\n".join(lines)
    kept = len(lines)
    while len(text) > most and kept > 1:
        kept -= 1
        text = "\n".join([*lines[:kept], f"… and {len(lines) - kept} more"])
    return text if len(text) <= most else f"{text[: most - 1]}…"


def send(url: str, content: dict[str, Any]) -> None:
    """Post it. Raises WebhookError."""
    outcome: list[str] = []
    # A thread, because each byte that comes prolongs a socket's own limit.
    thread = threading.Thread(target=lambda: outcome.append(_post(url, content)), daemon=True)
    thread.start()
    thread.join(TOTAL_SECONDS)
    problem = outcome[0] if outcome else f"it does not answer within {TOTAL_SECONDS:.0f} s"
    if problem:
        raise WebhookError(problem)


def _post(url: str, content: dict[str, Any]) -> str:
    """Post it and return what went wrong, without the URL; "" if nothing did."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "flowery-logging"}
    try:
        request = urllib.request.Request(  # noqa: S310 - `check` admits http and https only
            url, orjson.dumps(content), headers, method="POST"
        )
        opener = urllib.request.build_opener(NoRedirect)
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 400:
            return f"it answers {error.code} with a redirect, which is not followed"
        return f"it answers {error.code}"
    except urllib.error.URLError as error:
        return f"it cannot be reached: {getattr(error.reason, 'strerror', None) or 'no connection'}"
    except TimeoutError:
        return f"it does not answer within {TIMEOUT_SECONDS:.0f} s"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"it cannot be asked ({type(error).__name__})"
    return ""
