"""Prometheus: requests, calls, tasks and logging itself as metrics; needs the extra `prometheus`.

    from flowery_logging.integrations import prometheus

    prometheus.instrument()                                  # beside setup()
    app.add_route("/metrics", prometheus.asgi_app())         # FastAPI, Starlette; or wsgi_app()
    prometheus.serve(9464)                                   # in a worker, which has no HTTP

The numbers come from the facts that each access, call and task event tells, and from the lines that
the writer has numbered. Requests whose events are quiet or sampled are counted all the same. With
PROMETHEUS_MULTIPROC_DIR an endpoint shows all processes that share the directory.
"""

from flowery_logging.integrations.prometheus.endpoint import asgi_app, exposition, serve, wsgi_app
from flowery_logging.integrations.prometheus.registration import instrument, uninstrument

__all__ = ["asgi_app", "exposition", "instrument", "serve", "uninstrument", "wsgi_app"]
