"""The real Filebeat beside the writers, and a receiver that keeps what has arrived."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, cast

from tests.e2e.lumberjack import read_windows
from tests.e2e.processes import Filebeat, wait_until
from tests.e2e.programs import Cache, filebeat_binary

QUIET_SECONDS: Final = 6.0
MOST_SECONDS: Final = 180.0

# What Elastic documents for a rotating log file: the default identity, one pattern for all files.
FOR_RENAMING_ROTATION: Final = """\
filebeat.inputs:
  - type: filestream
    id: app
    paths: ["${FLOWERY_LOG_DIR}/app.log*"]
    prospector.scanner.exclude_files: ['\\.lock$']
    parsers:
      - ndjson: {target: "", overwrite_keys: true, expand_keys: true, add_error_key: true}
output.logstash.hosts: ["${LOGSTASH_HOSTS}"]
"""


def _as_logged(event: dict[str, Any]) -> dict[str, Any]:
    """The event that was logged: the kit's Filebeat sends its line as it stands, as a message."""
    try:
        line = json.loads(event.get("message", ""))
    except (TypeError, ValueError):
        return event
    return line if isinstance(line, dict) else event


class Arrivals:
    """A Lumberjack receiver on the loopback interface that acknowledges and keeps every event."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        events = self.events

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    for window in read_windows(cast(BinaryIO, self.rfile)):
                        events.extend(map(_as_logged, window.events))
                        self.wfile.write(window.acknowledgement())
                except (EOFError, OSError):
                    pass  # Filebeat has been stopped

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,))

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_until_quiet(self) -> None:
        """Return when nothing has come for `QUIET_SECONDS`, or after `MOST_SECONDS`."""
        seen, since = -1, time.monotonic()

        def is_quiet() -> bool:
            nonlocal seen, since
            if len(self.events) != seen:
                seen, since = len(self.events), time.monotonic()
            return time.monotonic() - since > QUIET_SECONDS

        wait_until(is_quiet, MOST_SECONDS, interval=0.2)


class Shipping:
    """Filebeat on a directory, as a context manager; `arrivals` has what it shipped.

    With `renaming`, as Elastic documents for files that rotation renames; else with the kit's
    configuration. `folder` takes what it keeps for itself.
    """

    def __init__(self, directory: Path, folder: Path, *, renaming: bool) -> None:
        self.arrivals = Arrivals()
        binary = filebeat_binary(Cache.from_environment())
        folder.mkdir()
        self._filebeat = Filebeat(binary, directory, self.arrivals.address, folder)
        if renaming:
            configuration = folder / "renaming.yml"
            configuration.write_text(FOR_RENAMING_ROTATION)
            command = self._filebeat.command
            command[command.index("-c") + 1] = str(configuration)

    def __enter__(self) -> Arrivals:
        self.arrivals.start()
        self._filebeat.start()
        return self.arrivals

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._filebeat.stop()
        self.arrivals.stop()
