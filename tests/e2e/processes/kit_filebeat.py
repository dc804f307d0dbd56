"""The real Filebeat with any of the kit's configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STARTED = b"Loading and starting Inputs completed"


class KitFilebeat(Process):
    """Filebeat set up as its users do it: by the environment alone."""

    name = "Filebeat"

    def __init__(
        self, binary: Path, configuration: Path, folder: Path, environment: Mapping[str, str]
    ) -> None:
        """`folder` takes registry and log."""
        settings = {
            "path.home": folder,
            # Production's pace (10 s, 30 s), shortened for the tests' sake alone.
            "filebeat.inputs.0.prospector.scanner.check_interval": "1s",
            "logging.metrics.period": "1s",
        }
        overrides = [part for name, value in settings.items() for part in ("-E", f"{name}={value}")]
        super().__init__(
            [str(binary), "-e", "--strict.perms=false", "-c", str(configuration), *overrides],
            folder / "filebeat.log",
            environment=environment,
        )

    def is_ready(self) -> bool:
        """Whether the inputs run; the output may still be out of reach."""
        return STARTED in self.log.read_bytes()
