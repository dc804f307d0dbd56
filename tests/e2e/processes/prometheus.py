"""The real Prometheus with the kit's rules, on loopback."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from examples.shop.ports import free_port

from .process import LOOPBACK, Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RULES = Path(__file__).resolve().parents[3] / "filebeat" / "prometheus" / "rules" / "*.yml"
SECONDS = 1
"""Production's pace (15 s), shortened for the tests' sake alone."""


class Prometheus(Process):
    """Prometheus that scrapes these ports, by job; its numbers lie in `folder`."""

    name = "Prometheus"

    def __init__(self, binary: Path, folder: Path, jobs: Mapping[str, Iterable[int]]) -> None:
        self.url = f"http://{LOOPBACK}:{free_port()}"
        configuration = folder / "prometheus.yml"  # JSON is YAML
        configuration.write_text(json.dumps(_configuration(jobs)))
        super().__init__(
            [
                str(binary),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
                "--enable-feature=exemplar-storage",
            ],
            folder / "prometheus.log",
            environment={},
        )

    def is_ready(self) -> bool:
        """Whether it answers queries."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        """What its API answers: `data`."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}") as answer:
            return json.loads(answer.read())["data"]

    def numbers(self, promql: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the number of each series that a query finds now."""
        found = self.ask("query", query=promql)["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]


def _configuration(jobs: Mapping[str, Iterable[int]]) -> dict[str, Any]:
    pace = f"{SECONDS}s"
    return {
        "global": {"scrape_interval": pace, "scrape_timeout": pace, "evaluation_interval": pace},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": job,
                "static_configs": [{"targets": [f"{LOOPBACK}:{port}" for port in ports]}],
            }
            for job, ports in jobs.items()
        ],
    }
