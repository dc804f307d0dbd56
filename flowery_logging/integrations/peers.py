"""Who has sent a request, as far as a header that anybody may have written can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network

LOCAL: Final = "unix"
"""How a setting names whoever comes through a Unix socket."""


def domain(host: str) -> str:
    """Return the name or address in a `Host` header, without the port."""
    if host.startswith("["):  # an IPv6 address (RFC 3986 §3.2.2)
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


@dataclass(frozen=True)
class Proxies:
    """Who is believed: networks, and who comes through a Unix socket, if `local`."""

    networks: tuple[Network, ...] = ()
    local: bool = False

    def __bool__(self) -> bool:
        return self.local or bool(self.networks)

    def have(self, peer: str) -> bool:
        """Tell whether the other end of the connection is one of our own proxies."""
        if peer in _OF_UNIX_SOCKETS:
            return self.local
        try:
            address, _ = _known(peer)
        except ValueError:
            return False
        return self._have(address)

    def client_ip(self, peer: str, headers: Mapping[str, str]) -> str | None:
        """Return the client's address: the last hop that is not one of our own proxies.

        `X-Forwarded-For` is read from its end, as each proxy adds to it what it has seen itself;
        what stands before the first stranger may be invented.
        """
        hops = headers.get("x-forwarded-for", "").split(",") if self else []
        if not (self.local and peer in _OF_UNIX_SOCKETS):
            hops.append(peer)
        found = None
        for hop in reversed(hops):
            try:
                address, text = _known(hop)
            except ValueError:
                break
            found = text
            if not self._have(address):
                break
        return found

    def _have(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.networks)


def _known(hop: str) -> tuple[IPv4Address | IPv6Address, str]:
    return _address(hop) if len(hop) <= _LONGEST_KEPT else _parsed(hop)


def _parsed(hop: str) -> tuple[IPv4Address | IPv6Address, str]:
    address = plain(ip_address(_without_port(hop.strip())))
    return address, str(address)


def plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a socket for both versions shows as `::ffff:192.0.2.1`."""
    return getattr(address, "ipv4_mapped", None) or address


_OF_UNIX_SOCKETS: Final = ("", "localhost", "unix:")
"""What servers call the other end of a Unix socket, which has no address."""

_address = lru_cache(4096)(_parsed)
_LONGEST_KEPT: Final = 64


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
