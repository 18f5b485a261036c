"""What a configuration describes, made: settings of a server, its stores of files, its accounts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.hashed import Argon2Hash
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.config import models
from fairlead.config.route import outward_address
from fairlead.config.values import choices
from fairlead.errors import ConfigError
from fairlead.record import Record
from fairlead.server.announce import check_ports
from fairlead.server.hosts import Host
from fairlead.server.settings import Announce, Certificate, Settings, TlsSettings
from fairlead.storage.local import LocalStorage


class Built(Record):
    """What a server is started with."""

    settings: Settings
    storage: LocalStorage
    accounts: MemoryAccounts
    stores: Sequence[LocalStorage]
    """``storage`` and those of the accounts and hosts that have a directory of their own."""
    hosts: Sequence[Host] = ()


def build(config: models.Config, *, users: Mapping[str, str] | None = None, write: bool = False) -> Built:
    """Make what ``config`` describes.

    ``users`` are further users, names to passwords in clear, who take the place of configured ones of the same name.
    ``write`` lets every named user change files of whom the configuration does not say. Raises ConfigError.
    """
    stores = _Stores(config.storage)
    named = {
        name: User(Account(name, stores.main, _rules((), write=write)), KeyedDigest(password))
        for name, password in (users or {}).items()
    }
    hosts = tuple(_hosts(config, stores, named, write=write))
    accounts = _accounts(config, stores, named, None, write=write)
    return Built(_settings(config), stores.main, accounts, stores.all(), hosts)


def _hosts(config: models.Config, stores: _Stores, named: Mapping[str, User], *, write: bool) -> Iterator[Host]:
    """The virtual hosts, each with accounts of its own."""
    taken: set[str] = set()
    for host in config.hosts:
        names = _names(host)
        for name in names:
            if name in taken:
                raise ConfigError(f"two virtual hosts have the name {name!r}; take it from one of them")
            taken.add(name)
        accounts = _accounts(config, stores, named, host, write=write)
        banner = host.banner or config.server.banner
        yield Host(names, stores.of(host.root), accounts, banner, available=host.available)
    for user in config.users:
        for wanted in user.hosts:
            if wanted.name not in taken:
                known = choices(wanted.name, taken) if taken else "add it to [[hosts]]"
                raise ConfigError(f"there is no virtual host {wanted!r} for the user {user.name!r}; {known}")


def _names(host: models.Host) -> tuple[str, ...]:
    return tuple(name.name for name in (host.name, *host.aliases))


def _accounts(
    config: models.Config, stores: _Stores, named: Mapping[str, User], host: models.Host | None, *, write: bool
) -> MemoryAccounts:
    """Who may log in at ``host``, None for the server itself."""
    root = host.root if host is not None else ""
    known: dict[str, User] = {}
    for user in config.users:
        if not _belongs(user, host):
            continue
        if user.name in known:
            place = f" for the host {host.name!r}" if host is not None else ""
            raise ConfigError(f"the user {user.name!r} is configured twice{place}; remove one of the two")
        known[user.name] = _configured(user, stores, root, write=write)
    for name, given in named.items():
        known[name] = given.replace(account=given.account.replace(storage=stores.of(root)))
    enabled = config.anonymous.enabled if host is None or host.anonymous is None else host.anonymous
    anonymous = None
    if enabled or (enabled is None and not known):
        anonymous = Account(
            "anonymous",
            stores.of(config.anonymous.root if host is None else root),
            _rules(config.anonymous.rules, write=False),
            config.anonymous.home,
            anonymous=True,
        )
    return MemoryAccounts(known.values(), anonymous=anonymous, anonymous_needs_password=config.anonymous.need_password)


def _belongs(user: models.User, host: models.Host | None) -> bool:
    """Whether ``user`` logs in at ``host``."""
    if not user.hosts:
        return True
    return host is not None and not set(_names(host)).isdisjoint(name.name for name in user.hosts)


def _configured(user: models.User, stores: _Stores, root: str, *, write: bool) -> User:
    """``user``, in ``root`` where no directory is the user's own."""
    if user.account_at and user.account is None:
        raise ConfigError(f"the user {user.name!r} is asked for ACCT, but has no account to compare with; give account")
    return User(
        Account(
            user.name,
            stores.of(user.root or root),
            _rules(user.rules, write=write if user.write is None else user.write),
            user.home,
            allow_fxp=user.allow_fxp,
            admin=user.admin,
            account_at=user.account_at,
        ),
        Argon2Hash(user.password),
        None if user.account is None else Argon2Hash(user.account),
        user.certificates,
    )


def _rules(rules: Iterable[models.PathRule], *, write: bool) -> tuple[Rule, ...]:
    by_path = {"/": Right.WRITER if write else Right.READER}
    for rule in rules:
        rights = Right.NONE
        for name in rule.rights:
            rights |= name.right
        by_path[rule.path] = rights
    return tuple(Rule(path, rights) for path, rights in by_path.items())


def _settings(config: models.Config) -> Settings:
    server = config.server
    values = {name: getattr(server, name) for name in server._fields}
    del values["public_address"]
    values["proxy_from"] = tuple(map(str, server.proxy_from))
    for name in ("allow", "deny"):
        networks = tuple(map(str, values[name]))
        values[name] = () if "" in networks else networks
    values["listen"] = tuple((where.host, where.port) for where in server.listen)
    values["names"] = tuple(name.name for name in server.names)
    values["passive_ports"] = server.passive_ports.ports
    values["announce"] = tuple(_announced(server.public_address))
    check_ports(values["announce"], values["passive_ports"])
    values["workers"] = server.workers or cores()
    values["tls"] = _tls(config.tls, [rule.address for rule in values["announce"]])
    return Settings(**values)


def _tls(section: models.Tls, names: Iterable[str]) -> TlsSettings:
    """What ``section`` asks for, tried once; a certificate that is made is for ``names``, too."""
    if section.self_signed and (section.certificate or section.key):
        raise ConfigError("a certificate is given and another is to be made; give tls.certificate or tls.self_signed")
    if section.key and len(section.key) != len(section.certificate):
        raise ConfigError(
            f"there are {len(section.certificate)} certificates and {len(section.key)} keys for them; give one key for"
            " each certificate, in the same order (--tls-cert, --tls-key)"
        )
    files = section.certificate
    if section.self_signed:
        from fairlead.config.self_signed import self_signed, state_directory  # noqa: PLC0415 - asked for by few

        files = [self_signed(state_directory(os.environ), filter(None, names))]
    if not files and (section.required or section.implicit or section.client_ca):
        raise ConfigError("TLS needs a certificate; give --tls-cert and --tls-key, or --tls-self-signed to make one")
    settings = TlsSettings(
        certificates=tuple(map(Certificate, files, section.key or [""] * len(files))),
        required=section.required,
        implicit=tuple((where.host, where.port) for where in section.implicit),
        resumption=section.resumption,
        client_ca=section.client_ca,
        minimum_version=section.minimum_version,
        require_close_notify=section.require_close_notify,
    )
    if files:
        from fairlead.server.certificates import check  # noqa: PLC0415 - TLS, which many servers do without

        check(settings)
    return settings


def cores() -> int:
    """How many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _announced(rules: Iterable[models.AddressRule]) -> Iterator[Announce]:
    for rule in rules:
        ports = None if rule.ports is None else rule.ports.ports
        if rule.address != "auto":
            yield Announce(rule.address, rule.clients, ports)
            continue
        address = outward_address()
        if address is None:
            raise ConfigError(
                "no public address can be found: this machine has no default route; write the address in place of auto"
            )
        yield Announce("", "127.0.0.0/8")  # who calls within this machine need not leave it
        yield Announce(address, rule.clients, ports)


class _Stores:
    """The stores of files, one for each directory."""

    def __init__(self, section: models.Storage) -> None:
        self._durability: Literal["full", "relaxed"] = section.durability
        self._umask = section.umask.bits
        self._made: dict[str, LocalStorage] = {}
        self.main = self.of(section.root)

    def of(self, root: str) -> LocalStorage:
        """The store of ``root``; the main one where it is empty."""
        if not root:
            return self.main
        if root not in self._made:
            try:
                self._made[root] = LocalStorage(root, durability=self._durability, umask=self._umask)
            except OSError as error:
                raise ConfigError(f"cannot serve the directory {root!r}: {error.strerror}; name another") from error
        return self._made[root]

    def all(self) -> Sequence[LocalStorage]:
        """All stores there are."""
        return tuple(self._made.values())
