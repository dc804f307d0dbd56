"""The real Elasticsearch, one node on the loopback interface."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import httpx

from examples.shop.ports import free_port

from .account import Account
from .process import LOOPBACK, Process, StartError

HEAP = "512m"

SETTINGS = """\
cluster.name: flowery-e2e
discovery.type: single-node
network.host: {host}
http.port: {http_port}
transport.port: {transport_port}
path.data: {folder}/data
path.logs: {folder}/logs
xpack.security.enabled: {secured}
xpack.security.autoconfiguration.enabled: false
# A nearly full disk of the machine is not what is tested.
cluster.routing.allocation.disk.threshold_enabled: false
"""


class Elasticsearch(Process):
    """A node that keeps its data and ports over a restart; `close` ends it for good."""

    name = "Elasticsearch"
    secured = False
    scheme = "http"

    def __init__(self, home: Path, jdk: Path) -> None:
        account = Account.unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="flowery-elasticsearch-"))
        self._folder.chmod(0o755)
        home = _readable(home, self._folder, account)
        _check_readable(jdk / "bin" / "java", account)
        self.url = f"{self.scheme}://{LOOPBACK}:{self._configure(home)}"
        self._prepare(home, jdk)
        account.give(self._folder)
        super().__init__(
            [str(home / "bin" / "elasticsearch")],
            self._folder / "output.log",
            environment={
                "ES_JAVA_HOME": str(jdk),
                "ES_JAVA_OPTS": f"-Xms{HEAP} -Xmx{HEAP}",
                "ES_PATH_CONF": str(self._folder / "config"),
                "ES_TMPDIR": str(self._folder / "tmp"),
                "HOME": str(self._folder),
            },
            account=account,
        )

    def is_ready(self) -> bool:
        """Whether the node answers and can search and write all that it holds."""
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        try:
            return httpx.get(health, timeout=60).status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """End it at once, since its data goes as well."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _configure(self, home: Path) -> int:
        port = free_port()
        shutil.copytree(home / "config", self._folder / "config")
        for name in ("data", "logs", "tmp"):
            (self._folder / name).mkdir()
        settings = SETTINGS.format(
            host=LOOPBACK,
            http_port=port,
            transport_port=free_port(),
            folder=self._folder,
            secured=str(self.secured).lower(),
        )
        (self._folder / "config" / "elasticsearch.yml").write_text(settings)
        return port

    def _prepare(self, home: Path, jdk: Path) -> None:
        """Do what has to be done in the configuration's folder before the first start."""


def _readable(home: Path, folder: Path, account: Account) -> Path:
    """`home` itself, or a copy where the account cannot get at it (a checkout in /root)."""
    _check_readable(folder, account)
    if account.can_read(home / "bin" / "elasticsearch"):
        return home
    return Path(shutil.copytree(home, folder / "home", symlinks=True))


def _check_readable(path: Path, account: Account) -> None:
    if not account.can_read(path):
        raise StartError(
            f"Elasticsearch does not run as root, and the account nobody cannot read {path}: "
            "run the tests as an ordinary user, or open the folders above it (chmod a+x)."
        )
