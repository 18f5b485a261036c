"""ftp: URLs (RFC 1738 section 3.2, RFC 3986)."""

from __future__ import annotations

import re

from fairlead.errors import ArgumentError
from fairlead.record import Record

PORTS = {"ftp": 21, "ftps": 990, "ftpes": 21}
"""The schemes and their ports. ``ftps`` is TLS from the first octet on, ``ftpes`` asks for it by AUTH TLS."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]\s]+))(?::([0-9]*))?")
_TYPE = re.compile(r"(.*);type=([^;/]*)", re.DOTALL | re.IGNORECASE)
_HIGHEST_PORT = 0xFFFF
_UNESCAPED = "!$&'()*+,=:@"


class FtpUrl(Record, hidden=("password",)):
    """An ftp: URL in its parts, percent-decoded. ``str()`` shows ``***`` for the password."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    """None for anonymous; the empty name is another matter."""
    password: str | None = None
    """None where it is to be asked for; the empty password is another matter."""
    segments: tuple[str, ...] = ()
    """Relative to the directory of the login; one that begins with ``/`` (``%2F`` in the URL) is absolute."""
    type: str | None = None
    """``A``, ``I`` or ``D`` (a listing) of ``;type=``."""
    directory: bool = False
    """Whether the URL asks for a listing: it ends with ``/``, names nothing, or has ``;type=d``."""

    @property
    def path(self) -> str:
        """The path for commands after the login; empty for the directory of the login itself."""
        path = ""
        for segment in self.segments:
            path = segment if segment.startswith("/") or not path else f"{path.rstrip('/')}/{segment}"
        return path

    def __str__(self) -> str:
        login = ""
        if self.user is not None:
            login = _escape(self.user, "") + (":***@" if self.password is not None else "@")
        host = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else _escape(self.host, "")
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        path = "/".join(_escape(segment, _UNESCAPED) for segment in self.segments)
        if self.directory and self.type != "D" and path:
            path += "/"
        kind = "" if self.type is None else f";type={self.type.lower()}"
        return f"{self.scheme}://{login}{host}{port}/{path}{kind}"


def parse_url(text: str) -> FtpUrl:
    """The parts of the ftp:, ftps: or ftpes: URL ``text``.

    Empty and dot segments are removed, a fragment is dropped, ``?`` is part of a name. Raises ArgumentError for what is
    no such URL and where a part holds CR, LF or NUL once decoded.
    """
    match = _URL.fullmatch(text)
    scheme = match[1].lower() if match else ""
    if match is None or scheme not in PORTS:
        raise ArgumentError("an FTP URL begins with ftp://, ftps:// or ftpes://")
    user, password, host, port = _authority(match[2], PORTS[scheme])
    path, kind = _path_and_type(match[3])
    raw = path.split("/")
    segments = _without_dots(raw)
    return FtpUrl(
        scheme=scheme,
        host=host,
        port=port,
        user=user,
        password=password,
        segments=tuple(map(_decode, segments)),
        type=kind,
        directory=kind == "D" or not segments or _plain(raw[-1]) in ("", ".", ".."),
    )


def _authority(text: str, default_port: int) -> tuple[str | None, str | None, str, int]:
    login, at, server = text.rpartition("@")
    user, colon, password = login.partition(":")
    match = _HOST_AND_PORT.fullmatch(server)
    if match is None:
        raise ArgumentError(f"{server!r} is no host or host:port; an IPv6 address stands in brackets")
    host = _decode(match[1] or match[2])
    if match[1]:
        from ipaddress import AddressValueError, IPv6Address

        try:
            IPv6Address(host)
        except AddressValueError:
            raise ArgumentError(f"{host!r} is no IPv6 address") from None
    port = int(match[3][:6]) if match[3] else default_port
    if not 0 < port <= _HIGHEST_PORT:
        raise ArgumentError(f"{match[3]} is no port from 1 to {_HIGHEST_PORT}")
    return _decode(user) if at else None, _decode(password) if colon else None, host, port


def _path_and_type(text: str) -> tuple[str, str | None]:
    if text and not text.startswith("/"):
        raise ArgumentError("a / stands between the host and the path of a URL")
    match = _TYPE.fullmatch(text)
    if match is None:
        return text, None
    kind = match[2].upper()
    if kind not in ("A", "I", "D"):
        raise ArgumentError(f";type={match[2]} is none of ;type=a, ;type=i and ;type=d")
    return match[1], kind


def _without_dots(raw: list[str]) -> list[str]:
    """RFC 3986 section 5.2.4, before anything is decoded: ``%2F`` makes no segments."""
    segments: list[str] = []
    for segment in raw:
        plain = _plain(segment)
        if plain == "..":
            del segments[-1:]
        elif plain not in ("", "."):
            segments.append(segment)
    return segments


def _plain(segment: str) -> str:
    """``segment`` with its dots unescaped: they are no reserved characters (RFC 3986 section 6.2.2.2)."""
    return segment.replace("%2e", ".").replace("%2E", ".")


def _decode(text: str) -> str:
    decoded = text
    if "%" in text:
        from urllib.parse import unquote

        decoded = unquote(text, errors="surrogateescape")
    if any(character in decoded for character in "\r\n\0"):
        raise ArgumentError("an FTP URL holds no line end and no NUL")
    return decoded


def _escape(text: str, safe: str) -> str:
    from urllib.parse import quote

    return quote(text, safe=safe, errors="surrogateescape")
