"""Figures of the servers that carry the events: how full they are, and what ends soon.

Each figure comes from one question; a server that gives no answer to it leaves the others. The
questions are those of Elasticsearch's and Logstash's API documentation.
"""

from __future__ import annotations

import calendar
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from flowery_logging.cli.elasticsearch import Elasticsearch
from flowery_logging.cli.http import HttpServer, RequestError

DAY: Final = 86_400.0
KEYS: Final = "flowery-"
"""How the names of the kit's API keys begin."""


@dataclass(frozen=True)
class Limit:
    """Where a figure becomes an alert; the same numbers stand in the alert rules."""

    name: str
    number: float
    below: bool = False  # an alert at this number and below, not at it and above

    def passed(self, figure: float) -> bool:
        """Tell whether the figure is one to wake somebody for."""
        return figure <= self.number if self.below else figure >= self.number


LIMITS: Final = (
    Limit("shards_percent", 80),
    Limit("disk_percent", 85),
    Limit("queue_percent", 50),
    Limit("days_to_expiry", 14, below=True),
)

Figures = dict[str, float]

_OTHER_ANSWERS: Final = (LookupError, TypeError, AttributeError, StopIteration)
"""What the questions raise where an answer has another form."""


def figures(
    server: Elasticsearch | None, logstash: HttpServer | None, certificates: Iterable[str]
) -> tuple[Figures, list[str]]:
    """Return the figures that could be had, and why others could not."""
    found: Figures = {}
    failures: list[str] = []
    questions: list[tuple[str, Callable[[], float | None]]] = [
        ("days_to_expiry", partial(_days_of_file, path)) for path in certificates
    ]
    if server is not None:
        questions += [
            ("shards_percent", partial(_shards, server)),
            ("disk_percent", partial(_disk, server)),
            ("days_to_expiry", partial(_days_of_certificates, server)),
            ("days_to_expiry", partial(_days_of_keys, server)),
        ]
    if logstash is not None:
        questions.append(("queue_percent", partial(_queue, logstash)))
    for name, ask in questions:
        try:
            figure = ask()
        except (RequestError, OSError, ValueError) as error:
            failures.append(f"{name}: {error}")
            continue
        except _OTHER_ANSWERS as error:
            failures.append(f"{name}: not the answer that is documented ({error!r})")
            continue
        if figure is not None:
            lower = figure if name not in found else min(found[name], figure)
            found[name] = round(lower, 1)
    return found, failures


def _shards(server: Elasticsearch) -> float:
    health = server.request("GET", "/_cluster/health")
    settings = server.request("GET", "/_cluster/settings?include_defaults=true&flat_settings=true")
    allowed = next(
        settings[kind]["cluster.max_shards_per_node"]
        for kind in ("transient", "persistent", "defaults")
        if "cluster.max_shards_per_node" in settings.get(kind, {})
    )
    kinds = ("active_shards", "initializing_shards", "unassigned_shards")
    shards = sum(health[kind] for kind in kinds)
    return 100 * float(shards) / (float(allowed) * max(int(health["number_of_data_nodes"]), 1))


def _disk(server: Elasticsearch) -> float:
    nodes = server.request("GET", "/_nodes/stats/fs")["nodes"].values()
    totals = [node["fs"]["total"] for node in nodes]
    return max(
        100 - 100 * float(total["available_in_bytes"]) / float(total["total_in_bytes"])
        for total in totals
    )


def _days_of_certificates(server: Elasticsearch) -> float | None:
    found = server.ask("GET", "/_ssl/certificates")
    ends = [_days(_moment(entry["expiry"])) for entry in found]
    return min(ends, default=None)


def _days_of_keys(server: Elasticsearch) -> float | None:
    found = server.request("GET", "/_security/api_key?active_only=true")["api_keys"]
    ours = (key for key in found if key["name"].startswith(KEYS) and key.get("expiration"))
    return min((_days(key["expiration"] / 1000) for key in ours), default=None)


def _queue(logstash: HttpServer) -> float | None:
    answer = orjson.loads(logstash.send("GET", "/_node/stats/pipelines"))
    queues = [pipeline.get("queue", {}) for pipeline in answer["pipelines"].values()]
    shares = [_share(queue) for queue in queues if queue.get("max_queue_size_in_bytes")]
    return max(shares, default=None)


def _share(queue: Mapping[str, Any]) -> float:
    return 100 * float(queue["queue_size_in_bytes"]) / float(queue["max_queue_size_in_bytes"])


def _days_of_file(path: str) -> float:
    """Return how long a certificate in a PEM file holds; openssl reads it."""
    command = ["openssl", "x509", "-in", path, "-noout", "-enddate"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a list, without a shell
    if said.returncode:
        raise ValueError(f"{path}: {said.stderr.strip()[:200]}")
    return _days(ssl.cert_time_to_seconds(said.stdout.strip().partition("=")[2]))


def _moment(text: str) -> float:
    """Return an RFC 3339 time in UTC as seconds since the epoch."""
    whole = text.partition(".")[0].rstrip("Z")
    return float(calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")))


def _days(moment: float) -> float:
    return (moment - time.time()) / DAY
