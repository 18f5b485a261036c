"""The address of this machine on its way out, as far as it can be known without asking anybody."""

from __future__ import annotations

import socket


def outward_address() -> str | None:
    """The IPv4 address of the interface that the default route leads through; None where there is no such route.

    It is what the system would send from to a far address. Nothing is sent: connecting a datagram socket only makes the
    system choose. Behind a NAT it is the private address inside, which clients outside cannot reach.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chooser:
        try:
            chooser.connect(
                ("198.51.100.1", 9)
            )  # reserved for documentation: on most machines it goes by the default route
        except OSError:
            return None
        return str(chooser.getsockname()[0])
