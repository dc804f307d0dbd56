"""aiohttp's client: outgoing calls carry the trace and the request ID to the next service.

    instrument(session)       # this session, or
    instrument()              # all sessions, also those made before

It stands on aiohttp's own client tracing; each redirect goes out with a span ID of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any, Final

from aiohttp import ClientSession, TraceConfig
from yarl import URL

from flowery_logging.foreign import AIOHTTP_REQUEST, trace_configs_of
from flowery_logging.integrations import calls

_CONFIG: Final = "flowery_logging_config"


def instrument(session: object = None, *, hosts: Iterable[str] | None = None) -> None:
    """Send `flowery_logging.outgoing_headers()` with each call of `session`, or of all sessions.

    The rules are those of `flowery_logging.integrations.httpx.instrument`: only `hosts` get the
    headers if they are named, the caller's own stand, his objects are never changed, twice is as
    once. Raises `TypeError` for what is no `ClientSession`.
    """
    config = _Tracing(calls.checked_hosts(hosts))
    if session is None:
        calls.wrap(ClientSession, AIOHTTP_REQUEST, partial(_calling, config))
    else:
        _trace(_checked(session), config)


def uninstrument(session: object = None) -> None:
    """Undo `instrument(session)`; without effect where nothing was done. Raises as it does."""
    if session is None:
        config = getattr(calls.unwrap(ClientSession, AIOHTTP_REQUEST), _CONFIG, None)
        if config is not None:
            config.active = False  # sessions that it has traced keep it
    else:
        configs = trace_configs_of(_checked(session))
        configs[:] = [config for config in configs if not isinstance(config, _Tracing)]


def _checked(session: object) -> ClientSession:
    if not isinstance(session, ClientSession):
        raise TypeError(f"expected a ClientSession of aiohttp, not {calls.described(session)}")
    return session


def _trace(session: ClientSession, config: TraceConfig) -> None:
    """Trace a session, unless it is traced already."""
    configs = trace_configs_of(session)
    if not any(isinstance(known, _Tracing) and known.active for known in configs):
        configs.append(config)


def _calling(config: TraceConfig, request: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `ClientSession._request`: the session is traced while it makes the call."""

    @wraps(request)
    async def call(session: ClientSession, *args: object, **options: object) -> Any:
        _trace(session, config)
        return await request(session, *args, **options)

    setattr(call, _CONFIG, config)
    return call


def _target_of(redirect: Any) -> URL | None:
    """Return where a redirect leads; None where aiohttp does not follow it, or will refuse it."""
    headers = redirect.response.headers
    location = headers.get("Location") or headers.get("URI")
    try:
        return None if location is None else redirect.url.join(URL(location))
    except ValueError:
        return None


class _Running(SimpleNamespace):
    """What aiohttp keeps for us from the start of a call to its end."""

    entered: AbstractContextManager[calls.Call] | None = None
    call: calls.Call


class _Tracing(TraceConfig):
    """aiohttp's hooks: its headers are a copy of the caller's, made for this call."""

    def __init__(self, hosts: calls.Hosts) -> None:
        super().__init__(_Running)
        self.hosts = hosts
        self.active = True
        self.on_request_start.append(self._start)
        self.on_request_redirect.append(self._redirect)
        self.on_request_end.append(self._end)
        self.on_request_exception.append(self._fail)
        self.freeze()

    async def _start(self, _session: object, running: Any, params: Any) -> None:
        if self.active:
            self._begin(running, params.method, params.url, params.headers)

    def _begin(self, running: Any, method: str, url: URL, headers: Any) -> None:
        target = calls.Target(method, url.host or "", url.path, url.port)
        running.entered = calls.calling(target, headers, self.hosts)
        running.call = running.entered.__enter__()
        headers.update(running.call.headers)

    async def _redirect(self, _session: object, running: Any, params: Any) -> None:
        target = _target_of(params)
        if running.entered is None or target is None:
            return
        for name in calls.only_ours(params.headers, running.call):
            del params.headers[name]
        running.call.status = params.response.status
        running.entered.__exit__(None, None, None)
        self._begin(running, params.method, target, params.headers)

    async def _end(self, _session: object, running: Any, params: Any) -> None:
        if running.entered is not None:
            running.call.status = params.response.status
            running.entered.__exit__(None, None, None)

    async def _fail(self, _session: object, running: Any, params: Any) -> None:
        if running.entered is not None:
            error = params.exception
            with suppress(type(error)):
                running.entered.__exit__(type(error), error, error.__traceback__)
