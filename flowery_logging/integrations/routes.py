"""The pattern of the route that a request has taken through Starlette and FastAPI.

`{tenant}` stands in it and no tenant, also where an application is mounted below another: what is
counted by route must have few values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

_BELOW = "/{path}"  # stands at the end of what a mount is compiled to


def route(scope: MutableMapping[str, Any]) -> str | None:
    """Return the pattern of the route, as FastAPI and Starlette put it into the scope."""
    found = scope.get("route")
    if found is None:
        return None
    pattern = _pattern(scope, found)
    if pattern is None:
        return None
    outside = str(scope.get("app_root_path", scope.get("root_path", ""))).rstrip("/")
    mounted = str(scope.get("root_path", "")).removeprefix(outside)
    if not mounted:
        return outside + pattern
    prefix = _prefix(scope, outside, mounted)
    if hasattr(found, "routes"):  # the mount itself: what is below it has no routes of Starlette's
        return outside + prefix + _BELOW
    return outside + prefix + pattern


def dependants(scope: Mapping[str, Any]) -> list[Any]:
    """Return what FastAPI knows of the parameters of the route that was taken."""
    found = (getattr(one, "dependant", None) for one in (scope.get("route"), _included(scope)))
    return [one for one in found if one is not None]


def _included(scope: Mapping[str, Any]) -> Any:
    """Return what a router that includes the route has made of it."""
    known = scope.get("fastapi")
    return known.get("effective_route_context") if isinstance(known, dict) else None


def _pattern(scope: MutableMapping[str, Any], found: object) -> str | None:
    """Return the pattern of a route, with the prefixes of the routers that include it."""
    included = _included(scope)
    of_both = getattr(included, "original_route", None), getattr(included, "starlette_route", None)
    whole = included if any(found is one for one in of_both) else found
    for one in (whole, found):
        pattern = getattr(one, "path_format", None) or getattr(one, "path", None)
        if isinstance(pattern, str):
            return pattern
    return None


def _prefix(scope: MutableMapping[str, Any], outside: str, mounted: str) -> str:
    """Return the patterns of the mounts that have taken `mounted` off the path, in their order."""
    routes = getattr(scope.get("router"), "routes", ())
    prefix, path = "", str(scope.get("path", "")).removeprefix(outside)
    while mounted:
        mount, taken = _mount(routes, path, mounted)
        if mount is None:
            return prefix + mounted  # not Starlette's: as it stands in the path
        prefix += str(mount.path_format).removesuffix(_BELOW)
        path, mounted = path[len(taken) :], mounted[len(taken) :]
        routes = getattr(mount, "routes", None) or ()
    return prefix


def _mount(routes: Iterable[Any], path: str, mounted: str) -> tuple[Any, str]:
    """Return the first mount that takes a part of the path, and that part."""
    for one in routes:
        expression = getattr(one, "path_regex", None)
        nested = getattr(one, "routes", None)
        if expression is None and nested:  # a host
            found = _mount(nested, path, mounted)
            if found[0] is not None:
                return found
        match = None if expression is None or nested is None else expression.match(path)
        rest = match.groupdict().get("path") if match else None
        taken = "" if rest is None else path[: len(path) - len(rest) - 1]
        if taken and mounted.startswith(taken):
            return one, taken
    return None, ""
