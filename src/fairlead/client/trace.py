"""What a session tells whoever watches it: each command and reply, and each step of a data connection.

``str()`` of a record is what ``--debug`` prints for it. Secrets are masked before a record is made, and control
characters that a server sent are shown as ``?``, so that a record may be printed on a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from fairlead.client._wire import Address, Security
from fairlead.proto.reply import Reply
from fairlead.record import Record as Fixed

SECRET_VERBS = frozenset({"PASS", "ACCT"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """``text`` in one line, with what could move a terminal's cursor shown as ``?``."""
    return _CONTROL.sub("?", text)


def show_address(address: Address) -> str:
    """``192.0.2.1:21`` or ``[2001:db8::1]:21``."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def show_command(verb: str, argument: str) -> str:
    """The command as a person may see it: a password or an account is masked."""
    if not argument:
        return verb
    return f"{verb} ****" if verb.upper() in SECRET_VERBS else f"{verb} {printable(argument)}"


def show_reply(reply: Reply) -> str:
    """The reply as it stands on the wire."""
    first, *inner = reply.lines or ("",)
    if not inner:
        return f"{reply.code} {printable(first)}"
    *inner, last = inner
    lines = [f"{reply.code}-{first}", *inner, f"{reply.code} {last}"]
    return "\n".join(map(printable, lines))


def show_duration(seconds: float) -> str:
    """Milliseconds below a second, else seconds with one decimal."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.{0 if seconds >= 0.001 else 1}f} ms"


def show_arithmetic(port: int) -> str:
    """How a port is made of the last two numbers of PORT or 227."""
    return f"({port >> 8} × 256 + {port & 255})"


def _show_call(address: Address, arithmetic: str, port: int, outcome: str, seconds: float) -> str:
    """A call from our ``port``; behind a proxy it has none of ours before it is made."""
    here = f" from :{port}" if port else ""
    took = "in" if outcome == "connected" else "after"
    called = f"STATUS  calling {show_address(address)}{arithmetic}{here}"
    return f"{called} … {printable(outcome)} {took} {show_duration(seconds)}"


class ProxyBetween(Fixed):
    """Connections go by way of ``proxy``, a URL without a password."""

    proxy: str

    def __str__(self) -> str:
        return f"STATUS  by way of the proxy {self.proxy}"


class ControlCalled(Fixed):
    """We called ``address`` for the control connection from ``local``; ``outcome`` as in :class:`Called`."""

    address: Address
    local: Address
    seconds: float
    outcome: str

    def __str__(self) -> str:
        return _show_call(self.address, "", self.local[1], self.outcome, self.seconds)


class ControlClosed(Fixed):
    """The control connection ended; ``by`` is ``us``, ``the server``, or empty where it broke."""

    by: str
    reason: str

    def __str__(self) -> str:
        return f"STATUS  control connection closed by {self.by}" if self.by else f"STATUS  {printable(self.reason)}"


class CommandSent(Fixed):
    """A command; the argument of PASS and ACCT is masked."""

    text: str

    def __str__(self) -> str:
        return f"---> {self.text}"


class ReplyReceived(Fixed):
    """A reply."""

    reply: Reply

    def __str__(self) -> str:
        return show_reply(self.reply)


class ListingLine(Fixed):
    """A line of a listing as the data connection brought it."""

    line: str

    def __str__(self) -> str:
        return printable(self.line)


class Called(Fixed):
    """We called ``address`` from ``port``; ``outcome`` is ``connected``, or why not, after ``seconds``."""

    address: Address
    port: int
    seconds: float
    outcome: str
    sum_shown: bool
    """Whether the port came as two numbers (PASV), so that their sum helps."""

    def __str__(self) -> str:
        arithmetic = f" {show_arithmetic(self.address[1])}" if self.sum_shown else ""
        return _show_call(self.address, arithmetic, self.port, self.outcome, self.seconds)


class Waiting(Fixed):
    """We listen at ``address``, as announced to the server."""

    address: Address
    sum_shown: bool

    def __str__(self) -> str:
        arithmetic = f" {show_arithmetic(self.address[1])}" if self.sum_shown else ""
        return f"STATUS  waiting at {show_address(self.address)}{arithmetic}"


class Answered(Fixed):
    """The server called from ``address``."""

    address: Address

    def __str__(self) -> str:
        return f"STATUS  called from {show_address(self.address)}"


class TurnedAway(Fixed):
    """Somebody who is not the server called from ``address``."""

    address: Address

    def __str__(self) -> str:
        return f"STATUS  turned away {show_address(self.address)}, which is not the server"


class AddressIgnored(Fixed):
    """227 named ``announced``, which is not the server that we talk to; ``used`` is called instead."""

    announced: str
    used: str

    def __str__(self) -> str:
        return f"STATUS  ignoring the address {self.announced} of 227, using the server's own {self.used}"


class ModeFailed(Fixed):
    """No data connection could be had in ``mode``; ``cause`` is a value of :class:`fairlead.reach.cause.Cause`."""

    mode: str
    reason: str
    cause: str = ""

    def __str__(self) -> str:
        return f"STATUS  no data connection by {self.mode}: {printable(self.reason)}"


class ModeRecalled(Fixed):
    """``mode`` served last time in this network, so it is tried first."""

    mode: str

    def __str__(self) -> str:
        return f"STATUS  {self.mode} served last time in this network, trying it first"


class ModeRemembered(Fixed):
    """``mode`` served and is written down for the next session in this network."""

    mode: str

    def __str__(self) -> str:
        return f"STATUS  remembering for this network: {self.mode}"


class ModeProbed(Fixed):
    """A second session asked for the server's call by ``mode``; ``outcome`` is what came of it."""

    mode: str
    outcome: str

    def __str__(self) -> str:
        return f"STATUS  a second session tries {self.mode}: {printable(self.outcome)}"


class SessionRenewed(Fixed):
    """The server hears nothing while it calls us in vain: a new session, from ``local``, takes the place of the old."""

    local: Address

    def __str__(self) -> str:
        return f"STATUS  the server hears nothing any more, going on in a new session from :{self.local[1]}"


class DataClosed(Fixed):
    """The data connection ended after ``size`` octets and ``seconds``; ``by`` is ``the server`` or ``us``.

    Where it did not end in order, ``broke`` says how and ``cause`` is a value of
    :class:`fairlead.reach.cause.Cause`.
    """

    by: str
    size: int
    seconds: float
    broke: str = ""
    cause: str = ""

    def __str__(self) -> str:
        broke = f" ({printable(self.broke)})" if self.broke else ""
        took = show_duration(self.seconds)
        return f"STATUS  data connection closed by {self.by}: {self.size} bytes in {took}{broke}"


class TlsBegan(Fixed):
    """TLS protects the ``connection``, ``control`` or ``data``."""

    connection: str
    security: Security

    def __str__(self) -> str:
        version, cipher, resumed, certificate, remembered = self.security
        told = "session resumed" if resumed else "session not resumed"
        if self.connection == "control":
            told = f"certificate SHA-256 {certificate}" + (", remembered as the server's" if remembered else "")
        return f"STATUS  TLS on the {self.connection} connection: {version}, {cipher}, {told}"


class TlsEnded(Fixed):
    """After CCC, the control connection goes on in clear."""

    def __str__(self) -> str:
        return "STATUS  TLS on the control connection ended: commands go in clear, data stays protected"


class TlsNotOffered(Fixed):
    """The server offers no TLS, and none was asked for."""

    def __str__(self) -> str:
        return "STATUS  the server offers no TLS: everything goes in clear"


class CopyTakesDetour(Fixed):
    """The servers do not exchange a file with each other, so that it goes through here."""

    reason: str

    def __str__(self) -> str:
        return f"STATUS  the data goes through here: {printable(self.reason)}"


class TryingAgain(Fixed):
    """An operation failed for now and is tried again after ``seconds``, for the ``failures``-th time of ``retries``."""

    reason: str
    seconds: float
    failures: int
    retries: int

    def __str__(self) -> str:
        return (
            f"STATUS  trying again in {show_duration(self.seconds)} ({self.failures} of {self.retries}): "
            f"{printable(self.reason)}"
        )


class Settled(Fixed):
    """The final reply of a transfer never came, and a new session showed ``how`` (SIZE, HASH …) that it was whole."""

    path: str
    how: str

    def __str__(self) -> str:
        return f"STATUS  the final reply is missing, but {self.how} shows that {printable(self.path)} is whole"


class InSegments(Fixed):
    """This session fetches the octets from ``start`` up to ``end`` of a file, others the rest."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"STATUS  fetching the bytes from {self.start} to {self.end} in this session"


Record: TypeAlias = (
    ControlCalled
    | ProxyBetween
    | ControlClosed
    | CommandSent
    | ReplyReceived
    | ListingLine
    | Called
    | Waiting
    | Answered
    | TurnedAway
    | AddressIgnored
    | ModeFailed
    | ModeRecalled
    | ModeRemembered
    | ModeProbed
    | SessionRenewed
    | DataClosed
    | TlsBegan
    | TlsEnded
    | TlsNotOffered
    | CopyTakesDetour
    | TryingAgain
    | InSegments
    | Settled
)
Trace: TypeAlias = Callable[[Record], None]
