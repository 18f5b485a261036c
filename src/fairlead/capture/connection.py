"""A TCP connection as the capture shows it: who called, what answered, what moved, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from fairlead.capture.packets import ACK, FIN, RST, SYN, Address, Segment, Unreachable
from fairlead.capture.streams import distance

_HEAD = 3


@dataclass(slots=True)
class Flow:
    """What one end sent."""

    octets: int = 0
    """Octets of data, each once."""
    repeated: int = 0
    """Segments that were sent again."""
    first: float = 0.0
    """When the first data came."""
    last: float = 0.0
    fin: float | None = None
    head: bytes = b""
    """The first octets."""
    hops: int = 255
    """Routers that its segments had passed, at least."""
    outgoing: bool | None = None
    """Whether the machine that captured is the sender."""
    unanswered: int = 0
    """How often the last data were sent again without an acknowledgement since."""
    origin: int | None = None
    """The sequence number before the first octet."""
    reached: int = 0
    """The sequence number after the last octet."""
    acknowledged: int | None = None
    """What the other end has acknowledged."""


@dataclass(slots=True)
class Connection:
    """Times are seconds since the epoch; ``flows`` are what the caller sent and what the called one sent."""

    caller: Address
    called: Address
    began: float
    syns: int = 0
    last_syn: float = 0.0
    syn_acks: int = 0
    answered: float = 0.0
    """When the first SYN, ACK came."""
    established: float = 0.0
    """When the handshake was complete, or data showed that it had been; 0 before."""
    reset: float = 0.0
    reset_by_called: bool = False
    reset_hops: int = 0
    """Routers that the reset had passed."""
    reset_expected: int | None = None
    """Routers that other segments of the same sender had passed; None where there was none."""
    unreachable: Unreachable | None = None
    ended: float = 0.0
    """When both ends had closed, or one had reset it."""
    last: float = 0.0
    flows: tuple[Flow, Flow] = field(default_factory=lambda: (Flow(), Flow()))

    @property
    def whole(self) -> bool:
        """Whether the capture shows its beginning."""
        return self.syns > 0 or self.syn_acks > 0

    @property
    def octets(self) -> int:
        """Data of both ends."""
        return self.flows[0].octets + self.flows[1].octets

    @property
    def forged(self) -> bool:
        """Whether something in between reset it in the name of an end: it stands nearer than that end."""
        return bool(self.reset) and self.reset_expected is not None and self.reset_hops != self.reset_expected

    def take(self, segment: Segment) -> None:
        """Count ``segment``."""
        by_caller = segment.source == self.caller
        flow, other = self.flows if by_caller else self.flows[::-1]
        self.last = segment.at
        if segment.flags & RST:
            self._reset(segment, by_caller, flow)
            return
        flow.hops = min(flow.hops, segment.hops)
        if segment.outgoing is not None:
            flow.outgoing = segment.outgoing
        if segment.flags & SYN:
            self._synchronise(segment, flow)
            return
        if not self.established and segment.flags & ACK and (by_caller or segment.size):
            self.established = segment.at
        if segment.flags & ACK:
            _acknowledge(other, segment.ack)
        _data(flow, segment)
        if segment.flags & FIN and flow.fin is None:
            flow.fin = segment.at
        if not self.ended and self.flows[0].fin is not None and self.flows[1].fin is not None:
            self.ended = segment.at

    def _synchronise(self, segment: Segment, flow: Flow) -> None:
        flow.origin = (segment.seq + 1) % (1 << 32)
        flow.reached = flow.origin
        if not segment.flags & ACK:
            self.syns += 1
            self.last_syn = segment.at
            return
        self.syn_acks += 1
        self.answered = self.answered or segment.at

    def _reset(self, segment: Segment, by_caller: bool, flow: Flow) -> None:
        if not self.reset:
            self.reset = segment.at
            self.reset_hops = segment.hops
            self.reset_expected = flow.hops if flow.hops != Flow().hops else None
            self.reset_by_called = not by_caller
            self.ended = self.ended or segment.at


def _acknowledge(flow: Flow, ack: int) -> None:
    if flow.acknowledged is None or distance(flow.acknowledged, ack) > 0:
        flow.acknowledged = ack
        flow.unanswered = 0


def _data(flow: Flow, segment: Segment) -> None:
    """Count the data of ``segment``; a keep-alive repeats one octet and counts as nothing."""
    if not segment.size:
        return
    if flow.origin is None:
        flow.origin = flow.reached = segment.seq
    end = (segment.seq + segment.size) % (1 << 32)
    fresh = distance(flow.reached, end)
    if fresh <= 0:
        flow.repeated += 1
        if flow.acknowledged is None or distance(flow.acknowledged, end) > 0:
            flow.unanswered += 1
        return
    flow.first = flow.first or segment.at
    flow.last = segment.at
    if not flow.octets and segment.seq == flow.origin:
        flow.head = segment.payload[:_HEAD]
    flow.octets += fresh
    flow.reached = end
    flow.unanswered = 0
