"""A ladder as a capture, which Wireshark and tshark decode as FTP.

The dialogue stands in it as it was said, also where TLS hid it from the network. Octets of data were not kept: packets
have their true length and hold zeros, of which only the first are there, as in a capture with a short snap length.
What has no packet (a listener, a note, TLS) is the comment of the packet that follows it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from fairlead.ladder import words
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Step
from fairlead.ladder.packets import ACK, FIN, PSH, RST, SYN, Packet, Segment, place, tcp, unreachable
from fairlead.ladder.words import Line

_SECTION, _INTERFACE, _ENHANCED_PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_RAW_IP = 101
_COMMENT, _APPLICATION = 1, 4
_SNAPPED_DATA = 64
"""Octets of a data packet that are kept."""
_PIECE = 32 * 1024
"""Octets of data in a packet; 32 KiB is what a machine hands its network card at once."""
_MOST_PIECES = 64
"""Packets that show one step of data; what is beyond them is a gap in the sequence numbers, and said."""
_FTP = 21


def dump(ladder: Ladder) -> bytes:
    """``ladder`` as a pcapng file (draft-ietf-opsawg-pcapng) of raw IP packets."""
    network = _Network(ladder)
    packets = list(network.packets())
    blocks = [_section("; ".join([*_remarks(ladder), *network.untold()])), _interface()]
    blocks.extend(_packet(stamp, packet, comment) for stamp, packet, comment in packets)
    return b"".join(blocks)


@dataclass(slots=True)
class _Talk:
    """What a TCP connection has come to: the next sequence number of each end."""

    sequence: dict[End, int] = field(default_factory=dict)
    answered: bool = False
    """Whether a SYN, ACK awaits its ACK."""
    waiting: list[str] = field(default_factory=list)
    """Comments for the next packet."""

    def next(self, end: End) -> int:
        """The sequence number that ``end`` sends from."""
        return self.sequence.setdefault(end, 1000 * (len(self.sequence) + 1))


class _Network:
    """Turns the steps of a ladder into packets."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._talks: dict[tuple[int, frozenset[End]], _Talk] = {}
        self._homeless: list[str] = []

    def packets(self) -> Iterator[tuple[float, Packet, str]]:
        """Each packet with its time and its comment."""
        for line in words.lines(self._ladder):
            step = line.step
            stamp = self._ladder.began + step.at
            if step.target is None:
                self._homeless.append(f"{step.source.party}{words.port(step.source)} {line.label}")
                continue
            talk = self._talks.setdefault((step.connection, frozenset((step.source, step.target))), _Talk())
            comment = _commented(line)
            if step.kind in {Kind.TLS, Kind.NOTE}:
                talk.waiting.append(" ".join(filter(None, (line.label, comment))))
                continue
            told = [*self._homeless, *talk.waiting, comment]
            self._homeless, talk.waiting = [], []
            for packet in self._of(step, step.target, talk):
                yield stamp, packet, "; ".join(filter(None, told))
                told = []

    def untold(self) -> list[str]:
        """What happened after the last packet."""
        return [*self._homeless, *(comment for talk in self._talks.values() for comment in talk.waiting)]

    def _of(self, step: Step, target: End, talk: _Talk) -> Iterator[Packet]:
        source = step.source
        ours, theirs = talk.next(source), talk.next(target)
        if step.kind is Kind.ICMP:
            yield unreachable(place(source, target), Segment(target.port, source.port, theirs, 0, SYN))
            return
        if talk.answered and step.kind is not Kind.SYN_ACK:
            talk.answered = False
            if step.kind is not Kind.ACK:
                caller, called = self._caller(step, target)
                yield _segment(caller, called, talk.next(caller), talk.next(called), ACK)
        flags, content, size = _content(step)
        talk.answered = step.kind is Kind.SYN_ACK
        yield from _pieces(source, target, ours, theirs, flags, content, size)
        if not words.lost(step):  # else it is sent again with the same number
            talk.sequence[source] = (ours + size + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    def _caller(self, step: Step, target: End) -> tuple[End, End]:
        """Who opened the connection, and who was called."""
        for earlier in self._ladder.steps:
            if earlier.kind is Kind.SYN and {earlier.source, earlier.target} == {step.source, target}:
                return (step.source, target) if earlier.source == step.source else (target, step.source)
        return step.source, target


def _content(step: Step) -> tuple[int, bytes, int]:
    """Flags, what is known of the payload, and its length."""
    if step.kind is Kind.DATA:
        return PSH | ACK, b"", step.size
    if step.kind in {Kind.COMMAND, Kind.REPLY}:
        text = words.masked(step.text).replace("\r", "").replace("\n", "\r\n")
        octets = text.encode("utf-8", "surrogateescape") + b"\r\n"
        return PSH | ACK, octets, len(octets)
    flags = {Kind.SYN: SYN, Kind.SYN_ACK: SYN | ACK, Kind.FIN: FIN | ACK, Kind.RST: RST | ACK}
    return flags.get(step.kind, ACK), b"", 0


def _pieces(
    source: End, target: End, sequence: int, acked: int, flags: int, content: bytes, size: int
) -> Iterator[Packet]:
    offsets = list(range(0, size, _PIECE)) or [0]
    if len(offsets) > _MOST_PIECES:
        offsets[_MOST_PIECES - 1 : -1] = []
    for offset in offsets:
        piece = min(_PIECE, size - offset)
        yield _segment(source, target, sequence + offset, acked, flags, content[offset : offset + piece], piece)


def _segment(
    source: End, target: End, sequence: int, acked: int, flags: int, octets: bytes = b"", size: int = 0
) -> Packet:
    known = octets or bytes(min(size, _SNAPPED_DATA))
    segment = Segment(source.port, target.port, sequence & 0xFFFFFFFF, acked if flags & ACK else 0, flags)
    return tcp(place(source, target), segment, known, size)


def _commented(line: Line) -> str:
    told = [line.remark] if line.step.cause or line.step.note else []
    if words.lost(line.step) and not line.step.note:
        told.append("never answered" if line.step.arrived is None else "never arrived")
    if line.step.times > 1:
        told.append(f"sent {line.step.times} times")
    if line.step.kind is Kind.DATA and line.step.size > _PIECE * _MOST_PIECES:
        told.append(f"{line.step.size} octets, of which the first and the last are shown")
    return ", ".join(filter(None, told))


def _remarks(ladder: Ladder) -> list[str]:
    told = [words.one_line(ladder.title)] if ladder.title else []
    ports = {_called(step).port for step in ladder.steps if step.connection == CONTROL and step.kind is Kind.SYN}
    told.extend(
        f"the control connection is not on port 21: tshark -d tcp.port=={port},ftp"
        for port in sorted(ports - {_FTP, 0})
    )
    return told


def _called(step: Step) -> End:
    return step.target or step.source


def _section(comment: str) -> bytes:
    body = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    options = _option(_APPLICATION, "Fairlead") + (_option(_COMMENT, comment) if comment else b"")
    return _block(_SECTION, body + options + bytes(4))


def _interface() -> bytes:
    return _block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0))


def _packet(stamp: float, packet: Packet, comment: str) -> bytes:
    microseconds = max(round(stamp * 1_000_000), 0)
    octets = packet.octets
    head = struct.pack("<IIIII", 0, microseconds >> 32, microseconds & 0xFFFFFFFF, len(octets), packet.length)
    options = _option(_COMMENT, comment) + bytes(4) if comment else b""
    return _block(_ENHANCED_PACKET, head + _padded(octets) + options)


def _option(code: int, text: str) -> bytes:
    octets = text.encode("utf-8", "backslashreplace")[:0xFFF0]
    return struct.pack("<HH", code, len(octets)) + _padded(octets)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
