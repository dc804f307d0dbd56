"""What a type checker in strict mode says of code that uses the library."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RIGHT = """
from fastapi import FastAPI
import flowery_logging
from flowery_logging.integrations import asgi, celery, fastapi, httpx, wsgi
from flowery_logging.integrations.options import RequestOptions
from structlog.typing import FilteringBoundLogger

flowery_logging.setup(service="orders", baggage=["tenant"])
log = flowery_logging.get_logger()
log.info("order placed", order_id=7)
log.bind(shop="one").unbind("shop").warning("late by %d s", 7)
log.isEnabledFor(20)
log.exception("failed")
other: FilteringBoundLogger = log

async def later() -> None:
    await log.ainfo("order placed", order_id=7)

app = FastAPI()
fastapi.instrument(app, quiet={"/ready": 0.01}, proxies=["10.0.0.0/8"], server_timing=True)
app.add_middleware(asgi.RequestMiddleware, quiet=["/health"])
options: RequestOptions = {"quiet": ["/health"]}
wrapped = asgi.RequestMiddleware(app, request_id_header=["X-Request-ID"], traceparent=True)
httpx.instrument(hosts=["orders"], repeats=True)
celery.instrument(service="courier", repeats=True)

def flask(application: wsgi.Application) -> wsgi.Application:
    return wsgi.RequestMiddleware(application, quiet=["/health"], access_log=False)
"""

WRONG = """
from fastapi import FastAPI
import flowery_logging
from flowery_logging.integrations import asgi, celery, fastapi, wsgi

app = FastAPI()
fastapi.instrument(app, qiet=["/health"])
fastapi.instrument(app, access_log="no")
asgi.RequestMiddleware(app, qiet=["/health"])
app.add_middleware(asgi.RequestMiddleware, qiet=["/health"])
wsgi.RequestMiddleware(lambda environ, start: [], server_timing=7)
celery.instrument(servise="courier")
flowery_logging.get_logger().inof("order placed")
flowery_logging.get_logger().bind(a=1).inof("order placed")
flowery_logging.setup(baggage=7)
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Return what checks a program; what is known of other libraries is kept."""
    cache = tmp_path_factory.mktemp("cache")
    return lambda path, text: errors_of(path, text, cache)


def errors_of(path: Path, text: str, cache: Path) -> list[str]:
    path.write_text(text)
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty",
         "--cache-dir", str(cache), str(path)],
        capture_output=True, text=True, timeout=600, check=False, cwd=path.parent,
    )  # fmt: skip
    found = [line for line in ran.stdout.splitlines() if ": error: " in line]
    return [line for line in found if "[import-untyped]" not in line and path.name in line]


def test_right_code_is_right(tmp_path, checked):
    assert checked(tmp_path / "right.py", RIGHT) == []


def test_each_misspelt_or_mistyped_option_and_method_is_an_error(tmp_path, checked):
    errors = checked(tmp_path / "wrong.py", WRONG)
    numbers = {int(line.split(":")[1]) for line in errors}
    first = WRONG.splitlines().index('fastapi.instrument(app, qiet=["/health"])') + 1
    assert numbers == set(range(first, len(WRONG.splitlines()) + 1)), "\n".join(errors)
