"""`flowery-logging scan` reads all that the real Elasticsearch holds, in several pages."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .elasticsearch_client import ElasticsearchClient
    from .processes.elasticsearch import Elasticsearch

CARD = "4111-1111-1111-" + "1111"
EVENTS = 2_300
PROGRAM = """
import sys, logging, flowery_logging
flowery_logging.setup("scanned", directory=sys.argv[1], environment=sys.argv[2], output="file")
for n in range(int(sys.argv[3])):
    logging.getLogger("shop").info("paid by SLOT" if n % 100 == 0 else "event", extra={"n": n})
"""


def flowery(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flowery_logging", *arguments],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_what_slipped_through_is_found_where_it_arrived(
    elasticsearch_server: Elasticsearch,
    elasticsearch: ElasticsearchClient,
    log_dir: Path,
    environment: str,
    streams: str,
) -> None:
    arguments = [sys.executable, "-c", PROGRAM, str(log_dir), environment, str(EVENTS)]
    subprocess.run(arguments, check=True)
    written = sum(len(path.read_bytes().splitlines()) for path in log_dir.iterdir())
    for path in log_dir.iterdir():
        path.write_bytes(path.read_bytes().replace(b"SLOT", CARD.encode()))
    url = ("--elasticsearch", elasticsearch_server.url)
    sent = flowery("resend", str(log_dir), "--grace", "0", *url, "--index", streams)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    elasticsearch.refresh()
    found = flowery("scan", "--json", *url, "--index", streams)
    assert found.returncode == 1, found.stdout + found.stderr
    assert CARD not in found.stdout
    result = json.loads(found.stdout)
    assert result["events"] == written > EVENTS
    (place,) = result["places"]
    assert place["count"] == EVENTS // 100
    assert (place["field"], place["kind"], place["logger"]) == ("message", "card", "shop")
    other = flowery("scan", *url, "--index", streams, "--service", "nobody")
    assert other.returncode == 0, other.stdout + other.stderr
