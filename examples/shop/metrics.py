"""The shop's metrics, where somebody wants them: `SHOP_METRICS` is the port to show them on."""

import os


def start() -> None:
    """Count this process's requests, calls, tasks and lines, and show them on loopback."""
    port = os.environ.get("SHOP_METRICS")
    if not port:
        return
    from flowery_logging.integrations import prometheus  # the extra: not needed without it

    prometheus.instrument()
    prometheus.serve(int(port))
