"""``fairlead doctor --server``: a configuration against the machine it is to serve on, from the server's side.

What clients elsewhere meet cannot be known from here; what they are told, and what must be open for them, can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fairlead.doctor.certificate import Shown, read_certificate
from fairlead.doctor.finding import Finding, State
from fairlead.doctor.firewall import read_ruleset
from fairlead.doctor.machine import Machine, this_machine
from fairlead.doctor.openings import host_rules, offer_of, router_rules
from fairlead.doctor.outside import check_announced, check_certificates, check_firewall, resolved
from fairlead.doctor.places import WILDCARDS, family_of, is_loopback, is_one_address, span
from fairlead.doctor.ruleset import Ruleset
from fairlead.reach.private import is_private
from fairlead.reach.rules import TOOLS, RuleSet
from fairlead.server.announce import is_address
from fairlead.server.settings import Settings

BESIDE = 64
"""Descriptors that a process needs beside those of its sessions."""
EACH = 2
"""Descriptors of a session with a transfer: two connections; the file takes a third for a moment."""


@dataclass(frozen=True, slots=True)
class Told:
    """What passive replies tell the clients of one network."""

    clients: str
    """The network; empty for all others."""
    address: str
    """What 227 names; empty for the address that the client called."""
    ports: range


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found."""

    findings: tuple[Finding, ...]
    told: tuple[Told, ...]
    host: RuleSet
    """What the machine's own firewall must let through."""
    router: RuleSet | None
    """What a router before it must let through and forward; None where only this machine is served."""

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.state is not State.WRONG for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """The whole as JSON's values; keys may be added in later versions, none is taken away."""
        return {
            "right": self.right,
            "findings": [
                {"subject": each.subject, "state": each.state.value, "text": each.text, "advice": each.advice}
                for each in self.findings
            ],
            "told": [
                {"clients": each.clients, "address": each.address, "ports": span(each.ports)} for each in self.told
            ],
            "host": _rendered(self.host),
            "router": None if self.router is None else _rendered(self.router),
        }


def _rendered(rules: RuleSet) -> dict[str, str]:
    return {name: tool.render(rules) for name, tool in TOOLS.items()}


def look(settings: Settings) -> Report:
    """What ``settings`` mean on this machine as it is now. Raises OSError and ValueError for certificates."""
    return examine(
        settings,
        this_machine(),
        firewall=read_ruleset(),
        certificates=list(map(read_certificate, settings.tls.certificates)),
        now=datetime.now(UTC),
    )


def examine(
    settings: Settings,
    machine: Machine,
    *,
    firewall: Ruleset | str,
    certificates: Sequence[Shown],
    now: datetime,
    resolve: Callable[[str], str | None] = resolved,
) -> Report:
    """What ``settings`` will mean on ``machine``.

    ``firewall`` are its rules, or why they are not known; ``certificates`` are those of the settings, as read.
    """
    local = all(is_loopback(host) for host, _ in settings.everywhere)
    findings = [
        *_listeners(settings, machine, local=local),
        *_passive(settings, machine),
        *(() if local else check_announced(settings, machine, resolve)),
        *(() if local else check_firewall(settings, firewall)),
        *check_certificates(settings, certificates, now),
        *_active(settings, machine),
        *_descriptors(settings, machine),
    ]
    router = None if local else router_rules(settings, _inside(settings, machine))
    return Report(tuple(findings), tuple(_told(settings)), host_rules(settings), router)


def _told(settings: Settings) -> Iterator[Told]:
    for rule in settings.announce:
        yield Told(rule.clients, rule.address, rule.ports or settings.passive_ports)
    if all(rule.clients for rule in settings.announce):
        yield Told("", "", settings.passive_ports)


def _listeners(settings: Settings, machine: Machine, *, local: bool) -> Iterator[Finding]:
    for host, port in settings.everywhere:
        where = f"{f'[{host}]' if ':' in host else host}:{port}"
        if is_one_address(host) and machine.addresses and host.partition("%")[0] not in machine.addresses:
            yield Finding(
                "listen",
                State.WRONG,
                f"this machine has no address {host}; it has {', '.join(machine.addresses)}",
                f"listen on one of these, or on [::]:{port} for all",
            )
        elif 0 < port < machine.unprivileged and not machine.may_bind_all:
            yield Finding(
                "listen",
                State.WRONG,
                f"{where} cannot be bound: ports below {machine.unprivileged} need a privilege",
                "run as root, or with CAP_NET_BIND_SERVICE (AmbientCapabilities= of systemd), or take a higher port",
            )
        elif _taken(machine, host, port):
            yield Finding(
                "listen", State.DOUBTFUL, f"somebody listens on {where}", "well and good if that is this server"
            )
        else:
            yield Finding("listen", State.RIGHT, f"{where} can be had")
    if local:
        yield Finding("listen", State.DOUBTFUL, "only this machine can connect", "listen on [::]:2121 to let others in")


def _passive(settings: Settings, machine: Machine) -> Iterator[Finding]:
    ports = settings.passive_ports
    wanted, count = span(ports), len(ports)
    taken = sorted({port for _, port in machine.listening} & set(ports))
    if taken and len(taken) == count:
        yield Finding("passive-ports", State.WRONG, f"none of the ports {wanted} is free", "choose other passive_ports")
    else:
        others = f"; {', '.join(map(str, taken[:5]))}{' and others' * (len(taken) > 5)} taken" if taken else ""
        yield Finding("passive-ports", State.RIGHT, f"{count - len(taken)} of the ports {wanted} are free{others}")
    if ports[0] < machine.unprivileged and not machine.may_bind_all:
        yield Finding(
            "passive-ports",
            State.WRONG,
            f"ports below {machine.unprivileged} need a privilege, and {wanted} has some",
            f"choose passive_ports from {machine.unprivileged} on",
        )
    if machine.ephemeral is not None:
        common = set(ports) & set(machine.ephemeral) - machine.reserved
        if common:
            yield Finding(
                "passive-ports",
                State.DOUBTFUL,
                f"{len(common)} of the ports {wanted} are among {span(machine.ephemeral)}, from which this machine"
                " calls others, so they may be in use",
                f'sysctl net.ipv4.ip_local_reserved_ports="{wanted}", or choose passive_ports elsewhere, such as'
                " 61000-65535",
            )
    if settings.max_sessions > count:
        yield Finding(
            "passive-ports",
            State.DOUBTFUL,
            f"{settings.max_sessions} sessions may want passive ports at a time, and there are {count}",
            "give more passive_ports, or fewer max_sessions",
        )
    clash = sorted({port for _, port in settings.everywhere} & set(ports))
    if clash:
        yield Finding(
            "passive-ports", State.WRONG, f"the control port {clash[0]} is among the passive ports", "keep them apart"
        )


def _active(settings: Settings, machine: Machine) -> Iterator[Finding]:
    if not settings.active:
        return
    sources = next((each for each in offer_of(settings).sources if each[0] < machine.unprivileged), None)
    if sources is not None and not machine.may_bind_all:
        yield Finding(
            "active",
            State.DOUBTFUL,
            f"active mode cannot call from port {span(sources)}, which needs a privilege, and calls from any port:"
            " firewalls of clients that expect it refuse",
            "run as root, or with CAP_NET_BIND_SERVICE; or set active_source_port = 0 if nobody expects it",
        )


def _descriptors(settings: Settings, machine: Machine) -> Iterator[Finding]:
    if not machine.descriptors:
        return
    workers = max(settings.workers, 1)
    room = max(machine.descriptors - BESIDE, 0) // EACH * workers
    if settings.max_sessions > room:
        yield Finding(
            "descriptors",
            State.WRONG,
            f"{settings.max_sessions} sessions need some {settings.max_sessions * EACH // workers + BESIDE} descriptors"
            f" in each process, and it may have {machine.descriptors}",
            "raise the limit (ulimit -n, LimitNOFILE= of systemd), or set fewer max_sessions",
        )
    else:
        yield Finding("descriptors", State.RIGHT, f"there are descriptors for some {room} sessions with transfers")


def _taken(machine: Machine, host: str, port: int) -> bool:
    return any(
        number == port and (address == host or address in WILDCARDS or host in WILDCARDS)
        for address, number in machine.listening
    )


def _inside(settings: Settings, machine: Machine) -> str:
    """The IPv4 address to which a router translates; empty where none does, as far as that can be seen."""
    hosts = [host for host, _ in settings.everywhere if is_one_address(host)] or machine.addresses
    own = [host for host in hosts if family_of(host) == 4 and not is_loopback(host)]
    elsewhere = any(is_address(rule.address) and rule.address not in machine.addresses for rule in settings.announce)
    return own[0] if own and (elsewhere or all(map(is_private, own))) else ""
