"""What may stand in the kit's files for a team's own hosts, URLs and folders.

A value lands in YAML, in Logstash's language and in the shell, which quote differently and in part
not at all. So only what means itself in all three is taken; no host, URL or topic needs more.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/\[\]@%-]+")
# Spaces may stand within a folder's name; what one of the three languages reads as a sign may not.
_SIGNS: Final = frozenset("\"'`$\\{}[],#*?!&|<>:;%")


def hosts(text: str) -> str:
    """Return `host:port`, or several with commas. Raises ValueError for anything else."""
    found = [item.strip() for item in text.split(",")]
    for item in found:
        if not _HOST.fullmatch(item):
            raise ValueError(f"{item!r} is no host:port")
    return ",".join(found)


def url(text: str) -> str:
    """Return a URL without quotes, spaces or signs. Raises ValueError for anything else."""
    shown = text if "@" not in text else f"…@{text.rpartition('@')[2]}"  # without a password
    try:
        parts = urlsplit(text)
        usable = _URL.fullmatch(text) and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{shown!r} is no URL like https://localhost:9200")
    return text


def password(text: str) -> str | None:
    """Return the password that stands in a URL; None where there is none."""
    return urlsplit(text).password or None


def topic(text: str) -> str:
    """Return a name that Kafka allows. Raises ValueError for anything else."""
    if not _TOPIC.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a topic: letters, digits, '.', '_', '-'")
    return text


def folder(text: str) -> str:
    """Return a folder that needs no quotes in the files. Raises ValueError for anything else."""
    signs = sorted({one for one in text if one in _SIGNS or not one.isprintable()})
    if signs or text != text.strip() or not text:
        shown = " ".join(signs) or "a space at its beginning or end"
        raise ValueError(f"{text!r} cannot stand in the files: it has {shown!r}")
    return text
