"""Whether the options of a middleware can be used: an error names the option, and what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

from flowery_logging.config.setting import ConfigError
from flowery_logging.integrations.peers import LOCAL, Network, Proxies, plain
from flowery_logging.tracing import foreign_traces
from flowery_logging.tracing.headers import TOKEN


def header_names(given: object) -> tuple[str, ...]:
    """Return the names of the headers with the request ID. Raises ConfigError."""
    names = (given,) if isinstance(given, str) else _several("request_id_header", given, str)
    for name in names:
        if not TOKEN.fullmatch(name):
            raise ConfigError(
                f"request_id_header: {name!r} is no name of a header;"
                " allowed are letters, digits and !#$%&'*+-.^_`|~, as in 'X-Request-ID'"
            )
    if not names:
        raise ConfigError("request_id_header: no name; expected one, or several")
    return names


def fractions(given: object) -> Mapping[str, float]:
    """Return the part of the requests of each quiet path that has an event. Raises ConfigError."""
    if not isinstance(given, Mapping):
        given = dict.fromkeys(_several("quiet", given, str), 0.0)
    for path, fraction in given.items():
        if not isinstance(path, str):
            raise ConfigError(f"quiet: {path!r} is no path; expected a text, as '/health'")
        is_number = isinstance(fraction, (int, float)) and not isinstance(fraction, bool)
        if not is_number or not 0 <= fraction <= 1:
            raise ConfigError(f"quiet[{path!r}]: {fraction!r} is no number from 0 to 1")
    return dict(given)


def proxies(given: object) -> Proxies:
    """Return the proxies whose headers are believed. Raises ConfigError."""
    kinds = str, IPv4Address, IPv6Address, IPv4Network, IPv6Network
    found = _several("proxies", given, kinds)
    networks = tuple(_network(one) for one in found if one != LOCAL)
    return Proxies(networks, LOCAL in found)


def _network(given: Any) -> Network:
    try:
        return _plain(ip_network(given))
    except ValueError as error:
        allowed = "'10.0.0.1', '10.0.0.0/8' or 'unix'"
        raise ConfigError(f"proxies: {error}; expected {allowed}") from None


def _plain(network: Network) -> Network:
    """Return the network of those addresses that `peers.plain` makes of a network's own."""
    first = plain(network.network_address)
    if isinstance(network, IPv6Network) and isinstance(first, IPv4Address):
        return ip_network((first, network.prefixlen - 96))
    return network


def formats(given: object) -> tuple[str, ...]:
    """Return the formats of foreign traces. Raises ConfigError."""
    names = _several("trace_formats", given, str)
    try:
        foreign_traces.check(names)
    except ValueError as error:
        raise ConfigError(f"trace_formats: {error}") from None
    return names


def switch(name: str, given: object) -> bool:
    """Return what is either True or False. Raises ConfigError."""
    if not isinstance(given, bool):
        raise ConfigError(f"{name}: expected True or False, not {given!r}")
    return given


def _several(option: str, given: object, kind: type | tuple[type, ...]) -> tuple[Any, ...]:
    if isinstance(given, (str, bytes)):
        raise ConfigError(f"{option}: expected several, as [{given!r}], not the one {given!r}")
    if not isinstance(given, Iterable):
        raise ConfigError(f"{option}: expected several, not {given!r}")
    found = tuple(given)
    for one in found:
        if not isinstance(one, kind):
            raise ConfigError(f"{option}: {one!r} is no text")
    return found
