"""gunicorn: its own lines through our writer, as events; its access line once a request.

# gunicorn.conf.py
import flowery_logging
flowery_logging.setup(service="orders")
logger_class = "flowery_logging.integrations.gunicorn.Logger"
"""

from __future__ import annotations

import logging
from typing import Any

from gunicorn import glogging

from flowery_logging import runtime
from flowery_logging.integrations import servers, wsgi
from flowery_logging.integrations.ends import NO_RESPONSE
from flowery_logging.integrations.exchange import status_of
from flowery_logging.integrations.options import Options
from flowery_logging.system import System

_OPTIONS = Options()


class Logger(glogging.Logger):  # type: ignore[misc]
    """Sends `gunicorn.error` to the root logger, where ours is, and writes access events.

    A request that went through `RequestMiddleware` has its event already. Where `setup()` has not
    been called gunicorn logs as it does without this class.
    """

    def setup(self, cfg: Any) -> None:
        """Configure gunicorn's loggers (called by gunicorn, also on reload)."""
        if not runtime.current_sink().ready:
            super().setup(cfg)
            return
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), logging.INFO)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
            log.setLevel(self.loglevel)
        runtime.reattach()

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Write the access event of a request that our middleware has not seen."""
        if not runtime.current_sink().ready:
            super().access(resp, req, environ, request_time)
            return
        if servers.was_told():
            return
        # After an error gunicorn gives an environ that has no path.
        environ = {"PATH_INFO": getattr(req, "path", "") or "", **environ}
        headers = wsgi.headers_of(environ)
        exchange = wsgi.exchange_of(environ, headers, _OPTIONS.incoming(headers), _OPTIONS)
        exchange.begun = System.perf_counter_ns() - int(request_time.total_seconds() * 1e9)
        exchange.status = status_of(resp.status)
        exchange.sent = getattr(resp, "sent", 0) or 0
        exchange.begin().end(NO_RESPONSE if exchange.status is None else None)
