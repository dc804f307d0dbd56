"""A websocket under ASGI: one event when it opens, one when it closes."""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from typing import Any

from flowery_logging import context
from flowery_logging.integrations import ends
from flowery_logging.integrations.asgi_types import Message, Receive, Send
from flowery_logging.integrations.ends import APPLICATION_ERROR, CUT_OFF, DISCONNECTED
from flowery_logging.integrations.exchange import MALFORMED, Exchange, logger, size_of, status_of
from flowery_logging.signalled import let_through, sheltered
from flowery_logging.system import System

_OK = (1000, 1001)  # "normal closure" and "going away" (RFC 6455 §7.4.1)


# An extension of ASGI: a server without it does not take these messages, which Starlette sends all
# the same where an `HTTPException` is raised.
_ANSWER = "websocket.http.response"
_WITH_HEADERS = ("websocket.accept", f"{_ANSWER}.start")


class Conversation:
    """Follows one websocket; a handshake that is refused is an ordinary access event."""

    def __init__(self, exchange: Exchange, scope: MutableMapping[str, Any]) -> None:
        self.exchange = exchange
        self._scope = scope
        self.is_open = False
        self.has_gone = False  # the client, while nobody had closed the websocket
        self.gone_by: OSError | None = None  # by which the server has said so while we sent
        self.received = 0
        self.sent = 0

    def receiving(self, receive: Receive) -> Receive:
        """Return `receive`, counting what comes."""

        async def following() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                self.received += 1
            elif message["type"] == "websocket.disconnect":
                self.has_gone = not self.exchange.ended
                self._close(message.get("code", 1005), message.get("reason"))
            return message

        return following

    def sending(self, send: Send, marked: Callable[[Message], Message]) -> Send:
        """Return `send`, counting what goes; `marked` is for messages with response headers."""

        async def following(message: Message) -> None:
            kind = message.get("type")
            if not self.is_open:
                self.exchange.match(self._scope)
            if kind in _WITH_HEADERS:
                try:
                    message = marked(message)
                except MALFORMED as error:
                    let_through(error)
            await self._send(send, message)
            if kind == "websocket.accept":
                self._open()
            elif kind == "websocket.send":
                self.sent += 1
            elif kind == "websocket.close":
                self._refuse_or_close(message)
            elif _ANSWER in (self._scope.get("extensions") or ()):
                self._refused(message)

        return following

    async def _send(self, send: Send, message: Message) -> None:
        try:
            await send(message)
        except OSError as error:  # "servers should raise" it: the client has gone (ASGI, WebSocket)
            self.has_gone, self.gone_by = True, error
            raise

    def _refused(self, message: Message) -> None:
        """Take note of a part of the response with which a handshake is refused."""
        if message.get("type") == f"{_ANSWER}.start":
            self.exchange.status = status_of(message.get("status"))
        elif message.get("type") == f"{_ANSWER}.body":
            self.exchange.body(size_of(message.get("body", b"")))
            if not message.get("more_body", False):
                self.exchange.end()

    def _refuse_or_close(self, message: Message) -> None:
        if self.is_open:
            self._close(message.get("code", 1000), message.get("reason"))
        else:
            self.exchange.status = 403  # what the server answers (ASGI, "Close")
            self.exchange.end()

    def failed(self, exc: BaseException) -> None:
        """End one whose application has raised: the server closes with 1011 or answers with 500."""
        reason = ends.reason_of(exc, started=True, gone=self.has_gone)
        if not self.is_open:
            self.exchange.match(self._scope)
            self.exchange.failed(exc, gone=self.has_gone)
        elif reason == CUT_OFF:
            self._close(1011, APPLICATION_ERROR, failed=True)
        else:
            self._close(1006, reason, failed=reason in ends.FAILURES)

    def finished(self, reason: str) -> None:
        """End one whose application has returned; the server closes what it left open."""
        if not self.is_open:
            self.exchange.end(DISCONNECTED if self.has_gone else reason)
        elif self.has_gone:
            self._close(1006, DISCONNECTED)
        else:
            self._close(1000, None)

    def _open(self) -> None:
        self.is_open = True
        self._log(logging.INFO, "opened", {"event.type": ["start"]})

    def _close(self, code: int, reason: str | None, *, failed: bool = False) -> None:
        if not self.is_open:
            return
        exchange = self.exchange
        self.is_open, exchange.ended, exchange.status = False, True, 101
        duration = System.perf_counter_ns() - exchange.begun
        if failed:
            exchange.request.fail()
        outcome = "failure" if failed else "success" if code in _OK else "unknown"
        if exchange.observed:
            exchange.tell(reason, duration, outcome, websocket=True)
        fields = {
            "event.type": ["end"],
            "event.duration": duration,
            "event.outcome": outcome,
            "websocket_close_code": code,
            "messages_received": self.received,
            "messages_sent": self.sent,
            **exchange.traced(),
        }
        exchange.add_costs(fields, duration)
        if reason:
            fields["event.reason"] = reason
        self._log(logging.ERROR if failed else logging.INFO, "closed", fields)

    def _log(self, level: int, what: str, fields: dict[str, Any]) -> None:
        exchange = self.exchange
        if not exchange.options.access_log:
            return
        common = {"event.category": ["web"], "event.action": f"websocket-{what}"}
        with sheltered, context.inside(context.whole(exchange.request)):
            extra = {**exchange.head(), **common, **fields}
            logger.log(level, "websocket %s %s", exchange.path, what, extra=extra)
