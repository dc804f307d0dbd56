"""Whether what was put is what is there.

A server gives a body back in another form: settings nested under `index`, each value as a text,
and defaults beside it. So what was put must be contained in what is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowery_logging.cli.kit.requests import Json, Request

# Where the answer to a GET holds the bodies, and where an entry of the list holds its own.
_LISTS: Final = {
    "component_templates": ("component_templates", "component_template"),
    "index_templates": ("index_templates", "index_template"),
}
_UNORDERED: Final = {"roles"}


def found_body(request: Request, answer: Json) -> Json | None:
    """Return the body that the answer to a GET of the request's path holds; None if it has none."""
    if request.folder in _LISTS:
        name, inner = _LISTS[request.folder]
        entries = answer.get(name)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("name") == request.name:
                return _mapping(entry.get(inner))
        return None
    return _mapping(answer.get(request.name))


def differences(
    put: object, there: object, *, ordered: bool = True, path: str = ""
) -> Iterator[str]:
    """Yield each value that was put and is not there, by its path: "a.b is 1, not 2"."""
    if isinstance(put, Mapping):
        others = there if isinstance(there, Mapping) else {}
        for name, value in put.items():
            pair = [value, others.get(name)]
            if name == "settings" and all(isinstance(one, Mapping) for one in pair):
                pair = [_of_the_index(one) for one in pair]
            yield from differences(*pair, ordered=ordered, path=f"{path}.{name}")
    elif isinstance(put, list) and isinstance(there, list) and len(put) == len(there):
        pairs = (
            zip(put, there, strict=True)
            if ordered
            else zip(_sorted(put), _sorted(there), strict=True)
        )
        for number, (one, other) in enumerate(pairs):
            yield from differences(one, other, ordered=ordered, path=f"{path}[{number}]")
    elif _as_text(put) != _as_text(there):
        yield f"{path.lstrip('.')} is {_as_text(there)}, not {_as_text(put)}"


def changed(request: Request, there: Json) -> list[str]:
    """Return what of a request's body is not in what the server has."""
    ordered = request.folder not in _UNORDERED
    return list(differences(request.body or {}, there, ordered=ordered))


def _mapping(value: object) -> Json | None:
    return value if isinstance(value, dict) else None


def _of_the_index(settings: Mapping[str, Any]) -> Json:
    """Return settings by their dotted names, each below `index`, whichever way they are written."""
    found: Json = {}
    for name, value in _leaves(settings):
        found[name if name.startswith("index.") else f"index.{name}"] = value
    return found


def _leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=str)


def _as_text(value: object) -> str:
    """Return a value as settings are given back: each scalar as a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "missing" if value is None else str(value)
