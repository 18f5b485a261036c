"""The machine that a server runs on, as Linux tells of it in /proc: addresses, ports, privileges, limits.

Where a file is not there, as on other systems, what it would tell is unknown and nothing is concluded from it.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from struct import pack, unpack

CAP_NET_BIND_SERVICE = 10
_LISTENING = "0A"
_LEAF = re.compile(r"\s*\|-- (\S+)\s*\n\s*/32 host LOCAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the doctor knows of it; empty or None where that is nothing."""

    addresses: tuple[str, ...] = ()
    """Its own, IPv4 first, as they are written; loopback and link-local ones among them."""
    listening: frozenset[tuple[str, int]] = frozenset()
    """Addresses and ports that some program listens on."""
    ephemeral: range | None = None
    """The ports that the system draws from for connections to others."""
    reserved: frozenset[int] = frozenset()
    """Those of them that it leaves out."""
    unprivileged: int = 1024
    """The lowest port that everybody may bind."""
    may_bind_all: bool = True
    """Whether this process may bind lower ones, too."""
    descriptors: int = 0
    """How many one process may have; 0 where that is without limit or unknown."""


def this_machine(root: Path = Path("/proc")) -> Machine:
    """What ``root``, the proc file system, tells."""
    local = re.findall(r"\d+", _text(root / "sys/net/ipv4/ip_local_port_range"))
    unprivileged = _text(root / "sys/net/ipv4/ip_unprivileged_port_start").strip()
    capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)", _text(root / "self/status"), re.MULTILINE)
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Machine(
        addresses=tuple(dict.fromkeys([*_addresses4(_text(root / "net/fib_trie")), *_addresses6(root)])),
        listening=frozenset(_listening(root)),
        ephemeral=range(int(local[0]), int(local[1]) + 1) if len(local) == 2 else None,
        reserved=frozenset(_ports(_text(root / "sys/net/ipv4/ip_local_reserved_ports"))),
        unprivileged=int(unprivileged) if unprivileged.isdecimal() else 1024,
        may_bind_all=capabilities is None or bool(int(capabilities[1], 16) >> CAP_NET_BIND_SERVICE & 1),
        descriptors=0 if limit == resource.RLIM_INFINITY else limit,
    )


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""


def _addresses4(trie: str) -> Iterator[str]:
    yield from sorted({match[1] for match in _LEAF.finditer(trie)}, key=lambda text: int(IPv4Address(text)))


def _addresses6(root: Path) -> Iterator[str]:
    for line in _text(root / "net/if_inet6").splitlines():
        yield str(IPv6Address(bytes.fromhex(line.split()[0])))


def _listening(root: Path) -> Iterator[tuple[str, int]]:
    for name in ("tcp", "tcp6"):
        for line in _text(root / "net" / name).splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == _LISTENING:
                address, _, port = local.partition(":")
                yield _address(address), int(port, 16)


def _address(digits: str) -> str:
    """An address as the kernel writes it: words of 32 bits in the order of octets that the machine has."""
    octets = bytes.fromhex(digits)
    words = unpack(f">{len(octets) // 4}I", octets)
    native = pack(f"={len(words)}I", *words)
    return str(IPv4Address(native) if len(native) == 4 else IPv6Address(native))


def _ports(text: str) -> Iterator[int]:
    """The ports of a list such as ``2121,50000-50099``."""
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
