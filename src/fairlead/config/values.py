"""Settings that are written as text: each form is checked where it is read, and keeps the text as it was written."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar, Self

from fairlead.accounts.base import Right
from fairlead.accounts.hashed import Argon2Hash
from fairlead.errors import ArgumentError, PathError
from fairlead.proto.path import resolve

_HOST_NAME = r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+"


class Form(str):
    """Text of a certain form; any other raises ValueError with a sentence that says what to write."""

    __slots__ = ()

    description: ClassVar[str]
    examples: ClassVar[list[str]]


class Listen(Form):
    """Where a server listens; ``::`` stands for all addresses of both families."""

    __slots__ = ("host", "port")

    description = "HOST:PORT; an IPv6 address in brackets, no host for all addresses, port 0 for a free port"
    examples: ClassVar = ["0.0.0.0:21", "[::]:2121", ":2121", "localhost:0"]

    host: str
    port: int

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        host, colon, port = text.rpartition(":")
        if not colon or host.endswith(":") or (host.startswith("[") and not host.endswith("]")):
            alone = text.strip("[]")
            proposal = f"127.0.0.1:{alone}" if alone.isdecimal() else f"{bracketed(alone) or '127.0.0.1'}:2121"
            raise ValueError(f"{text!r} is not HOST:PORT; write for instance {proposal}")
        made = super().__new__(cls, text)
        made.port = _port(port, least=0)
        if not host:
            made.host = "::"
        elif host.startswith("["):
            made.host = _address6(host[1:-1])
        elif ":" in host:
            raise ValueError(f"{text!r} can be read in two ways; put the address in brackets: [{host}]:{port}")
        else:
            made.host = _host(host)
        return made


class PortRange(Form):
    """The ports of passive mode."""

    __slots__ = ("ports",)

    description = "the first and the last port, A-B, or a single one"
    examples: ClassVar = ["61000-65535"]

    ports: range

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        first, dash, last = text.partition("-")
        if not first or (dash and not last):
            raise ValueError(f"{text!r} is no range of ports; write the first and the last one, such as 61000-65535")
        low, high = _port(first, least=1), _port(last or first, least=1)
        if low > high:
            raise ValueError(f"{text!r} begins after its end; write {high}-{low}")
        made = super().__new__(cls, text)
        made.ports = range(low, high + 1)
        return made


class PublicAddress(Form):
    """What 227 announces."""

    __slots__ = ()

    description = (
        "an IPv4 address, a host name, auto for this machine's address on its way out, or empty for the address that"
        " the client called"
    )
    examples: ClassVar = ["203.0.113.7", "ftp.example.com", "auto"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        if ":" in text:
            raise ValueError(
                f"{text!r} is no IPv4 address or host name, and the 227 reply has room for nothing else;"
                " IPv6 clients use EPSV, which needs no address"
            )
        return super().__new__(cls, _host(text) if text else "")


class Network(Form):
    """The clients that a setting is for."""

    __slots__ = ()

    description = "an address or a network such as 10.0.0.0/8; empty for all"
    examples: ClassVar = ["10.0.0.0/8", "2001:db8::/32"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        if text:
            from ipaddress import ip_network

            try:
                ip_network(text)
            except ValueError as error:
                raise ValueError(f"{text!r} is no network such as 10.0.0.0/8 ({error})") from error
        return super().__new__(cls, text)


class ProxyNetwork(Network):
    """Load balancers that are trusted with the addresses of their clients."""

    __slots__ = ()

    description = "an address or a network such as 10.0.0.0/29"
    examples: ClassVar = ["10.0.0.1", "2001:db8:5::/64"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        if not text:
            raise ValueError("nothing stands for all, and nobody trusts all; name the load balancers' addresses")
        return super().__new__(cls, text)


class VirtualPath(Form):
    """A path as clients see it."""

    __slots__ = ()

    description = "an absolute path as clients see it"
    examples: ClassVar = ["/", "/incoming"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        try:
            normal = resolve("/", text)
        except PathError as error:
            raise ValueError(f"{text!r} is no path: {error}") from error
        if text != normal:
            raise ValueError(f"{text!r} is no absolute path without superfluous parts; write {normal!r}")
        return super().__new__(cls, text)


class RightName(Form):
    """One right, or one of the usual sets of them."""

    __slots__ = ()

    description = f"one of {', '.join(Right.__members__).lower()}"
    examples: ClassVar = ["reader", "create"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        names = [name.lower() for name in Right.__members__]
        if text not in names:
            raise ValueError(f"{text!r} is no right; {choices(text, names)}")
        return super().__new__(cls, text)

    @property
    def right(self) -> Right:
        """The rights it stands for."""
        return Right[self.upper()]


class Umask(Form):
    """Permission bits that what is new does not get."""

    __slots__ = ("bits",)

    description = "three octal digits, for the owner, the group and all others"
    examples: ClassVar = ["022", "027"]

    bits: int

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        if not re.fullmatch("[0-7]{3}", text):
            raise ValueError(f"{text!r} is no umask; write three digits from 0 to 7, such as 022")
        made = super().__new__(cls, text)
        made.bits = int(text, 8)
        return made


class PasswordHash(Form):
    """A stored password."""

    __slots__ = ()

    description = "an argon2 hash, $argon2id$…"
    examples: ClassVar = ["$argon2id$v=19$m=19456,t=2,p=1$…"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``, which errors never repeat."""
        if not text.startswith("$"):
            raise ValueError(
                "a password is kept as an argon2 hash, never in clear; `fairlead user add NAME --config FILE` asks for"
                " one and writes its hash"
            )
        try:
            Argon2Hash(text)
        except ValueError as error:
            raise ValueError(f"{error}; `fairlead user add NAME --config FILE` makes one") from error
        return super().__new__(cls, text)


class HostName(Form):
    """A name of the server or of a virtual host."""

    __slots__ = ("name",)

    description = "a host name as clients call it, in letters, digits and hyphens"
    examples: ClassVar = ["ftp.example.com"]

    name: str

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        from fairlead.proto.host import parse_host

        try:
            name, is_address = parse_host(text)
        except ArgumentError as error:
            raise ValueError(f"{text!r} is no host name; write one such as ftp.example.com") from error
        if is_address:
            raise ValueError(f"{text!r} is an address; write a host name such as ftp.example.com")
        made = super().__new__(cls, text)
        made.name = name
        return made


class UserName(Form):
    """The name of a user."""

    __slots__ = ()

    description = "the name that USER carries"
    examples: ClassVar = ["alice"]

    def __new__(cls, text: str) -> Self:
        """Check ``text``."""
        if not text or not text.isprintable():
            raise ValueError(f"{text!r} can name no user; take some printable characters")
        return super().__new__(cls, text)


FORMS = (
    Listen,
    PortRange,
    PublicAddress,
    Network,
    ProxyNetwork,
    VirtualPath,
    RightName,
    Umask,
    PasswordHash,
    HostName,
    UserName,
)


def choices(wrong: str, right: Iterable[str]) -> str:
    """What to write instead of ``wrong``: the word that comes closest, or all there are."""
    import difflib

    names = list(right)
    close = difflib.get_close_matches(wrong, names, 1)
    return f"did you mean {close[0]}?" if close else f"choose from {', '.join(names)}"


def bracketed(host: str) -> str:
    """``host`` as it stands before ``:PORT``."""
    return f"[{host}]" if ":" in host else host


def _port(text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= 65535:
        raise ValueError(f"{text!r} is no port; ports are numbers from {least} to 65535")
    return int(text)


def _host(text: str) -> str:
    """An IPv4 address or a host name."""
    if not text.strip("0123456789."):
        with suppress(OSError):
            return socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, text))
        from ipaddress import IPv4Address

        try:
            return str(IPv4Address(text))
        except ValueError as error:
            raise ValueError(f"{text!r} is no IPv4 address ({error})") from error
    if not re.fullmatch(_HOST_NAME, text):
        raise ValueError(f"{text!r} is neither an address nor a host name")
    return text


def _address6(text: str) -> str:
    with suppress(OSError):
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
    from ipaddress import IPv6Address  # knows zones, too

    try:
        return str(IPv6Address(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no IPv6 address ({error})") from error
