"""Who logs: the service's name where none is given, and the data stream of its events."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

from flowery_logging.config.checks import CONTROL
from flowery_logging.config.place import working_directory
from flowery_logging.config.setting import Setting

DATASET: Final = "flowery"
KEPT: Final = frozenset({f"{DATASET}.foreign", f"{DATASET}.dead_letters"})
"""The kit's own streams, of what it could not take: no service writes there."""

_LAUNCHERS: Final = frozenset({
    "", "-c", "-m", "python", "python3", "uvicorn", "gunicorn", "hypercorn", "daphne", "celery",
    "manage", "pytest", "__main__", "flask", "fastapi", "ipython", "multiprocessing",
})  # fmt: skip


def default_service() -> str:
    """Name a service that has no name: its script, or its folder if that is a server's script."""
    script = Path(sys.argv[0] if sys.argv else "")
    name = script.parent.name if script.stem == "__main__" else script.stem
    name = name if name not in _LAUNCHERS else working_directory().name
    name = os.fsencode(name).decode(errors="replace")  # the name of a file may be any bytes
    return CONTROL.sub("_", name)[:256].strip() or "python"


def stream_part(text: str) -> str:
    r"""Return a dataset or namespace as Elasticsearch allows it in a data stream's name.

    Lower case, at most 100 bytes, none of `\ / * ? " < > | space , # : -` nor control characters.
    """
    clean = re.sub(r'[\\/*?"<>|\s,#:\x00-\x1f\x7f-]', "_", text.lower())
    return clean.encode()[:100].decode(errors="ignore").lstrip("._+") or "default"


def dataset(setting: Setting, service: str) -> str:
    """Return a service's dataset, by its text: one of those that the kit's roles serve."""
    allowed = (
        f"{DATASET}, or {DATASET}.<name> for a stream of its own, as {DATASET}.{{service}}, in "
        "which {service} stands for the service's name"
    )
    template: str = setting.value
    if not {"{", "}"}.isdisjoint(template.replace("{service}", "")):
        raise setting.refuse("unknown placeholder", allowed)
    found = stream_part(template.replace("{service}", service))
    if not is_served(found) or not found.removeprefix(f"{DATASET}.").strip("._"):
        raise setting.refuse("not one of ours", allowed)
    return found


def is_served(dataset: str) -> bool:
    """Tell whether the kit takes a dataset for a service's: `flowery`, or `flowery.<name>`."""
    first, _, name = dataset.partition(".")
    return dataset == DATASET or (first == DATASET and name != "" and dataset not in KEPT)
