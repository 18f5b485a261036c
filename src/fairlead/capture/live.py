"""What passes an interface now, by a packet socket of Linux: no other program is run for it."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator

from fairlead.capture.files import Frame
from fairlead.errors import CaptureError

ANY = "any"
"""In place of an interface's name, all of them."""
TICK = 0.5
"""Seconds after which a pause is told."""
_COOKED = 113
_EVERYTHING = 0x0003
_BUFFER = 1 << 24
_FORCE_BUFFER = 33
_LONGEST = 1 << 16
_HEADER = struct.Struct("!HHH8sH")


def frames(interface: str) -> Iterator[Frame | None]:
    """The frames that pass ``interface``, or any, from now on for ever; None when none came for :data:`TICK` seconds.

    Raises CaptureError, at once, where that is not possible or not permitted.
    """
    return _received(_socket(interface))


def _received(receiver: socket.socket) -> Iterator[Frame | None]:
    with contextlib.closing(receiver):
        while True:
            try:
                octets, (_, protocol, direction, hardware, address) = receiver.recvfrom(_LONGEST)
            except TimeoutError:
                yield None
                continue
            header = _HEADER.pack(direction, hardware, len(address), bytes(address)[:8], protocol)
            yield Frame(time.time(), _COOKED, header + octets, len(header) + len(octets))


def _socket(interface: str) -> socket.socket:
    if not hasattr(socket, "AF_PACKET"):
        raise CaptureError("capturing here needs Linux; record a file with tcpdump or Wireshark, and explain that")
    try:
        receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERYTHING))
    except PermissionError:
        raise CaptureError(
            "capturing needs root (CAP_NET_RAW): use sudo, or record a file with tcpdump and explain that"
        ) from None
    try:
        with contextlib.suppress(OSError):
            receiver.setsockopt(socket.SOL_SOCKET, _FORCE_BUFFER, _BUFFER)
        receiver.settimeout(TICK)
        if interface != ANY:
            receiver.bind((interface, _EVERYTHING))
    except OSError:
        receiver.close()
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise CaptureError(f"there is no interface {interface!r}; there are any, {names}") from None
    return receiver
