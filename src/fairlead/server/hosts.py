"""Virtual hosts: which of them a name leads to, and what is theirs (RFC 7151)."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from fairlead.errors import ConfigError, UnsupportedError
from fairlead.proto.reply import Reply
from fairlead.reach.private import is_loopback
from fairlead.record import Record

if TYPE_CHECKING:
    from fairlead.accounts.base import Accounts
    from fairlead.server.session import Session
    from fairlead.server.settings import Settings
    from fairlead.storage.base import Storage

UNAVAILABLE = Reply(421, "The host is not available at the moment, closing the control connection.")


def greeting(banner: str) -> Reply:
    """The 220 that says ``banner``, of one line or several."""
    return Reply(220, *(banner.splitlines() or [""]))


class Host(Record):
    """A virtual host. Accounts without a store of their own see ``storage``."""

    names: Sequence[str]
    """In lower case, those in other letters than ASCII's as A-labels."""
    storage: Storage
    accounts: Accounts
    banner: str
    available: bool = True
    """Whether it is served at the moment; else clients are told to come again later."""

    @cached_property
    def greeting(self) -> Reply:
        """What answers HOST."""
        return greeting(self.banner)


class Hosts:
    """The virtual hosts of a server by name, beside the names and addresses of the server itself."""

    def __init__(self, hosts: Iterable[Host], settings: Settings) -> None:
        """Raises ConfigError where two hosts have one name."""
        self._hosts: dict[str, Host] = {}
        for host in hosts:
            for name in host.names:
                if name in self._hosts:
                    raise ConfigError(f"two virtual hosts have the name {name!r}; take it from one of them")
                self._hosts[name] = host
        announced = (rule.address for rule in settings.announce)
        self._own = {name.lower() for name in (socket.gethostname(), *settings.names, *announced) if name}

    @property
    def by_name(self) -> Mapping[str, Host]:
        """The virtual hosts."""
        return self._hosts

    def find(self, name: str, session: Session, *, is_address: bool) -> Host | None:
        """The virtual host called ``name``; None for the server itself. Raises UnsupportedError where nobody is."""
        if name in self._hosts:
            return self._hosts[name]
        own = session.local[0].partition("%")[0]
        if name in self._own or (is_address and name == own):
            return None
        if name == "localhost" and is_loopback(own):
            return None
        raise UnsupportedError("There is no such host here")
