"""Who has which address: documentation addresses (RFC 5737, RFC 3849) in public, RFC 1918 ones behind a NAT."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface, ip_interface


class Host(StrEnum):
    """The machines of a topology, from the client to the server; the three in the middle are routers."""

    CLIENT = "client"
    HOME = "home"
    INTERNET = "internet"
    OFFICE = "office"
    SERVER = "server"


ROUTERS = (Host.HOME, Host.INTERNET, Host.OFFICE)
SERVER_NAME = "server.test"
"""What programs inside call the server by."""
CONTROL_PORT = 21
PASSIVE_PORTS = range(50000, 50100)
"""What every server inside uses for passive mode."""
OPEN_HALF = PASSIVE_PORTS[: len(PASSIVE_PORTS) // 2]
REMAPPED_PORTS = range(40000, 40000 + len(PASSIVE_PORTS))
"""The public ports of a router that forwards to other ones."""
NAT64_PREFIX = "64:ff9b::/96"
NAT64_POOL = "192.0.2.64"
"""The address by which servers of IPv4 know the client behind the translator."""


@dataclass(frozen=True, slots=True)
class Port:
    """One end of a link: the machine, the interface's name there, its addresses."""

    host: Host
    interface: str
    v4: IPv4Interface | None
    v6: IPv6Interface


@dataclass(frozen=True, slots=True)
class Plan:
    """All addresses of a topology; which are private follows from where NATs stand."""

    client_private: bool = False
    server_private: bool = False
    client_v4: bool = True
    v4: bool = True
    """Whether IPv4 is routed between the two sides."""
    nat64: bool = False

    @property
    def links(self) -> tuple[tuple[Port, Port], ...]:
        """The four links, each from the client's side to the server's."""
        lan = "192.168.1.%d/24" if self.client_private else "198.51.100.%d/24"
        farm = "10.1.1.%d/24" if self.server_private else "203.0.113.%d/26"
        return (
            (
                _port(Host.CLIENT, "net", lan % 10 if self.client_v4 else None, "2001:db8:c::10/64"),
                _port(Host.HOME, "lan", lan % 1, "2001:db8:c::1/64"),
            ),
            (
                _port(Host.HOME, "wan", "192.0.2.2/30", "2001:db8:1::2/64"),
                _port(Host.INTERNET, "home", "192.0.2.1/30", "2001:db8:1::1/64"),
            ),
            (
                _port(Host.INTERNET, "office", "203.0.113.129/30", "2001:db8:2::1/64"),
                _port(Host.OFFICE, "wan", "203.0.113.130/30", "2001:db8:2::2/64"),
            ),
            (
                _port(Host.OFFICE, "lan", farm % 1, "2001:db8:5::1/64"),
                _port(Host.SERVER, "net", farm % 21, "2001:db8:5::21/64"),
            ),
        )

    def address(self, host: Host, interface: str, family: int) -> str:
        """An address as text; raises KeyError where there is none."""
        for link in self.links:
            for port in link:
                found = port.v4 if family == 4 else port.v6
                if (port.host, port.interface) == (host, interface) and found is not None:
                    return str(found.ip)
        raise KeyError(host, interface, family)

    @property
    def client(self) -> str:
        """The client's own IPv4 address."""
        return self.address(Host.CLIENT, "net", 4)

    @property
    def server(self) -> str:
        """The server's own IPv4 address."""
        return self.address(Host.SERVER, "net", 4)

    @property
    def public(self) -> str:
        """The IPv4 address by which the world knows the server."""
        return self.address(Host.OFFICE, "wan", 4) if self.server_private else self.server

    @property
    def server_v6(self) -> str:
        """The server's IPv6 address."""
        return self.address(Host.SERVER, "net", 6)

    @property
    def names(self) -> tuple[str, ...]:
        """The addresses of :data:`SERVER_NAME`, as the client's resolver knows them."""
        if self.nat64:
            octets = bytes(map(int, self.public.split(".")))
            return (f"64:ff9b::{octets[:2].hex()}:{octets[2:].hex()}",)
        return (self.server_v6, self.public) if self.v4 else (self.server_v6,)

    def routes(self, host: Host) -> tuple[tuple[str, str | None], ...]:
        """Networks and the next hop to each, beside those on the machine's own links; no hop stands for silence."""
        home, office = self.address(Host.HOME, "wan", 4), self.address(Host.OFFICE, "wan", 4)
        match host:
            case Host.CLIENT:
                v4 = (("0.0.0.0/0", self.address(Host.HOME, "lan", 4)),) if self.client_v4 else ()
                return (*v4, ("::/0", self.address(Host.HOME, "lan", 6)))
            case Host.HOME:
                up4, up6 = self.address(Host.INTERNET, "home", 4), self.address(Host.INTERNET, "home", 6)
                return (("0.0.0.0/0", up4 if self.v4 else None), ("::/0", up6))
            case Host.INTERNET:
                v6 = (
                    ("2001:db8:c::/64", self.address(Host.HOME, "wan", 6)),
                    ("2001:db8:5::/64", self.address(Host.OFFICE, "wan", 6)),
                    ("::/0", None),
                )
                # No provider carries private addresses: they vanish.
                known: list[tuple[str, str | None]] = [("0.0.0.0/0", None)]
                if not self.client_private:
                    known.append(("198.51.100.0/24", home))
                if not self.server_private:
                    known.append(("203.0.113.0/26", office))
                return (*known, *v6)
            case Host.OFFICE:
                up4, up6 = self.address(Host.INTERNET, "office", 4), self.address(Host.INTERNET, "office", 6)
                return (("0.0.0.0/0", up4 if self.v4 else None), ("::/0", up6))
            case Host.SERVER:
                return (
                    ("0.0.0.0/0", self.address(Host.OFFICE, "lan", 4)),
                    ("::/0", self.address(Host.OFFICE, "lan", 6)),
                )


def _port(host: Host, interface: str, v4: str | None, v6: str) -> Port:
    four, six = ip_interface(v4) if v4 else None, ip_interface(v6)
    assert four is None or isinstance(four, IPv4Interface)
    assert isinstance(six, IPv6Interface)
    return Port(host, interface, four, six)
