"""The spans with which OpenTelemetry's traces enter a request, told by its SDK as they start.

At a line only the innermost span is seen, and no line may stand between the entry span's start and
its end. So one more processor listens at the application's tracer provider: it changes no span and
exports none. Without the SDK, or with a provider that is not the global one, what is seen at the
lines must do (see agents.py).
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

from flowery_logging.foreign import OPENTELEMETRY_PROVIDER
from flowery_logging.signalled import let_through

_heard: weakref.WeakSet[Any] = weakref.WeakSet()


def listen(started: Callable[[Any], None]) -> None:
    """Have `started` called with each span that starts, in its own context. Never raises."""
    api, sdk = sys.modules.get("opentelemetry.trace"), sys.modules.get("opentelemetry.sdk.trace")
    if api is None or sdk is None:
        return
    try:
        # Not get_tracer_provider(): it may make one, which is the application's to do.
        provider = getattr(api, OPENTELEMETRY_PROVIDER, None)
        if provider in _heard or not isinstance(provider, sdk.TracerProvider):
            return
        _heard.add(provider)
        provider.add_span_processor(_processor(sdk, started))
    except Exception as error:  # other people's code
        let_through(error)


def _processor(sdk: Any, started: Callable[[Any], None]) -> Any:
    def on_start(_self: object, span: object, parent_context: object = None) -> None:  # noqa: ARG001
        try:
            started(span)
        except Exception as error:  # a span must not cost a request
            let_through(error)

    return type("_Listening", (sdk.SpanProcessor,), {"on_start": on_start})()
