"""What may stand between a client and its server: a proxy that carries connections, or one that speaks FTP itself.

What carries connections (SOCKS, HTTP CONNECT) is a :class:`Tunnel`, made by :mod:`fairlead.integrations.proxies`. An
FTP proxy is logged in to, and told in words of FTP where to go on to; there is no standard for those, so that there is
a table of the usual ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from fairlead.errors import ConfigError
from fairlead.record import Record

_FTP = 21


class Tunnel(Protocol):
    """A proxy that connects whoever asks with whomever they name."""

    def __str__(self) -> str:
        """Its URL, without user and password."""

    def connect(self, host: str, port: int, *, timeout: float) -> Any:
        """A blocking, connected ``socket`` to ``port`` of ``host``, a name or numeric address, by way of the proxy.

        Called in a thread of its own. Raises OSError.
        """


class Style(Record):
    """How an FTP proxy is told where to go on to: the commands of the login, one after the other.

    ``{user}``, ``{password}`` and ``{host}`` are those of the server (the host with its port unless that is 21),
    ``{proxy_user}`` and ``{proxy_password}`` those of the proxy.
    """

    steps: tuple[tuple[str, str], ...]

    @property
    def needs_user(self) -> bool:
        """Whether it makes no sense without a user of the proxy, beyond a login of his own that can be left out."""
        named = any("{proxy_user}" in argument for _, argument in self.steps if argument != "{proxy_user}")
        return named or self.steps == (*_TO_PROXY, *_BY_NAME)


_TO_PROXY = (("USER", "{proxy_user}"), ("PASS", "{proxy_password}"))
_TO_SERVER = (("USER", "{user}"), ("PASS", "{password}"))
_BY_NAME = (("USER", "{user}@{host}"), ("PASS", "{password}"))

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "user": Style(_BY_NAME),
        "login-user": Style((*_TO_PROXY, *_BY_NAME)),
        "site": Style((*_TO_PROXY, ("SITE", "{host}"), *_TO_SERVER)),
        "open": Style((*_TO_PROXY, ("OPEN", "{host}"), *_TO_SERVER)),
        "proxy-user": Style((("USER", "{proxy_user}@{host}"), ("PASS", "{proxy_password}"), *_TO_SERVER)),
        "joined": Style((("USER", "{user}@{proxy_user}@{host}"), ("PASS", "{password}@{proxy_password}"))),
        "account": Style(
            (("USER", "{user}@{host} {proxy_user}"), ("PASS", "{password}"), ("ACCT", "{proxy_password}"))
        ),
    }
)
"""The ways in which FTP proxies are logged in to. Where the proxy has no user, its own steps are left out."""


class FtpProxy(Record, hidden=("password",)):
    """An FTP proxy at ``port`` of ``host``, and how it is logged in to; ``style`` is one of :data:`STYLES`.

    The default style is ``login-user`` where the proxy has a user, else ``user``. Raises ConfigError for a style that
    does not exist, or that needs a user of the proxy where there is none.
    """

    host: str
    port: int = _FTP
    user: str = ""
    password: str = ""
    style: str = ""

    def __post_init__(self) -> None:
        chosen = self.style or ("login-user" if self.user else "user")
        if chosen not in STYLES:
            message = f"there is no proxy style {chosen!r}; it is one of {', '.join(STYLES)}"
            raise ConfigError(message)
        if STYLES[chosen].needs_user and not self.user:
            message = f"the proxy style {chosen!r} needs a user of the proxy; write ftp://USER:PASSWORD@{self.host}"
            raise ConfigError(message)
        self.__dict__["style"] = chosen

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ftp://{host}:{self.port}"

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The verbs of the login and what follows them, to be filled in."""
        own = set() if self.user else set(_TO_PROXY)
        return [step for step in STYLES[self.style].steps if step not in own]

    def filled(self, template: str, place: tuple[str, int], user: str, password: str) -> str:
        """What ``template`` comes to for ``user`` of the server at ``place``, a host and a port."""
        host, port = place
        if port != _FTP:
            host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return template.format(
            user=user, password=password, host=host, proxy_user=self.user, proxy_password=self.password
        )


Proxy: TypeAlias = Tunnel | FtpProxy
