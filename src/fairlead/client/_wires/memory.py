"""The wire of tests: connections in memory and a simulated clock, so that a deadline costs no time.

Nothing here suspends and nothing depends on the machine; what happens when is decided by the actions that
:meth:`MemoryWire.after` schedules.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Collection, Sequence
from itertools import count
from typing import TypeAlias

from fairlead.client._wire import Address, Source
from fairlead.client._wires.tls import TlsProtection
from fairlead.client.settings import Settings
from fairlead.errors import ConnectError

_PIPE = 1 << 16
"""Octets that any pipe of the system has room for."""


class MemoryStream:
    """One end of a connection; ``other`` is the opposite one."""

    other: MemoryStream

    def __init__(self, local: Address, peer: Address) -> None:
        self.local = local
        self.peer = peer
        self.arrived = bytearray()
        self.ended = False
        """Whether the peer will send no more."""
        self.failure: OSError | None = None
        """What the next operation raises once everything that arrived was read."""
        self.closed = False
        self.window: int | None = None
        """How many octets may wait here unread; None for any number."""
        self.urgent = bytearray()
        """The octets that came marked as urgent; they are in ``arrived`` as well."""
        self.watch: Callable[[], None] | None = None
        """Called whenever something arrived or the peer closed."""

    def receive_into(self, buffer: memoryview) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        if self.arrived:
            taken = min(len(buffer), len(self.arrived))
            buffer[:taken] = self.arrived[:taken]
            del self.arrived[:taken]
            return taken
        if self.failure is not None:
            raise self.failure
        return 0 if self.ended else None

    def send(self, data: memoryview) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        if self.failure is not None:
            raise self.failure
        if self.other.closed:
            raise ConnectionResetError(104, "Connection reset by peer")
        room = len(data) if self.other.window is None else self.other.window - len(self.other.arrived)
        if room <= 0:
            return None
        taken = min(room, len(data))
        self.other.arrived += data[:taken]
        self.other.notice()
        return taken

    def receive_into_pipe(self, pipe: int, count: int) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        room = memoryview(bytearray(min(count, _PIPE)))
        size = self.receive_into(room)
        return os.write(pipe, room[:size]) if size else size

    def send_file(self, file: int, offset: int, count: int) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        data = os.pread(file, count, offset)
        return self.send(memoryview(data)) if data else 0

    def send_urgent(self, data: bytes) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        self.other.urgent += data[-1:]
        self.send(memoryview(data))

    def flush(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`."""
        return True

    def finish(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`."""
        self.other.ended = True
        self.other.notice()
        return True

    def hang_up(self) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        self.ended = True
        self.finish()

    def close(self) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        if not self.closed:
            self.closed = True
            self.finish()

    def abort(self) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        self.closed = True
        self.other.arrived.clear()
        self.other.failure = ConnectionResetError(104, "Connection reset by peer")
        self.other.notice()

    def notice(self) -> None:
        """Tell the watcher that something changed here."""
        if self.watch is not None:
            self.watch()

    @property
    def readable(self) -> bool:
        """Whether :meth:`receive_into` has an answer."""
        return bool(self.arrived) or self.ended or self.failure is not None

    @property
    def writable(self) -> bool:
        """Whether :meth:`send` has an answer."""
        return (
            self.failure is not None
            or self.other.closed
            or self.other.window is None
            or len(self.other.arrived) < self.other.window
        )


def pair(local: Address, peer: Address) -> tuple[MemoryStream, MemoryStream]:
    """The two ends of a connection: that of ``local`` first."""
    near, far = MemoryStream(local, peer), MemoryStream(peer, local)
    near.other, far.other = far, near
    return near, far


class MemoryCall:
    """A connection being made."""

    readable = False

    def __init__(self, local: Address) -> None:
        self.local = local
        self.outcome: MemoryStream | OSError | None = None
        self.closed = False

    def complete(self) -> MemoryStream:
        """See :class:`fairlead.client._wire.Call`."""
        if isinstance(self.outcome, MemoryStream):
            return self.outcome
        assert self.outcome is not None, "completed before it was ready"
        raise self.outcome

    def close(self) -> None:
        """See :class:`fairlead.client._wire.Source`."""
        self.closed = True

    @property
    def writable(self) -> bool:
        """Whether it was made or has failed."""
        return self.outcome is not None


class MemoryListener:
    """Accepts what :meth:`MemoryWire.dial` brings."""

    writable = False

    def __init__(self, local: Address) -> None:
        self.local = local
        self.waiting: list[MemoryStream] = []
        self.closed = False

    def accept(self) -> MemoryStream | None:
        """See :class:`fairlead.client._wire.Listener`."""
        return self.waiting.pop(0) if self.waiting else None

    def close(self) -> None:
        """See :class:`fairlead.client._wire.Source`."""
        self.closed = True

    @property
    def readable(self) -> bool:
        """Whether a connection waits."""
        return bool(self.waiting)


Door: TypeAlias = "Callable[[MemoryStream], None] | OSError | None"
"""What is behind an address: a server that gets its end, a failure, or None for silence."""


class MemoryWire:
    """A :class:`fairlead.client._wire.Wire` and the little world behind it."""

    def __init__(self, *, here: dict[int, str] | None = None) -> None:
        self.time = 0.0
        self.luck = 0.5
        """What :meth:`chance` tells."""
        self.names: dict[str, list[str]] = {}
        self.doors: dict[Address, Door] = {}
        self.delays: dict[Address, float] = {}
        """Seconds that a connection to an address takes."""
        self.listeners: list[MemoryListener] = []
        self.taken: set[int] = set()
        """Ports that :meth:`listen` finds in use."""
        self.calls: list[Address] = []
        """Every address that was called, in order."""
        self._here = here or {4: "192.0.2.80", 6: "2001:db8::80"}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._turn = count()
        self._ports = count(34120)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Let ``action`` happen ``seconds`` from now."""
        heapq.heappush(self._agenda, (self.time + seconds, next(self._turn), action))

    def dial(self, address: Address, *, source: Address) -> MemoryStream:
        """A server at ``source`` calls a client that listens at ``address``; its end of the connection."""
        for listener in self.listeners:
            if listener.local[1] == address[1] and not listener.closed:
                near, far = pair(listener.local, source)
                listener.waiting.append(near)
                return far
        raise ConnectionRefusedError(111, "Connection refused")

    def now(self) -> float:
        """The simulated time."""
        return self.time

    def chance(self) -> float:
        """See :class:`fairlead.client._wire.Wire`: what :attr:`luck` says."""
        return self.luck

    async def resolve(self, host: str, port: int, *, family: int | None, timeout: float) -> Sequence[Address]:
        """See :class:`fairlead.client._wire.Wire`."""
        hosts = self.names.get(host, [host] if host[-1:].isdigit() or ":" in host else [])
        found = [(text, port) for text in hosts if family in {None, 6 if ":" in text else 4}]
        if not found:
            raise ConnectError(f"the host name {host!r} has no address; check its spelling and the name servers")
        return found

    def call(self, address: Address) -> MemoryCall:
        """See :class:`fairlead.client._wire.Wire`."""
        self.calls.append(address)
        call = MemoryCall((self._here[6 if ":" in address[0] else 4], next(self._ports)))
        door = self.doors.get(address, ConnectionRefusedError(111, "Connection refused"))

        def answer() -> None:
            if call.closed:
                return
            if callable(door):
                near, far = pair(call.local, address)
                call.outcome = near
                door(far)
            else:
                call.outcome = door

        self.after(self.delays.get(address, 0.003), answer)
        return call

    def listen(self, host: str, ports: Sequence[int]) -> MemoryListener:
        """See :class:`fairlead.client._wire.Wire`."""
        for port in ports:
            if port not in self.taken:
                listener = MemoryListener((host, port or next(self._ports)))
                self.listeners.append(listener)
                return listener
        raise OSError(98, "Address already in use")

    def protection(self, host: str, settings: Settings) -> TlsProtection:
        """See :class:`fairlead.client._wire.Wire`."""
        return TlsProtection(host, settings)

    async def yield_turn(self) -> None:
        """See :class:`fairlead.client._wire.Wire`."""

    async def wait_any(
        self, *, readers: Sequence[Source] = (), writers: Sequence[Source] = (), timeout: float | None
    ) -> Collection[Source]:
        """See :class:`fairlead.client._wire.Wire`; the clock moves to the next thing that happens."""
        deadline = None if timeout is None else self.time + max(0.0, timeout)
        while True:
            ready = [source for source in readers if getattr(source, "readable", False)]
            ready += [source for source in writers if getattr(source, "writable", False)]
            if ready:
                return ready
            if not self._agenda or (deadline is not None and self._agenda[0][0] > deadline):
                if deadline is None:
                    raise RuntimeError("the dialogue waits for what will never happen")
                self.time = deadline
                return ()
            self.time, _, action = heapq.heappop(self._agenda)
            action()
