"""The first message of TLS, read before TLS itself sees it: the name a client calls and the protocols it speaks.

A server must turn away who speaks another protocol than FTP (RFC 7301 section 3.2), or a web browser can be made to
talk to it; Python's own TLS goes on without a word where the two have no protocol in common.
"""

from __future__ import annotations

from typing import NamedTuple

from fairlead.errors import LimitError

HANDSHAKE, CLIENT_HELLO = 22, 1
SERVER_NAME, APPLICATION_PROTOCOLS = 0, 16
LIMIT = 64 * 1024
"""The longest first message that is waited for; real ones have some hundred octets, few have thousands."""
NO_APPLICATION_PROTOCOL = b"\x15\x03\x03\x00\x02\x02\x78"
"""The alert that refuses a client for its protocols (RFC 7301 section 3.2)."""


class ClientHello(NamedTuple):
    """What a client says of itself, in clear."""

    server_name: str = ""
    """The name it calls (RFC 6066 section 3), in lower case; empty for none."""
    protocols: tuple[bytes, ...] = ()
    """The application protocols it speaks (RFC 7301); empty for none."""


class ClientHelloReader:
    """Waits until the first message is whole."""

    __slots__ = ("_message", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._message = b""

    def feed(self, data: bytes) -> ClientHello | None:
        """The message once it is whole, None before. What is no such message gives one that says nothing.

        Raises LimitError where it grows too long.
        """
        rest = self._rest + data
        message = self._message
        while len(rest) >= 5:
            if rest[0] != HANDSHAKE:
                return ClientHello()
            end = 5 + int.from_bytes(rest[3:5])
            if len(rest) < end:
                break
            message += rest[5:end]
            rest = rest[end:]
            if len(message) >= 4:
                if message[0] != CLIENT_HELLO:
                    return ClientHello()
                length = 4 + int.from_bytes(message[1:4])
                if len(message) >= length:
                    return parse_client_hello(message[4:length])
        if len(message) + len(rest) > LIMIT:
            raise LimitError("The first message of TLS is too long")
        self._rest, self._message = rest, message
        return None


def parse_client_hello(body: bytes) -> ClientHello:
    """Read the body of a ClientHello (RFC 8446 section 4.1.2).

    What is malformed says nothing here: TLS itself refuses it.
    """
    at = 34  # version and random
    at += 1 + _number(body, at, 1)  # session
    at += 2 + _number(body, at, 2)  # ciphers
    at += 1 + _number(body, at, 1)  # compression
    at += 2  # the length of all extensions
    server_name = ""
    protocols: tuple[bytes, ...] = ()
    while at + 4 <= len(body):
        kind, length = body[at] << 8 | body[at + 1], body[at + 2] << 8 | body[at + 3]
        at += 4
        if kind == SERVER_NAME:
            server_name = _server_name(body[at : at + length])
        elif kind == APPLICATION_PROTOCOLS:
            protocols = _protocols(body[at : at + length])
        at += length
    return ClientHello(server_name, protocols)


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size])


def _server_name(data: bytes) -> str:
    """The first name of the list, which is the only one that there may be of the only type that there is."""
    length = _number(data, 3, 2)
    name = data[5 : 5 + length]
    return name.decode("ascii").lower() if data[2:3] == b"\0" and name.isascii() else ""


def _protocols(data: bytes) -> tuple[bytes, ...]:
    found = []
    at = 2
    while at < len(data):
        end = at + 1 + data[at]
        found.append(data[at + 1 : end])
        at = end
    return tuple(found)
