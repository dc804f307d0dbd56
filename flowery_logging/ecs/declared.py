"""The team's own typed fields: `{"flowery.order.id": "long"}`, given or in one JSON file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any, Final

import orjson

from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import TYPES
from flowery_logging.ecs.schema import OWN_LABELS, is_reserved
from flowery_logging.late import late

# Elasticsearch's own fields (`_id`) begin with an underscore, and it refuses them in documents.
_NAME: Final = late(r"(?!_)[\w@-]+(?:\.[\w@-]+)*")
_NAME_CHARS: Final = 128
_ALLOWED: Final = (
    f"at most {_NAME_CHARS} letters, digits, _, - and @, parts with dots between, no _ in front"
)
MAX_BYTES: Final = 1024 * 1024
"""A file that is longer holds no list of fields."""

MAX_DEPTH: Final = 20
"""Elasticsearch's `index.mapping.depth.limit`: objects within each other, the document included."""


def read_declared(path: object) -> Any:
    """Return what the JSON file holds. Raises ValueError."""
    try:
        return orjson.loads(_content(path))
    except (OSError, TypeError) as error:
        raise ValueError(f"the file cannot be read ({error})") from None
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the file is not JSON ({error})") from None


def _content(path: Any) -> bytes:
    """Return the bytes of a regular file that is no longer than any such file would be.

    Reading a pipe or a device might never end. Raises OSError, TypeError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file")
        if status.st_size > MAX_BYTES:
            raise OSError(f"it has {status.st_size} bytes, more than {MAX_BYTES}")
        return file.read(MAX_BYTES)


def check_declared(value: object) -> Mapping[str, str]:
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


def _flat(prefix: str, value: object) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise ValueError("not a mapping of names to types")  # noqa: TRY004 - see check_declared
    entries: list[tuple[str, Any]] = []
    for key, item in value.items():
        name = f"{prefix}{key}"
        entries += _flat(f"{name}.", item) if isinstance(item, Mapping) else [(name, item)]
    return entries


def _check(name: str, kind: object) -> None:
    if not _NAME.fullmatch(name) or len(name) > _NAME_CHARS:
        raise ValueError(f"{name!r} is not a field name ({_ALLOWED})")
    if type(kind) is not str or kind not in TYPES:
        raise ValueError(
            f"{name} has the unknown type {kind!r}, known are {', '.join(sorted(TYPES))}"
        )
    if name.count(".") + (kind in {"object", "nested"}) >= MAX_DEPTH:
        raise ValueError(f"{name} lies deeper than {MAX_DEPTH} objects")
    root = name.partition(".")[0]
    if is_reserved(name) or is_reserved(root) or root in OWN_LABELS:
        raise ValueError(f"{name} is reserved")
    official = ecs_fields.types().get(name)
    if official not in {None, kind}:
        raise ValueError(f"{name} is {official} in ECS, not {kind}")
    if name in ecs_fields.parents():
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
