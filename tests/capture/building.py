"""Captures built by hand: packets of TCP connections, and files of them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal

from fairlead.capture.explain import Explained, Explainer, explained
from fairlead.capture.files import CaptureFile, Frame
from fairlead.capture.packets import ACK, FIN, PSH, RST, SYN, Address

ETHERNET, RAW, LOOPBACK, SLL, SLL2 = 1, 101, 0, 113, 276
CLIENT, SERVER = ("198.51.100.10", 40000), ("203.0.113.21", 21)
CLIENT_6, SERVER_6 = ("2001:db8:c::10", 40000), ("2001:db8:5::21", 21)
PRIVATE_SERVER = ("10.1.1.21", 21)


def tcp(
    source: Address, target: Address, flags: int, seq: int, ack: int, payload: bytes = b"", *, hops: int = 0
) -> bytes:
    """An IP datagram with a TCP segment; checksums are left out, as interfaces that compute them do."""
    segment = struct.pack("!HHIIBBHHH", source[1], target[1], seq % 2**32, ack % 2**32, 0x50, flags, 64240, 0, 0)
    return ip(source[0], target[0], 6, segment + payload, hops=hops)


def ip(source: str, target: str, protocol: int, content: bytes, *, hops: int = 0, extension: bytes = b"") -> bytes:
    """An IP datagram; ``extension`` stands before the content of IPv6, with a hole for the next header."""
    packed = ip_address(source).packed + ip_address(target).packed
    if len(packed) == 8:
        return (
            struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), 1, 0x4000, 64 - hops, protocol, 0) + packed + content
        )
    first = protocol if not extension else 0
    body = (bytes([protocol]) + extension if extension else b"") + content
    return struct.pack("!IHBB", 6 << 28, len(body), first, 64 - hops) + packed + body


def unreachable(reporter: str, original: bytes, *, code: int = 1) -> bytes:
    """An ICMP message of ``reporter`` about a datagram, whose beginning it carries."""
    version = original[0] >> 4
    if version == 4:
        target = str(ip_address(original[12:16]))
        return ip(reporter, target, 1, struct.pack("!BBHI", 3, code, 0, 0) + original[:28])
    target = str(ip_address(original[8:24]))
    return ip(reporter, target, 58, struct.pack("!BBHI", 1, code, 0, 0) + original[:60])


def framed(link: int, datagram: bytes, *, outgoing: bool = False) -> bytes:
    """A datagram as a frame of that type of link."""
    six = datagram[0] >> 4 == 6
    kind = 0x86DD if six else 0x0800
    match link:
        case 1:
            return bytes(12) + struct.pack("!H", kind) + datagram
        case 113:
            return struct.pack("!HHH8sH", 4 if outgoing else 0, 1, 6, bytes(8), kind) + datagram
        case 276:
            return struct.pack("!HHIHBB8s", kind, 0, 1, 1, 4 if outgoing else 0, 6, bytes(8)) + datagram
        case 0:
            return struct.pack("<I", 30 if six else 2) + datagram
        case _:
            return datagram


@dataclass
class Wire:
    """Packets in the order of time, seen by the machine of ``standing``."""

    standing: Literal["client", "server"] = "client"
    at: float = 1000.0
    datagrams: list[tuple[float, bytes]] = field(default_factory=list)

    def connect(self, caller: Address, called: Address, *, near: bool | None = None) -> Connection:
        """The handshake of a connection; ``near`` says whether the caller is at hand, by default as the client is."""
        connection = self.connection(caller, called, near=near)
        connection.send(True, SYN)
        connection.send(False, SYN | ACK)
        connection.send(True, ACK)
        return connection

    def connection(self, caller: Address, called: Address, *, near: bool | None = None) -> Connection:
        """A connection of which nothing has been seen yet."""
        return Connection(self, caller, called, self.standing == "client" if near is None else near)

    def put(self, datagram: bytes, *, after: float = 0.001) -> None:
        """The next packet."""
        self.at += after
        self.datagrams.append((self.at, datagram))

    def frames(self, link: int = ETHERNET) -> list[Frame]:
        """All packets as frames."""
        octets = ((at, framed(link, datagram)) for at, datagram in self.datagrams)
        return [Frame(at, link, each, len(each)) for at, each in octets]

    def explain(self) -> list[Explained]:
        """The sessions in it."""
        return list(explained(self.frames(), Explainer()))

    def one(self) -> Explained:
        """The only session in it."""
        (session,) = self.explain()
        return session

    def causes(self) -> list[str]:
        """Of the only session."""
        return [finding.cause.value for finding in self.one().findings]


@dataclass
class Connection:
    """Both directions of a connection, with their sequence numbers."""

    wire: Wire
    caller: Address
    called: Address
    near: bool
    seq: list[int] = field(default_factory=lambda: [1000, 5000])

    def datagram(self, by_caller: bool, flags: int, payload: bytes = b"") -> bytes:
        """A segment, that moves the sequence numbers on."""
        mine, other = (0, 1) if by_caller else (1, 0)
        source, target = (self.caller, self.called) if by_caller else (self.called, self.caller)
        hops = 0 if by_caller is self.near else 3
        made = tcp(source, target, flags, self.seq[mine], self.seq[other], payload, hops=hops)
        self.seq[mine] += len(payload) + bool(flags & (SYN | FIN))
        return made

    def send(self, by_caller: bool, flags: int, payload: bytes = b"", *, after: float = 0.001) -> None:
        """Put a segment on the wire."""
        self.wire.put(self.datagram(by_caller, flags, payload), after=after)

    def say(self, line: str, *, after: float = 0.001) -> None:
        """A command."""
        self.send(True, PSH | ACK, f"{line}\r\n".encode(), after=after)

    def answer(self, line: str, *, after: float = 0.001) -> None:
        """A reply."""
        self.send(False, PSH | ACK, f"{line}\r\n".encode(), after=after)

    def dialogue(self, *lines: str) -> None:
        """Commands and replies in turn; those that begin with three digits are replies."""
        for line in lines:
            (self.answer if line[:3].isdecimal() else self.say)(line)

    def data(self, by_caller: bool, payload: bytes, *, after: float = 0.001) -> None:
        """Data that one end sends, and the other acknowledges."""
        self.send(by_caller, PSH | ACK, payload, after=after)
        self.send(not by_caller, ACK)

    def close(self, *, by_caller: bool = True) -> None:
        """Both ends close in order."""
        self.send(by_caller, FIN | ACK)
        self.send(not by_caller, FIN | ACK)
        self.send(by_caller, ACK)

    def reset(self, by_caller: bool) -> None:
        """One end resets it."""
        self.send(by_caller, RST | ACK)


def syn(wire: Wire, caller: Address, called: Address, *, times: int = 1, near: bool = True) -> bytes:
    """A call, sent again and again; returns the datagram."""
    datagram = tcp(caller, called, SYN, 100, 0, hops=0 if near else 3)
    for number in range(times):
        wire.put(datagram, after=float(number) or 0.001)
    return datagram


def logged_in(wire: Wire, client: Address = CLIENT, server: Address = SERVER) -> Connection:
    """A session up to its login, in which the password is ``s3cret``."""
    control = wire.connect(client, server)
    control.dialogue("220 ready", "USER me", "331 password", "PASS s3cret", "230 in")
    return control


def pcap(frames: Iterable[Frame], *, order: str = "<", nanoseconds: bool = False, link: int | None = None) -> bytes:
    """A pcap file."""
    frames = list(frames)
    units = 10**9 if nanoseconds else 10**6
    kind = link if link is not None else frames[0].link if frames else ETHERNET
    made = struct.pack(f"{order}IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, kind)
    for frame in frames:
        seconds = int(frame.at)
        fraction = round((frame.at - seconds) * units)
        made += struct.pack(f"{order}IIII", seconds, fraction, len(frame.octets), frame.size) + frame.octets
    return made


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block of pcapng."""
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + size + body + size


def pcapng(frames: Sequence[Frame], *, order: str = "<", resolution: int | None = None) -> bytes:
    """A pcapng file, with an interface for each type of link; ``resolution`` is the negative power of ten of a tick."""
    made = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    links = list(dict.fromkeys(frame.link for frame in frames))
    options = b"" if resolution is None else struct.pack(f"{order}HHB3xHH", 9, 1, resolution, 0, 0)
    for link in links:
        made += block(1, struct.pack(f"{order}HHI", link, 0, 0) + options, order)
    made += block(5, bytes(12), order)  # statistics, which nobody needs
    for frame in frames:
        ticks = round(frame.at * 10 ** (6 if resolution is None else resolution))
        head = struct.pack(
            f"{order}IIIII",
            links.index(frame.link),
            ticks >> 32,
            ticks & 0xFFFFFFFF,
            len(frame.octets),
            frame.size,
        )
        made += block(6, head + frame.octets, order)
    return made


def read(octets: bytes, name: str = "file.pcap") -> tuple[list[Frame], str]:
    """The frames of a file, and what is said of its damage."""
    capture = CaptureFile(io.BytesIO(octets), name)
    return list(capture), capture.damage
