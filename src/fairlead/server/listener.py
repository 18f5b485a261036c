"""Listening sockets of the control connection."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from fairlead.errors import ConfigError
from fairlead.server.data import plain_address

Listener: TypeAlias = socket.socket
"""A bound socket of the control port."""

WILDCARD4, WILDCARD6 = "0.0.0.0", "::"
KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 6}
"""Seconds of silence before the first probe and between probes, and after how many unanswered ones the client is gone.

Routers and firewalls forget connections on which nothing moves, some after a few minutes: the control connection of a
long transfer is such a one. The system's own two hours would be too late.
"""


def bind(addresses: Sequence[tuple[str, int]], *, share: bool = False) -> list[Listener]:
    """A bound socket for each host and port; ``share`` lets several processes bind the same.

    Accepted connections inherit what is set here: no delay (else a reply can wait 44 ms for an acknowledgement),
    keep-alive, and urgent data in line (RFC 959 section 4.1.3, the Synch before ABOR). ``::`` serves IPv4 as well,
    unless ``0.0.0.0`` is asked for with the same port. Raises ConfigError naming the address.
    """
    bound: list[Listener] = []
    try:
        for host, port in addresses:
            only6 = host == WILDCARD6 and (WILDCARD4, port) in addresses
            bound.append(_bind_one(host, port, share=share, only6=only6))
    except BaseException:
        close(bound)
        raise
    return bound


def _bind_one(host: str, port: int, *, share: bool, only6: bool) -> Listener:
    name = host.encode() if host.isascii() else host  # for text Python loads its tables of international names first
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(f"cannot listen on {host!r}: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            dual = host == WILDCARD6 and not only6
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEP_ALIVE.items():
            if hasattr(socket, name):  # not on every system
                listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {where}: another program has that port; choose another with --listen"
    if error.errno == errno.EACCES:
        return f"cannot listen on {where}: ports below 1024 need root; choose another with --listen"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"cannot listen on {where}: this machine has no such address"
    return f"cannot listen on {where}: {os.strerror(error.errno or 0)}"


def listening_address(listener: Listener) -> tuple[str, int]:
    """Host and port of a bound socket."""
    host, port = listener.getsockname()[:2]
    return plain_address(host), port


def close(listeners: Iterable[Listener]) -> None:
    """Close all of ``listeners``."""
    for listener in listeners:
        listener.close()
