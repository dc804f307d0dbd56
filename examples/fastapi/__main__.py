"""A customer of the service in app.py, which uvicorn serves: `make example NAME=fastapi`."""

import httpx

import flowery_logging
from examples import running
from examples.shop.ports import free_port
from flowery_logging.integrations import httpx as flowery_httpx


def main() -> None:
    directory, port = running.begin("fastapi"), free_port()
    flowery_logging.setup(service="customer", levels={"flowery_logging.client": "DEBUG"})
    flowery_httpx.instrument()
    served = ("uvicorn", "examples.fastapi.app:app", "--port", str(port))
    with running.server(directory, port, *served) as url:
        trace_id = buy(url)
    running.show(trace_id, directory)


def buy(url: str) -> str:
    """Place an order and look for two, all in one trace; return its ID."""
    log = flowery_logging.get_logger("customer")
    with flowery_logging.continue_trace({}) as trace, httpx.Client(base_url=url) as client:
        placed = client.post("/orders/tulip").json()
        client.get(f"/orders/{placed['order_id']}").raise_for_status()
        missing = client.get("/orders/404")
        log.info("done", order_id=placed["order_id"], missing=missing.status_code)
        return trace.trace_id


if __name__ == "__main__":
    main()
