"""The team's own typed fields: `{"flowery.order.id": "long"}`, given or in one JSON file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import TYPES
from flowery_logging.ecs.schema import OWN_LABELS, is_reserved

# Elasticsearch's own fields (`_id`) begin with an underscore, and it refuses them in documents.
_NAME: Final = re.compile(r"(?!_)[\w@-]+(?:\.[\w@-]+)*")
_NAME_CHARS: Final = 128
_ALLOWED: Final = (
    f"at most {_NAME_CHARS} letters, digits, _, - and @, parts with dots between, no _ in front"
)
_DEPTH: Final = 20
"""Elasticsearch's `index.mapping.depth.limit`: objects within each other, the document included."""


def read_declared(path: Any) -> Any:
    """Return what the JSON file holds. Raises ValueError."""
    try:
        return orjson.loads(Path(path).read_bytes())
    except (OSError, TypeError) as error:
        raise ValueError(f"the file cannot be read ({error})") from None
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the file is not JSON ({error})") from None


def check_declared(value: Any) -> Mapping[str, str]:
    """Return the declared fields by dotted name, nested spelling resolved.

    Raises ValueError for an unknown type, a name that is not one, a name that is scalar and object
    at once, a name inside ECS with another type than ECS gives it, and a reserved name.
    """
    declared: dict[str, str] = {}
    for name, kind in _flat("", value):
        _check(name, kind)
        if name in declared:
            raise ValueError(f"{name} stands there twice")
        declared[name] = kind
    _check_clashes(declared)
    return declared


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise ValueError("not a mapping of names to types")  # noqa: TRY004 - see check_declared
    entries: list[tuple[str, Any]] = []
    for key, item in value.items():
        name = f"{prefix}{key}"
        entries += _flat(f"{name}.", item) if isinstance(item, Mapping) else [(name, item)]
    return entries


def _check(name: str, kind: Any) -> None:
    if not _NAME.fullmatch(name) or len(name) > _NAME_CHARS:
        raise ValueError(f"{name!r} is not a field name ({_ALLOWED})")
    if type(kind) is not str or kind not in TYPES:
        raise ValueError(
            f"{name} has the unknown type {kind!r}, known are {', '.join(sorted(TYPES))}"
        )
    if name.count(".") + (kind in {"object", "nested"}) >= _DEPTH:
        raise ValueError(f"{name} lies deeper than {_DEPTH} objects")
    root = name.partition(".")[0]
    if is_reserved(name) or is_reserved(root) or root in OWN_LABELS:
        raise ValueError(f"{name} is reserved")
    official = ecs_fields.types().get(name)
    if official not in {None, kind}:
        raise ValueError(f"{name} is {official} in ECS, not {kind}")
    if name in ecs_fields.parents() or name in ecs_fields.top_level() - ecs_fields.types().keys():
        raise ValueError(f"{name} is an object in ECS, not {kind}")


def _check_clashes(declared: Mapping[str, str]) -> None:
    known = {**ecs_fields.types(), **declared}
    for name in declared:
        parts = name.split(".")
        for length in range(1, len(parts)):
            parent = ".".join(parts[:length])
            if known.get(parent, "object") not in {"object", "nested"}:
                raise ValueError(
                    f"{name} lies inside {parent}, which is {known[parent]}, no object"
                )
