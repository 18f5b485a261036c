"""Proxies by their URLs: SOCKS by way of python-socks, HTTP CONNECT, FTP proxies; and what the environment says.

``Client(url, proxy=proxy("socks5h://127.0.0.1:1080"))``.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from fairlead.client._wires.http_tunnel import HttpTunnel
from fairlead.client.proxy import STYLES, FtpProxy, Proxy
from fairlead.errors import ConfigError

if TYPE_CHECKING:
    import socket

    from python_socks.sync import Proxy as Dialler

_KINDS: Mapping[str, tuple[str, bool]] = {
    "socks4": ("SOCKS4", False),
    "socks4a": ("SOCKS4", True),
    "socks5": ("SOCKS5", False),
    "socks5h": ("SOCKS5", True),
}
"""Each scheme, what python-socks calls it, and whether the proxy resolves names; the words are those of curl."""
_PORT, _FTP_PORT = 1080, 21
_SCHEMES = (*_KINDS, "http", "ftp")
_NUMBERS = {3: errno.ENETUNREACH, 4: errno.EHOSTUNREACH, 5: errno.ECONNREFUSED, 6: errno.ETIMEDOUT}
"""What a refusal of SOCKS5 means in terms of a call of our own (RFC 1928 section 6)."""


class SocksTunnel:
    """A SOCKS proxy; see :class:`fairlead.client.proxy.Tunnel`."""

    def __init__(self, dialler: Dialler, name: str) -> None:
        self._dialler = dialler
        self._name = name

    def __str__(self) -> str:
        return self._name

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:  # noqa: TID251 - none is made here
        """See :class:`fairlead.client.proxy.Tunnel`."""
        from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError  # noqa: PLC0415 - an extra

        try:
            return self._dialler.connect(host, port, timeout=timeout)
        except ProxyTimeoutError as error:
            raise TimeoutError(errno.ETIMEDOUT, f"the proxy {self} does not answer in time") from error
        except ProxyConnectionError as error:
            raise OSError(errno.EHOSTDOWN, f"the proxy {self} cannot be reached; check its host and port") from error
        except ProxyError as error:
            number = _NUMBERS.get(error.error_code or 0, errno.ECONNABORTED)
            raise OSError(number, f"the proxy {self} refuses: {error}") from error


def proxy(url: str, *, style: str = "") -> Proxy:
    """The proxy at ``url``: ``socks5h://``, ``socks5://``, ``socks4a://``, ``socks4://``, ``http://`` or ``ftp://``.

    ``[user[:password]@]host[:port]`` follows; the port is 1080, or 21 of FTP, where there is none. Without a scheme it
    is an HTTP proxy, as with curl. With ``socks5h``, ``socks4a`` and ``http`` the proxy resolves names. ``style`` is
    how an FTP proxy is logged in to, one of :data:`fairlead.client.proxy.STYLES`. Raises ConfigError, also where
    python-socks is missing.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in _SCHEMES or parts.path not in {"", "/"}:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise ConfigError(f"{_masked(parts)!r} is no proxy; write HOST:PORT behind one of {known}")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "ftp":
        return FtpProxy(host, port or _FTP_PORT, user, password, style)
    if style:
        raise ConfigError(f"a proxy style ({', '.join(STYLES)}) is of FTP proxies, and {parts.scheme}:// is none")
    if parts.scheme == "http":
        return HttpTunnel(host, port or _PORT, user, password)
    return _socks(parts.scheme, host, port or _PORT, user, password)


def _socks(scheme: str, host: str, port: int, user: str, password: str) -> SocksTunnel:
    try:
        from python_socks import ProxyType  # noqa: PLC0415 - an extra
        from python_socks.sync import Proxy as Dialler  # noqa: PLC0415
    except ImportError as error:
        message = f"{scheme}:// proxies need python-socks; install it by pip install 'fairlead[proxies]'"
        raise ConfigError(message) from error
    kind, resolves = _KINDS[scheme]
    dialler = Dialler(ProxyType[kind], host, port, user or None, password or None, rdns=resolves)
    name = f"[{host}]" if ":" in host else host
    return SocksTunnel(dialler, f"{scheme}://{name}:{port}")


def from_environment(scheme: str, host: str, environment: Mapping[str, str]) -> str:
    """The URL of the proxy that ``environment`` names for ``host``, empty for none; read as curl reads it.

    ``ftp_proxy`` (``ftps_proxy`` of ``ftps://``), then ``all_proxy``, each in small letters before capitals; unless
    ``no_proxy`` names the host, a domain or a network that it is in, or ``*``.
    """
    names = ["ftps_proxy" if scheme == "ftps" else "ftp_proxy", "all_proxy"]
    found = (environment.get(name) or environment.get(name.upper()) for name in names)
    url = next((value for value in found if value), "")
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return "" if _is_exempt(host, exempt) else url


def _is_exempt(host: str, exempt: str) -> bool:
    name = host.rstrip(".").lower()
    for entry in exempt.replace(",", " ").lower().split():
        domain = entry.strip(".")
        if entry == "*" or name == domain or name.endswith(f".{domain}") or _is_in(name, entry):
            return True
    return False


def _is_in(host: str, network: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]) in ip_network(network.strip("[]"), strict=False)
    except ValueError:
        return False


def _masked(parts: SplitResult) -> str:
    """A URL whose password nobody is to read in an error."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
