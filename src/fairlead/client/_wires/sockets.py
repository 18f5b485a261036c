"""Non-blocking TCP sockets as streams, listeners and calls; the asyncio and the blocking wire share them."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from fairlead.client._wire import Address, Source
from fairlead.client._wires.window import WORTH_IT, Window

_NOT_YET = (BlockingIOError, InterruptedError)
_CANNOT_SEND_FILE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTSOCK, errno.EBADF}
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_KEEPALIVE_IDLE = 30
_HAS_POLL = hasattr(select, "poll")
_TELLS_IDLE = hasattr(socket, "TCP_KEEPIDLE")


def address_of(sockaddr: tuple[object, ...]) -> Address:
    """The numeric host and port of a ``sockaddr``: the zone of a link-local address kept, IPv4-mapped made IPv4."""
    host, port = str(sockaddr[0]), sockaddr[1]
    assert isinstance(port, int)
    scope = sockaddr[3] if len(sockaddr) > 3 else 0
    if scope and "%" not in host:
        host = f"{host}%{scope}"
    return host.removeprefix("::ffff:") if "." in host else host, port


watched: dict[int, Callable[[int], None]] = {}
"""Whom to tell that a descriptor is about to be closed: an event loop that goes on watching it."""


class SocketSource:
    """A socket that can be waited for by its descriptor."""

    def __init__(self, sock: socket.socket) -> None:
        if sock.gettimeout() != 0:
            sock.setblocking(False)
        self._socket = sock
        self.fileno = sock.fileno
        """The descriptor, for the system's own way of waiting."""
        self._local: Address | None = None
        self._poll: select.poll | None = None
        """Tells whether there is something to be read, where the system has such."""

    def wait_readable(self, seconds: float | None) -> bool:
        """Wait until there is something to be read, or a call came in; for ever where ``seconds`` is None."""
        if self._poll is None:
            if not _HAS_POLL:
                return bool(select.select([self.fileno()], [], [], seconds)[0])
            self._poll = select.poll()
            self._poll.register(self.fileno(), select.POLLIN)
        return bool(self._poll.poll(None if seconds is None else seconds * 1000))

    @property
    def local(self) -> Address:
        """Our end; still known after closing once it was asked for."""
        if self._local is None:
            self._local = address_of(self._socket.getsockname())
        return self._local

    def close(self) -> None:
        """Close the socket."""
        if watched and (told := watched.get(self.fileno())) is not None:
            told(self.fileno())
        self._socket.close()


class SocketStream(SocketSource):
    """A connected socket."""

    def __init__(self, sock: socket.socket, peer: Address) -> None:
        super().__init__(sock)
        self._peer = peer
        self._window: Window | None = None
        """The part of a long file that is being sent."""

    @property
    def peer(self) -> Address:
        """The other end."""
        return self._peer

    @property
    def readable(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`; to ask costs less than to be refused."""
        return self.wait_readable(0)

    def receive_into(self, buffer: memoryview) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        try:
            return self._socket.recv_into(buffer)
        except _NOT_YET:
            return None

    def receive_into_pipe(self, pipe: int, count: int) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        if not hasattr(os, "splice"):
            raise NotImplementedError
        try:
            return os.splice(self._socket.fileno(), pipe, count)
        except _NOT_YET:
            return None

    def send(self, data: memoryview) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        try:
            return self._socket.send(data)
        except _NOT_YET:
            return None

    def send_file(self, file: int, offset: int, count: int) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        if not hasattr(os, "sendfile"):
            raise NotImplementedError
        try:
            if offset >= WORTH_IT and (octets := self._window_of(file, offset, count)):
                return self._socket.send(octets)
            return os.sendfile(self.fileno(), file, offset, count)
        except _NOT_YET:
            return None
        except OSError as error:
            if error.errno == errno.EFAULT and self._window is not None:  # the file became shorter meanwhile
                self._window = None
                return os.sendfile(self.fileno(), file, offset, count)
            if error.errno in _CANNOT_SEND_FILE:
                raise NotImplementedError from error
            raise

    def _window_of(self, file: int, offset: int, count: int) -> memoryview | None:
        """Octets of the file as memory to send from; None where the system does not map it, or it has no more."""
        if self._window is None:
            self._window = Window()
        try:
            return self._window.at(file, offset)[:count]
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Close the socket."""
        self._window = None
        super().close()

    def send_urgent(self, data: bytes) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        self._socket.send(data, socket.MSG_OOB)

    def flush(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`."""
        return True

    def finish(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`."""
        self._socket.shutdown(socket.SHUT_WR)
        return True

    def hang_up(self) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def abort(self) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        if self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.close()


class SocketCall(SocketStream):
    """A socket that is being connected, and a stream once it is."""

    def __init__(self, address: Address) -> None:
        family, sockaddr = numeric(address)
        super().__init__(socket.socket(family, socket.SOCK_STREAM), address)
        tune(self._socket)
        failure = self._socket.connect_ex(sockaddr)
        if failure not in {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}:
            self._socket.close()
            raise OSError(failure, os.strerror(failure))

    def complete(self) -> SocketStream:
        """See :class:`fairlead.client._wire.Call`."""
        failure = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            self._socket.close()
            raise OSError(failure, os.strerror(failure))
        return self


class SocketListener(SocketSource):
    """A socket that listens at ``host`` on the first free one of ``ports``."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        super().__init__(_bound(host, ports))

    def accept(self) -> SocketStream | None:
        """See :class:`fairlead.client._wire.Listener`."""
        try:
            sock, sockaddr = self._socket.accept()
        except (*_NOT_YET, ConnectionAbortedError):
            return None
        return SocketStream(sock, address_of(sockaddr))


class Described(Protocol):
    """What has a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


def descriptor(source: Source) -> int:
    """The file descriptor of a source that was made here, or of a stream over one."""
    described: Described = source  # type: ignore[assignment]
    return described.fileno()


def at_hand(readers: Sequence[Source]) -> list[Source]:
    """Those of ``readers`` that need no waiting: what comes next of them was received already."""
    return [source for source in readers if getattr(source, "at_hand", False)]


def is_readable(number: int) -> bool:
    """Whether something is to be read from the descriptor ``number`` just now."""
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    return _polled(number, select.POLLIN)


def is_writable(number: int) -> bool:
    """Whether the descriptor ``number`` has room just now, or a call was answered."""
    if not hasattr(select, "poll"):
        _, writable, broken = select.select([], [number], [number], 0)
        return bool(writable or broken)
    return _polled(number, select.POLLOUT)


def _polled(number: int, event: int) -> bool:
    poll = select.poll()
    poll.register(number, event)
    return bool(poll.poll(0))


def numeric(address: Address) -> tuple[int, tuple[object, ...]]:
    """The family and the socket address of a numeric address."""
    host, _ = address
    if "%" in host:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
        return found[0], found[4]
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), address


def family_number(family: int | None) -> int:
    """The socket family of 4, 6 or None."""
    return {4: socket.AF_INET, 6: socket.AF_INET6, None: socket.AF_UNSPEC}[family]


def unique_addresses(found: Sequence[tuple[object, ...]]) -> list[Address]:
    """The addresses of ``getaddrinfo``'s answer, each once, in its order."""
    addresses = [address_of(entry[4]) for entry in found if isinstance(entry[4], tuple)]
    return list(dict.fromkeys(addresses))


def _bound(host: str, ports: Sequence[int]) -> socket.socket:
    failure: OSError = OSError(errno.EADDRINUSE, "no free port in the given range")
    for port in ports:
        family, sockaddr = numeric((host, port))
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(sockaddr)
            sock.listen(8)
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE:
                raise
            failure = error
        else:
            return sock
    raise failure


def tune(sock: socket.socket) -> None:
    """Let commands go out at once, and notice a peer that is gone."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if _TELLS_IDLE:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE)
