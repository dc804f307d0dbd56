"""The shop with customers who never stop: `python -m examples.customers DIRECTORY`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from examples.shop import services, traffic

REQUESTS_AT_ONCE = 20
PAUSE_SECONDS = 5.0


async def keep_buying(url: str, bought: Callable[[traffic.Outcome], None]) -> None:
    """Send requests to the gateway at `url`, a few every few seconds, until cancelled."""
    while True:
        bought(await traffic.send(url, REQUESTS_AT_ONCE, lambda _: None))
        await asyncio.sleep(PAUSE_SECONDS)


async def run(directory: Path) -> None:
    """Run the shop and its customers until SIGINT or SIGTERM; `directory` must be there."""
    async with services.shop(directory) as shop:
        task = asyncio.ensure_future(keep_buying(shop["gateway"].url, lambda _: None))
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]).absolute()))
