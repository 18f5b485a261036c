"""What may stand in the way, each declared as data; the nft text of a router is made from all that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.addresses import CONTROL_PORT, OPEN_HALF, PASSIVE_PORTS, REMAPPED_PORTS, Host, Plan

Answer = Literal["drop", "reject"]


@dataclass(frozen=True, slots=True)
class Forward:
    """Public TCP ports of a router, and the first of as many ports of the server that they lead to."""

    public: range
    private: int


_CONTROL = range(CONTROL_PORT, CONTROL_PORT + 1)
_FORWARD_CONTROL = Forward(_CONTROL, CONTROL_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that a router does, or one setting of the server.

    A machine has at most one obstacle that sets ``inbound``, one that sets ``outbound``, and so on.
    """

    name: str
    says: str
    host: Host
    inbound: tuple[range, ...] | None = None
    """The ports that may be called from outside; None for all."""
    outbound: tuple[range, ...] | None = None
    """The ports that may be called from inside; None for all."""
    answer: Answer = "drop"
    """What becomes of calls that may not pass."""
    nat: tuple[Forward, ...] | None = None
    """The router masquerades, and forwards these."""
    helper: bool = False
    """The kernel's FTP helper listens in on port 21."""
    rules: str = ""
    """Further nft text, in a table of its own."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    middlebox: Literal["", "rewriter", "nat64"] = ""
    """A program that changes packets."""
    announces_public: bool = False
    """The server announces its public address, not its own."""
    no_v4: bool = False
    """IPv4 is not routed."""


_DATA = "tcp sport != 21 tcp dport != 21"

OBSTACLES: dict[str, Obstacle] = {
    obstacle.name: obstacle
    for obstacle in (
        Obstacle(
            name="home-nat",
            says="home router masquerades, and lets nobody in",
            host=Host.HOME,
            nat=(),
            inbound=(),
        ),
        Obstacle(name="home-helper", says="home router has the kernel's FTP helper", host=Host.HOME, helper=True),
        Obstacle(name="home-firewall", says="home router drops calls from outside", host=Host.HOME, inbound=()),
        Obstacle(
            name="home-firewall-reject",
            says="home router answers calls from outside with RST",
            host=Host.HOME,
            inbound=(),
            answer="reject",
        ),
        Obstacle(
            name="home-egress",
            says="home router lets out calls of port 21 only",
            host=Host.HOME,
            outbound=(_CONTROL,),
        ),
        Obstacle(
            name="office-nat-control",
            says="office forwards port 21 only",
            host=Host.OFFICE,
            nat=(_FORWARD_CONTROL,),
            inbound=(_CONTROL,),
        ),
        Obstacle(
            name="office-nat-range",
            says="office forwards 21 and the passive range",
            host=Host.OFFICE,
            nat=(_FORWARD_CONTROL, Forward(PASSIVE_PORTS, PASSIVE_PORTS.start)),
            inbound=(_CONTROL, PASSIVE_PORTS),
        ),
        Obstacle(
            name="office-nat-remap",
            says="office forwards another public range to the passive range",
            host=Host.OFFICE,
            nat=(_FORWARD_CONTROL, Forward(REMAPPED_PORTS, PASSIVE_PORTS.start)),
            inbound=(_CONTROL, REMAPPED_PORTS),
        ),
        Obstacle(
            name="announces-public",
            says="server announces the public address",
            host=Host.SERVER,
            announces_public=True,
        ),
        Obstacle(name="office-firewall", says="office lets in 21 only", host=Host.OFFICE, inbound=(_CONTROL,)),
        Obstacle(
            name="office-firewall-reject",
            says="office lets in 21 only, and answers RST",
            host=Host.OFFICE,
            inbound=(_CONTROL,),
            answer="reject",
        ),
        Obstacle(
            name="office-firewall-range",
            says="office lets in 21 and half of the passive range",
            host=Host.OFFICE,
            inbound=(_CONTROL, OPEN_HALF),
        ),
        Obstacle(name="office-helper", says="office has the kernel's FTP helper", host=Host.OFFICE, helper=True),
        Obstacle(name="office-egress", says="office drops the server's outbound calls", host=Host.OFFICE, outbound=()),
        Obstacle(name="no-ipv4", says="no IPv4 between the two sides", host=Host.INTERNET, no_v4=True),
        Obstacle(
            name="nat64",
            says="the client has IPv6 only, the server is reached by a translator",
            host=Host.INTERNET,
            middlebox="nat64",
        ),
        Obstacle(
            name="rewriter",
            says="a middlebox rewrites the port in 227 and 229",
            host=Host.INTERNET,
            middlebox="rewriter",
        ),
        Obstacle(
            name="idle-killer",
            says="connection tracking forgets a connection that is idle for 5 s",
            host=Host.INTERNET,
            rules="""
                chain forward {
                    type filter hook forward priority filter; policy drop;
                    ct state established,related accept
                    ct state new tcp flags & (fin | syn | rst | ack) == syn accept
                    meta l4proto { icmp, ipv6-icmp } accept
                }
            """,
            sysctls={
                "net.netfilter.nf_conntrack_tcp_loose": "0",
                "net.netfilter.nf_conntrack_tcp_timeout_established": "5",
                "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged": "5",
                "net.netfilter.nf_conntrack_tcp_timeout_max_retrans": "5",
            },
        ),
        Obstacle(
            name="lossy",
            says="3 % of all packets are lost",
            host=Host.INTERNET,
            rules="""
                chain forward {
                    type filter hook forward priority filter; policy accept;
                    numgen random mod 100 < 3 drop
                }
            """,
        ),
        # A reset answers the acknowledgements, so it goes to the receiver, whose kernel then resets the sender.
        Obstacle(
            name="cutter",
            says="data connections are reset after 1 MB",
            host=Host.INTERNET,
            rules=f"""
                chain forward {{
                    type filter hook forward priority filter; policy accept;
                    tcp flags & rst == rst accept
                    {_DATA} meta length < 100 ct bytes > 1000000 reject with tcp reset
                }}
            """,
            sysctls={"net.netfilter.nf_conntrack_acct": "1"},
        ),
    )
}


def _ports(ranges: Iterable[range]) -> str:
    return ", ".join(str(r.start) if len(r) == 1 else f"{r.start}-{r[-1]}" for r in ranges)


def _filter(obstacles: list[Obstacle]) -> str:
    """The table ``inet filter``, with the chains that Debian's nftables.conf has."""
    inbound = next((o for o in obstacles if o.inbound is not None), None)
    outbound = next((o for o in obstacles if o.outbound is not None), None)
    helper = any(o.helper for o in obstacles)
    if inbound is None and outbound is None and not helper:
        return ""
    forward = ["ct state established,related accept", "meta l4proto { icmp, ipv6-icmp } accept"]
    refuse = "meta l4proto tcp reject with tcp reset"
    for side, closing in (("lan", outbound), ("wan", inbound)):
        ranges = None if closing is None else closing.outbound if side == "lan" else closing.inbound
        if ranges is None:
            forward.append(f'iifname "{side}" accept')
            continue
        if side == "wan" and closing is not None and closing.nat is not None:
            forward.append('iifname "wan" ct status dnat accept')
        if ranges:
            forward.append(f'iifname "{side}" tcp dport {{ {_ports(ranges)} }} accept')
        if closing is not None and closing.answer == "reject":
            forward.append(f'iifname "{side}" {refuse}')
    lines = ["table inet filter {"]
    if helper:
        lines += [f'  ct helper ftp-{v} {{ type "ftp" protocol tcp; l3proto {v}; }}' for v in ("ip", "ip6")]
        # The helper can be set once the connection is tracked, hence not at priority raw.
        lines += ["  chain helpers {", "    type filter hook prerouting priority filter;"]
        lines += [f'    meta nfproto ipv4 tcp dport {CONTROL_PORT} ct helper set "ftp-ip"']
        lines += [f'    meta nfproto ipv6 tcp dport {CONTROL_PORT} ct helper set "ftp-ip6"', "  }"]
    lines += ["  chain input {", "    type filter hook input priority filter; policy accept;"]
    if inbound is not None:
        lines += ["    ct state established,related accept", "    meta l4proto { icmp, ipv6-icmp } accept"]
        lines += ['    iifname "wan" ' + (refuse if inbound.answer == "reject" else "drop")]
    lines += ["  }", "  chain forward {", "    type filter hook forward priority filter; policy drop;"]
    return "\n".join([*lines, *(f"    {rule}" for rule in forward), "  }", "}"])


def _nat(obstacles: list[Obstacle], plan: Plan) -> str:
    """The table ``ip nat``, with the usual chains."""
    found = next((o for o in obstacles if o.nat is not None), None)
    if found is None or found.nat is None:
        return ""
    prerouting = []
    for forward in found.nat:
        target = forward.private
        if forward.public.start == target:
            prerouting.append(f'    iifname "wan" tcp dport {_ports([forward.public])} dnat to {plan.server}')
        else:
            pairs = ", ".join(f"{port} : {target + number}" for number, port in enumerate(forward.public))
            prerouting.append(
                f'    iifname "wan" tcp dport {_ports([forward.public])} '
                f"dnat to {plan.server} : tcp dport map {{ {pairs} }}"
            )
    return "\n".join(
        [
            "table ip nat {",
            "  chain prerouting {",
            "    type nat hook prerouting priority dstnat; policy accept;",
            *prerouting,
            "  }",
            "  chain postrouting {",
            "    type nat hook postrouting priority srcnat; policy accept;",
            '    oifname "wan" masquerade',
            "  }",
            "}",
        ]
    )


def rules(obstacles: Iterable[Obstacle], host: Host, plan: Plan) -> str:
    """The whole nft text of ``host``; empty where nothing is in the way there.

    Firewalls stand in ``table inet filter`` (chains ``input`` and ``forward``), address translation in ``table ip nat``
    (``prerouting`` and ``postrouting``), so that rules added as documentation everywhere tells have an effect. The
    router's inner interface is ``lan``, its outer one ``wan``.
    """
    here = [o for o in obstacles if o.host is host]
    own = [f"table inet {o.name} {{{o.rules}}}" for o in here if o.rules]
    return "\n".join(text for text in (_filter(here), _nat(here, plan), *own) if text)
