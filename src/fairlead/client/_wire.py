"""What the dialogue needs of the outside world: connections that never block, one way to wait, a clock.

Every method of a stream, a listener or a call answers at once; time passes in :meth:`Wire.wait_any` only (and in
:meth:`Wire.resolve`, where it is the system's). So the dialogue above is written once: under the asyncio wire
``wait_any`` suspends, under the blocking wire it waits in the system call and the coroutine never suspends, in memory
a simulated clock moves on.

Failures are the built-in ``OSError`` and its kin (``ConnectionRefusedError``, ``TimeoutError`` …).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from fairlead.client.settings import Settings

Address: TypeAlias = tuple[str, int]
"""A numeric host (an IPv6 address may carry a zone, an IPv4-mapped one is written as IPv4) and a port."""


class Source(Protocol):
    """Something that can be waited for."""

    @property
    def local(self) -> Address:
        """Our end."""

    def close(self) -> None:
        """Let go of it; doing so twice is allowed."""


class Stream(Source, Protocol):
    """A connection, control or data."""

    @property
    def peer(self) -> Address:
        """The other end."""

    @property
    def readable(self) -> bool:
        """Whether :meth:`receive_into` has something to tell."""

    def receive_into(self, buffer: memoryview) -> int | None:
        """Octets received into ``buffer``: 0 at the end of the stream, None when there are none yet."""

    def receive_into_pipe(self, pipe: int, count: int) -> int | None:
        """As :meth:`receive_into`, up to ``count`` octets into the write end of an empty pipe, without copying them.

        Raises ``NotImplementedError`` when the system can't.
        """

    def send(self, data: memoryview) -> int | None:
        """Octets taken from the front of ``data``, None when there is no room yet."""

    def send_file(self, file: int, offset: int, count: int) -> int | None:
        """Send up to ``count`` octets of the file descriptor ``file`` from ``offset`` on, as :meth:`send` does.

        0 means that the file has no more. Raises ``NotImplementedError`` when the system can't for this file.
        """

    def send_urgent(self, data: bytes) -> None:
        """Send ``data``, its last octet marked as urgent (RFC 793 section 3.7)."""

    def flush(self) -> bool:
        """Hand on what was taken by :meth:`send` and had no room yet; whether all of it is on its way."""

    def finish(self) -> bool:
        """Say that nothing more will be sent (a half-close); what the peer sends can still be received.

        False while there is no room yet to say so: then it is to be called again.
        """

    def hang_up(self) -> None:
        """End both directions; whoever waits for the stream is woken. It is still to be closed."""

    def abort(self) -> None:
        """Close it so that the peer sees a reset, never an orderly end."""


class Security(NamedTuple):
    """What TLS agreed on."""

    version: str
    """Such as ``TLSv1.3``."""
    cipher: str
    """By OpenSSL's name."""
    resumed: bool
    """Whether a session was resumed."""
    certificate: str
    """The SHA-256 of the server's certificate, in hexadecimal digits."""
    remembered: bool = False
    """Whether nobody knew this certificate, and it was remembered as the server's."""


class ProtectedStream(Stream, Protocol):
    """A connection under TLS. The end of a stream without close_notify is an OSError, never an orderly end."""

    @property
    def unsent(self) -> bool:
        """Whether octets wait for room."""

    @property
    def security(self) -> Security:
        """What was agreed on by the handshake."""

    def handshake(self) -> bool:
        """Go on with the handshake; whether it is done.

        Raises TlsError, CertificateError where the certificate is not accepted, OSError.
        """

    def unprotect(self) -> tuple[Stream, bytes] | None:
        """Go on with ending TLS while the connection stays; None until both ends said close_notify.

        The stream in clear, and what was received and not read yet. Raises OSError.
        """


class Protection(Protocol):
    """TLS of one control connection and of the data connections that belong to it."""

    def control(self, stream: Stream) -> ProtectedStream:
        """Begin TLS on the control connection."""

    def data(self, stream: Stream) -> ProtectedStream:
        """Begin TLS on a data connection: as its client, whoever called, and in the control connection's session."""


class Call(Source, Protocol):
    """A connection being made; it becomes ready for writing when it is made or has failed."""

    def complete(self) -> Stream:
        """The connection made. Raises OSError when it failed; the call is closed in that case."""


class Listener(Source, Protocol):
    """Accepts connections."""

    def accept(self) -> Stream | None:
        """The next connection that came in, None when there is none yet."""


class Wire(Protocol):
    """The way out: names, connections, waiting."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def chance(self) -> float:
        """A number from 0 up to 1 that nobody can tell before."""

    async def resolve(self, host: str, port: int, *, family: int | None, timeout: float) -> Sequence[Address]:
        """The addresses of ``host`` in the system's order of preference; ``family`` is 4, 6 or None for both.

        Raises ConnectError when there is none.
        """

    def call(self, address: Address) -> Call:
        """Begin to connect to ``address``. Raises OSError when that fails at once."""

    def listen(self, host: str, ports: Sequence[int]) -> Listener:
        """Listen at ``host`` on the first free one of ``ports``. Raises OSError when there is none."""

    def protection(self, host: str, settings: Settings) -> Protection:
        """TLS with the server that is called ``host``. Raises ConfigError when ``settings.ca`` can't be used."""

    async def yield_turn(self) -> None:
        """Let others run; called now and then by what could go on for long without waiting."""

    async def wait_any(
        self, *, readers: Sequence[Source] = (), writers: Sequence[Source] = (), timeout: float | None
    ) -> Collection[Source]:
        """Wait until one of ``readers`` has something to read or one of ``writers`` has room; which ones do.

        The answer is empty when ``timeout`` seconds passed first. None waits for ever.
        """
