"""The real Kafka, one broker on the loopback interface."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from examples.shop.ports import free_port

from .process import LOOPBACK, Process, StartError

PARTITIONS = 3

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
num.partitions={partitions}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
group.initial.rebalance.delay.ms=0
"""


class Kafka(Process):
    """A broker that is its own controller; topics are made when they are first named."""

    name = "Kafka"

    def __init__(self, jars: Path, jdk: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="flowery-kafka-"))
        port = free_port()
        self.address = f"{LOOPBACK}:{port}"
        properties = self._folder / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                host=LOOPBACK,
                port=port,
                controller_port=free_port(),
                folder=self._folder,
                partitions=PARTITIONS,
            )
        )
        self._port = port
        self._java = [str(jdk / "bin" / "java"), "-Xmx384m", "-cp", f"{jars}/*"]
        self._format(properties)
        command = [*self._java, "kafka.Kafka", str(properties)]
        super().__init__(command, self._folder / "output.log", environment={})

    def is_ready(self) -> bool:
        """Whether the broker takes connections; its jars come without a log."""
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self._port)) == 0

    def close(self) -> None:
        """End it at once, since its data goes as well."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _format(self, properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
        formatted = subprocess.run(
            [*self._java, *tool], capture_output=True, text=True, check=False, timeout=300
        )
        if formatted.returncode:
            raise StartError(f"Kafka's storage was not formatted:\n{formatted.stderr[-2000:]}")
