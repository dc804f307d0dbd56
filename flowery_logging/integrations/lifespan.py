"""An ASGI application's lifespan: what it raises is logged once, with its stack; its end is closed.

Frameworks tell a server of such an exception by its text alone, and servers log that text, or
nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from flowery_logging import runtime
from flowery_logging.capture import reported
from flowery_logging.capture.own import OwnLogger
from flowery_logging.integrations import servers
from flowery_logging.integrations.asgi_types import Message, Receive, Send
from flowery_logging.signalled import sheltered

_FAILED: Final = ("lifespan.startup.failed", "lifespan.shutdown.failed")


class Lifespan:
    """Follows the messages of one lifespan.

    Args:
        logger: under whose name an exception is logged.
    """

    def __init__(self, logger: OwnLogger) -> None:
        self._logger = logger
        self._phase: str | None = None  # what the server has asked for, or "lifespan" in between
        self._told = False

    async def run(self, app: Callable[..., Awaitable[None]], *asgi: Any) -> None:
        """Run the application for its lifespan; `asgi` is scope, receive and send."""
        scope, receive, send = asgi
        try:
            await app(scope, self._receiving(receive), self._sending(send))
        except Exception as exc:
            if not self._told:  # hypercorn raises an error of its own where it is told of one
                self._report(exc)
            raise

    def _report(self, exc: Exception) -> None:
        """Log an exception, if nobody has.

        An application that has asked for no message has no lifespan: Django's raises at once, and
        servers go on without.
        """
        if self._phase is None or not self._logger.isEnabledFor(logging.ERROR):
            return
        if not reported.is_noted(exc):
            with sheltered:  # a foreign handler that raises must not replace `exc`
                text = "the application's %s raised an exception"
                self._logger.log(logging.ERROR, text, self._phase, exc_info=exc)
        servers.leave_out(exc)
        self._told = True

    def _receiving(self, receive: Receive) -> Receive:
        async def following() -> Message:
            message = await receive()
            self._phase = message["type"].rpartition(".")[2]
            return message

        return following

    def _sending(self, send: Send) -> Send:
        """Write the closing record when the application has shut down: some servers exit hard.

        The server's own last lines are closed too, until an application starts in this process
        again.
        """

        async def following(message: Message) -> None:
            kind = message["type"]
            if kind in _FAILED:
                self._failed(str(message.get("message", "")))
            if kind.startswith("lifespan.shutdown."):
                runtime.checkpoint()
            elif kind == "lifespan.startup.complete":
                self._phase = "lifespan"
                runtime.go_on()
            await send(message)

        return following

    def _failed(self, text: str) -> None:
        """Log the exception that is being handled, where it is what the server is told of.

        A lifespan that is cancelled or let go has not failed: frameworks tell the server so all the
        same, and hypercorn raises an error of its own then.
        """
        exc = sys.exc_info()[1]
        if isinstance(exc, (asyncio.CancelledError, GeneratorExit)):
            self._told = True
        elif isinstance(exc, Exception) and type(exc).__name__ in text:
            self._report(exc)
            if self._told:
                servers.leave_out_text(text)
