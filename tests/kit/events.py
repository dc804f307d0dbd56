"""Events as Filebeat sends them, each with the document that must come of it: events.json.

A foreign line becomes one string; the file has it decoded, to be read and compared.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_FILE = json.loads(Path(__file__).with_name("events.json").read_text())

NOW = datetime.strptime(_FILE["now"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def cases() -> list[dict[str, Any]]:
    """Each with name, event, and the stream, ID (None: Elasticsearch's) and document expected."""
    return list(_FILE["cases"])


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a message that holds a JSON object decoded."""
    message = document.get("message")
    if not isinstance(message, str) or not message.startswith("{"):
        return document
    return document | {"message": json.loads(message)}
