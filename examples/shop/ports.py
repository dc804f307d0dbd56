"""Ports for services that are started here and take their port a moment later."""

import random
import socket
from pathlib import Path

LOWEST = 10_000
_GIVEN_TO_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _first_of_clients() -> int:
    """Return from where on the system gives ports to clients: one of them may take ours first."""
    try:
        return int(_GIVEN_TO_CLIENTS.read_text().split()[0])
    except OSError:
        return 32_768


# Not by the generator that a test run may have seeded alike in all of its processes.
_candidates = random.SystemRandom().sample(
    range(LOWEST, max(_first_of_clients(), LOWEST + 1_000)), 1_000
)


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on now; never one twice.

    Raises OSError where there is none.
    """
    while _candidates:
        port = _candidates.pop()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
