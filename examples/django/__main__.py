"""A customer of the site, which Django's own server serves: `make example NAME=django`."""

import os

import httpx

import flowery_logging
from examples import running
from examples.shop.ports import free_port
from flowery_logging.integrations import httpx as flowery_httpx


def main() -> None:
    directory, port = running.begin("django"), free_port()
    flowery_logging.setup(service="customer", levels={"flowery_logging.client": "DEBUG"})
    flowery_httpx.instrument()
    os.environ["DJANGO_SETTINGS_MODULE"] = "examples.django.settings"
    served = ("django", "runserver", "--noreload", str(port))
    with running.server(directory, port, *served) as url:
        trace_id = buy(url)
    running.show(trace_id, directory)


def buy(url: str) -> str:
    """Ask for what there is, and pay in vain, all in one trace; return its ID."""
    log = flowery_logging.get_logger("customer")
    with flowery_logging.continue_trace({}) as trace, httpx.Client(base_url=url) as client:
        paths = ("/health", "/price/rose", "/price/oak", "/stock/rose", "/pay")
        answers = [client.get(path).status_code for path in paths]
        log.info("done", answers=answers)
        return trace.trace_id


if __name__ == "__main__":
    main()
