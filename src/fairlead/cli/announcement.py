"""What ``fairlead serve`` says on standard output once it serves: where, to whom, and what a firewall must let in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from fairlead.accounts.base import Account, Right
from fairlead.config.values import bracketed
from fairlead.reach.private import is_loopback

if TYPE_CHECKING:
    from fairlead.config.build import Built
    from fairlead.server.settings import Announce, Settings, TlsSettings

MANY = 5
"""So many accounts are counted instead of named."""


def announce(addresses: Sequence[tuple[str, int]], root: str, built: Built, *, metrics: str | None = None) -> None:
    """Print a line for each listener, for programs, and then some for people; ``metrics`` is where those are."""
    clear = len(addresses) - len(built.settings.tls.implicit)
    lines = [
        f"listening on {'ftp' if number < clear else 'ftps'}://{bracketed(host)}:{port}"
        for number, (host, port) in enumerate(addresses)
    ]
    lines += for_people(addresses, root, built)
    if metrics is not None:
        lines.append(f"metrics at {metrics}")
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # who started the server has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def for_people(addresses: Sequence[tuple[str, int]], root: str, built: Built) -> Iterator[str]:
    """What is served to whom, the passive range, the announced address, and what lies in the way."""
    settings = built.settings
    ports = f"{settings.passive_ports[0]}-{settings.passive_ports[-1]}"
    yield f"serving {os.path.realpath(root)}: {_accounts(list(built.accounts))}"
    if built.hosts:
        names = (f"{host.names[0]}{'' if host.available else ' (not available)'}" for host in built.hosts)
        yield f"virtual hosts: {', '.join(names)}"
    yield f"passive ports {ports}, announced as {_announced(settings.announce)}"
    if settings.tls.certificates:
        yield _protection(settings.tls)
    if all(is_loopback(host) for host, _ in addresses):
        yield "only this machine can connect; to let others in: --listen '[::]:2121'"
        return
    control = sorted({port for _, port in addresses})
    yield f"a firewall must let in TCP {', '.join(map(str, control))} and {ports}{_calls_out(settings, control)}"
    for rule in settings.announce:
        if not rule.clients and _is_private(rule.address):
            yield (
                f"{rule.address} is a private address: clients beyond a NAT need --public-address with the one outside"
            )


def _protection(tls: TlsSettings) -> str:
    """How TLS is had, and what a careful person compares with what the client shows."""
    import binascii
    import hashlib
    from pathlib import Path

    file = tls.certificates[0].file
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = Path(file).read_text("ascii", "replace").partition(begin)[2].partition(end)[0]
    digest = hashlib.sha256(binascii.a2b_base64(text)).hexdigest().upper()
    shown = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return f"TLS {'required' if tls.required else 'on request'} with {file}, SHA-256 {shown}"


def _accounts(accounts: Sequence[Account]) -> str:
    if not accounts:
        return "nobody may log in; give --user NAME:PASSWORD or --anonymous"
    if len(accounts) >= MANY:
        return f"{len(accounts)} accounts"
    return ", ".join(f"{account.name} {_may(account.rights('/'))}" for account in accounts)


def _may(rights: Right) -> str:
    if rights & (Right.WRITER & ~Right.READER):
        return "reads and writes"
    return "reads"


def _announced(rules: Iterable[Announce]) -> str:
    said = [
        f"{rule.address or 'the address they call'}"
        f"{f' ports {rule.ports[0]}-{rule.ports[-1]}' if rule.ports else ''}"
        f"{f' to {rule.clients}' if rule.clients else ''}"
        for rule in rules
    ]
    return ", ".join(said) or "the address that each client calls"


def _calls_out(settings: Settings, control: Iterable[int]) -> str:
    if not settings.active:
        return ""
    if settings.active_source_port == 0:
        return ", and out calls from any port (active mode)"
    sources = [port - 1 for port in control] if settings.active_source_port is None else [settings.active_source_port]
    return f", and out calls from {', '.join(map(str, sources))} (active mode)"


def _is_private(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_private
    except ValueError:  # a host name
        return False
