"""`flowery-logging kit watch`: figures of the servers, and an event of them for the alerts."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.kit.servers import FakeServer, serving
from tests.kit.test_command import run

DAY = 86_400


class Cluster(FakeServer):
    """Answers as Elasticsearch's and Logstash's API documentation says."""

    def __init__(self) -> None:
        super().__init__()
        end = datetime.now(timezone.utc) + timedelta(days=100, hours=1)
        keys = [
            {"name": "flowery-logstash", "expiration": int((time.time() + 60.1 * DAY) * 1000)},
            {"name": "flowery-old"},
            {"name": "of-others", "expiration": int(time.time() * 1000)},
        ]
        total = {"total_in_bytes": 1000, "available_in_bytes": 600}
        self.answers: dict[str, Any] = {
            "/_cluster/health": {
                "number_of_data_nodes": 2,
                "active_shards": 150,
                "initializing_shards": 1,
                "unassigned_shards": 49,
            },
            "/_cluster/settings": {
                "persistent": {},
                "transient": {},
                "defaults": {"cluster.max_shards_per_node": "1000"},
            },
            "/_nodes/stats/fs": {"nodes": {"a": {"fs": {"total": total}}}},
            "/_ssl/certificates": [{"expiry": end.strftime("%Y-%m-%dT%H:%M:%S.000Z")}],
            "/_security/api_key": {"api_keys": keys},
            "/_node/stats/pipelines": {
                "pipelines": {
                    "flowery": {"queue": {"queue_size_in_bytes": 1, "max_queue_size_in_bytes": 4}},
                    "in-memory": {"queue": {"type": "memory"}},
                }
            },
        }

    def answer(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        return 200, self.answers[path.partition("?")[0]]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    with serving(cluster):
        yield cluster


def watch(cluster: Cluster, *more: str) -> Any:
    return run("watch", "--elasticsearch", cluster.url, "--logstash", cluster.url, *more)


def test_figures_of_all_servers(cluster: Cluster) -> None:
    told = watch(cluster)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines() == [
        "shards_percent 10",
        "disk_percent 40",
        "days_to_expiry 60.1",
        "queue_percent 25",
    ]


def test_a_figure_at_its_limit_is_marked(cluster: Cluster) -> None:
    cluster.answers["/_cluster/health"]["active_shards"] = 1550
    cluster.answers["/_security/api_key"]["api_keys"][0]["expiration"] -= 50 * DAY * 1000
    told = watch(cluster)
    assert told.returncode == 1
    assert "shards_percent 80  !" in told.stdout
    assert "days_to_expiry 10.1  !" in told.stdout
    assert "disk_percent 40\n" in told.stdout


def test_what_cannot_be_had_leaves_the_rest(cluster: Cluster) -> None:
    cluster.refuse["/_ssl/"] = (403, "not for you")
    cluster.answers["/_node/stats/pipelines"] = {}
    told = watch(cluster)
    assert told.returncode == 4
    assert "disk_percent 40" in told.stdout
    assert "days_to_expiry 60.1" in told.stdout
    assert "not for you" in told.stderr
    assert "queue_percent: " in told.stderr


@pytest.mark.slow
def test_a_certificate_of_a_file_is_watched(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "filebeat" / "certificates.sh"
    subprocess.run(
        ["sh", str(script), str(tmp_path), "logstash"],
        env={"DAYS": "9", "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    )
    told = run("watch", "--certificate", str(tmp_path / "logstash.crt"))
    assert (told.returncode, told.stdout) == (1, "days_to_expiry 9  !\n")
    assert run("watch", "--certificate", str(script)).returncode == 4
    assert run("watch").returncode == 2


def test_the_figures_are_an_event_for_the_alerts(cluster: Cluster, tmp_path: Path) -> None:
    assert watch(cluster, "--log-dir", str(tmp_path)).returncode == 0
    events = [
        json.loads(line) for path in tmp_path.iterdir() for line in path.read_bytes().splitlines()
    ]
    (event,) = [event for event in events if event["log"]["logger"] == "flowery_watch"]
    assert event["service"]["name"] == "flowery-watch"
    assert event["numeric_labels"] == {
        "shards_percent": 10.0,
        "disk_percent": 40.0,
        "days_to_expiry": 60.1,
        "queue_percent": 25.0,
    }
