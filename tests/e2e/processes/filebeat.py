"""The real Filebeat with the configuration that users copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURATION = Path(__file__).resolve().parents[3] / "filebeat" / "filebeat.yml"
STARTED = "Loading and starting Inputs completed"


class Filebeat(Process):
    """Filebeat on one folder of logs, with a registry of its own that a restart goes on with."""

    stop_seconds = 15.0  # some take for ever; retention removes what nobody ships for a minute
    name = "Filebeat"

    def __init__(
        self,
        binary: Path,
        log_dir: Path,
        logstash: str,
        folder: Path,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """`logstash` is the output's host:port; `folder` takes registry and log.

        `settings` stand over the configuration's, by their dotted names.
        """
        overriding = {
            "path.home": folder,
            "path.data": folder / "data",
            # Production's pace (10 s, 60 s), shortened for the tests' sake alone.
            "filebeat.inputs.0.prospector.scanner.check_interval": "1s",
            "output.logstash.backoff.max": "1s",
            **(settings or {}),
        }
        overrides = [
            part for name, value in overriding.items() for part in ("-E", f"{name}={value}")
        ]
        super().__init__(
            [str(binary), "-e", "--strict.perms=false", "-c", str(CONFIGURATION), *overrides],
            folder / "filebeat.log",
            environment={
                "FLOWERY_LOG_DIR": str(log_dir),
                "LOGSTASH_HOSTS": logstash,
                "LOGSTASH_TLS": "false",  # test_tls.py has it on
            },
        )
        self._log_end = 0

    def start(self) -> None:
        """Start and wait until the inputs run; raises `StartError`."""
        self._log_end = self.log.stat().st_size if self.log.exists() else 0
        super().start()

    def is_ready(self) -> bool:
        """Whether the inputs run; the output may still be out of reach."""
        return STARTED.encode() in self.log.read_bytes()[self._log_end :]
