"""Names of labels: one part that Elasticsearch, Logstash and Kibana take everywhere."""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.ecs.encode import without_surrogates

NAME_CHARS: Final = 128
"""Characters of a label's name that are kept."""

# ECS replaces `.`, `*` and `\`; Logstash cannot refer to names with brackets; Elasticsearch
# refuses blank names, Kibana's queries need names without blanks and quotes.
_ILLEGAL: Final = re.compile(r"[.*\\\[\]\"\s\x00-\x1f\x7f]")


def label_name(path: str, limit: int = NAME_CHARS) -> str:
    """Return a dotted name as the name of one label, at most `limit` characters long."""
    name = path if path.isascii() else without_surrogates(path[: 2 * limit])
    return _ILLEGAL.sub("_", name[: 2 * limit])[:limit] or "_"
