"""The real OpenSearch, one node on the loopback interface."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import httpx

from examples.shop.ports import free_port

from .process import LOOPBACK, Process

LAUNCHER = Path(__file__).resolve().parents[1] / "programs" / "OpenSearchNode.java"

SETTINGS = """\
http.host: {host}
transport.host: {host}
transport.port: {transport_port}
cluster.routing.allocation.disk.threshold_enabled: false
"""


class OpenSearch(Process):
    """A node whose data goes with it at `close`."""

    name = "OpenSearch"

    def __init__(self, jars: Path, jdk: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="flowery-opensearch-"))
        port = free_port()
        self.url = f"http://{LOOPBACK}:{port}"
        base = self._folder / "base"
        config = base / "node_1" / "config"
        config.mkdir(parents=True)
        (config / "opensearch.yml").write_text(
            SETTINGS.format(host=LOOPBACK, transport_port=free_port())
        )
        super().__init__(
            [
                *(str(jdk / "bin" / "java"), "-Xms512m", "-Xmx512m", "-cp", f"{jars}/*"),
                *(str(LAUNCHER), str(base), str(port)),
            ],
            self._folder / "output.log",
            environment={},
        )

    def is_ready(self) -> bool:
        """Whether the node answers and can write."""
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        try:
            return httpx.get(health, timeout=60).status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """End it at once, since its data goes as well."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
