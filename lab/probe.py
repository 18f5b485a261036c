"""A client that takes a mode at its word and says what it met: what the topologies are checked with.

It shares no code with Fairlead's client, so that a fault there cannot hide one of the laboratory.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fairlead.reach.cause import Cause
from lab.addresses import CONTROL_PORT, Host
from lab.expected import Cell, Mode
from lab.laboratory import Lab
from lab.listing import PASSWORD, USER

_227 = re.compile(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)")
_229 = re.compile(r"\|\|\|(\d+)\|")


class Met(StrEnum):
    """How an attempt ended."""

    OK = "ok"
    NOT_ASKED = "not asked"
    """The mode has no form for this family."""
    REFUSED_COMMAND = "command refused"
    SILENCE = "call unanswered"
    RESET = "call refused"
    NOT_CALLED = "not called"
    CUT = "cut"
    LOST = "control lost"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it; ``octets`` are those that arrived, ``said`` is the last reply."""

    met: Met
    seconds: float
    octets: int = 0
    said: str = ""


class _Dialogue:
    def __init__(self, address: str, patience: float) -> None:
        self._buffer = b""
        self.said = ""
        self.sock: socket.socket = socket.create_connection((address, CONTROL_PORT), timeout=patience)
        self.context: ssl.SSLContext | None = None

    def log_in(self, *, private: bool) -> None:
        self.reply()
        if private:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE
            self.context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
            self.command("AUTH TLS")
            self.sock = self.context.wrap_socket(self.sock)
        self.command(f"USER {USER}")
        self.command(f"PASS {PASSWORD}")
        if private:
            self.command("PBSZ 0")
            self.command("PROT P")

    def reply(self) -> int:
        """The code of the next reply; raises TimeoutError, ConnectionError."""
        first = ""
        while True:
            while b"\n" not in self._buffer:
                received = self.sock.recv(4096)
                if not received:
                    raise ConnectionError
                self._buffer += received
            line, _, self._buffer = self._buffer.partition(b"\n")
            text = line.decode(errors="replace").strip()
            if not first and text[3:4] == "-":
                first = text[:3] + " "
            elif not first or text.startswith(first):
                self.said = text
                return int(text[:3])

    def close(self) -> None:
        self.sock.close()

    def command(self, line: str) -> int:
        self.sock.sendall(f"{line}\r\n".encode())
        return self.reply()

    def protect(self, data: socket.socket) -> socket.socket:
        """TLS on a data connection, in the session of the control connection, as strict servers want it."""
        if self.context is None:
            return data
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.context.wrap_socket(data, session=self.sock.session)


def attempt(
    lab: Lab,
    cell: Cell,
    *,
    patience: float = 2.0,
    control_patience: float = 10.0,
    verb: str = "LIST",
    slowly: float = 0.0,
) -> Attempt:
    """Try a cell from the client of ``lab``; the data connection may take ``patience`` seconds to be made.

    Replies and data may take ``control_patience`` seconds. ``verb`` is what is asked for once the data connection is
    agreed upon, such as ``RETR large.bin``; ``slowly`` are seconds over which the data is taken in small pieces. Raises
    OSError when there is no control connection.
    """
    address = next(name for name in lab.plan.names if (":" in name) == (cell.family == 6))
    if not cell.mode.extended and cell.family == 6:
        return Attempt(Met.NOT_ASKED, 0.0)
    return lab.inside(Host.CLIENT, _Attempt(address, cell, (patience, control_patience), slowly).make(verb))


class _Attempt:
    def __init__(self, address: str, cell: Cell, patience: tuple[float, float], slowly: float) -> None:
        self.address = address
        self.cell = cell
        self.patience, self.control_patience = patience
        self.slowly = slowly
        self.octets = 0

    def make(self, verb: str) -> Callable[[], Attempt]:
        def act() -> Attempt:
            with contextlib.ExitStack() as sockets:
                control = _Dialogue(self.address, self.control_patience)
                sockets.callback(control.close)
                control.log_in(private=self.cell.private)
                began = time.monotonic()
                try:
                    met = self._met(control, verb, sockets)
                except OSError:
                    met = Met.LOST
                return Attempt(met, time.monotonic() - began, self.octets, control.said)

        return act

    def _met(self, control: _Dialogue, verb: str, sockets: contextlib.ExitStack) -> Met:
        if self.cell.mode.passive:
            target = _agree_passive(control, self.cell.mode, self.address)
            if target is None:
                return Met.REFUSED_COMMAND
            try:
                data = sockets.enter_context(socket.create_connection(target, timeout=self.patience))
            except TimeoutError:
                return Met.SILENCE
            except OSError:
                return Met.RESET
            control.sock.sendall(f"{verb}\r\n".encode())
        else:
            listener = _agree_active(control, self.cell.mode)
            if listener is None:
                return Met.REFUSED_COMMAND
            sockets.enter_context(listener)
            control.sock.sendall(f"{verb}\r\n".encode())
            if not select.select([listener], [], [], self.patience)[0]:
                return Met.NOT_CALLED
            data, _ = listener.accept()
            sockets.enter_context(data)
        if control.reply() >= 400:
            return Met.NOT_CALLED
        try:
            self._receive(control, data, sockets)
        except OSError:
            return Met.CUT
        return Met.OK if control.reply() < 400 else Met.CUT

    def _receive(self, control: _Dialogue, data: socket.socket, sockets: contextlib.ExitStack) -> None:
        data.settimeout(self.control_patience)
        if self.slowly:
            data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        data = sockets.enter_context(control.protect(data))
        deadline = time.monotonic() + self.slowly
        while received := data.recv(4096 if time.monotonic() < deadline else 65536):
            self.octets += len(received)
            if time.monotonic() < deadline:
                time.sleep(0.1)  # data trickles, so that only the control connection is idle
        data.close()


def _agree_passive(control: _Dialogue, mode: Mode, address: str) -> tuple[str, int] | None:
    if control.command(mode) not in {227, 229}:
        return None
    if mode is Mode.EPSV:
        found = _229.search(control.said)
        assert found is not None
        return address, int(found[1])
    found = _227.search(control.said)
    assert found is not None
    numbers = found.groups()
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def _agree_active(control: _Dialogue, mode: Mode) -> socket.socket | None:
    own = control.sock.getsockname()[0]
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    listener = socket.create_server((own, 0), family=family)
    port = listener.getsockname()[1]
    if mode is Mode.EPRT:
        line = f"EPRT |{2 if ':' in own else 1}|{own}|{port}|"
    else:
        line = f"PORT {own.replace('.', ',')},{port // 256},{port % 256}"
    try:
        agreed = control.command(line) == 200
    except OSError:
        listener.close()
        raise
    if not agreed:
        listener.close()
        return None
    return listener


SYMPTOMS: dict[Cause, frozenset[Met]] = {
    Cause.OK: frozenset({Met.OK}),
    Cause.FAMILY_UNSUPPORTED: frozenset({Met.NOT_ASKED, Met.REFUSED_COMMAND}),
    Cause.PASSIVE_DROPPED: frozenset({Met.SILENCE}),
    Cause.PASSIVE_REJECTED: frozenset({Met.RESET}),
    Cause.PASSIVE_PRIVATE_ADDRESS: frozenset({Met.SILENCE}),
    Cause.PASSIVE_REWRITTEN: frozenset({Met.RESET, Met.SILENCE}),
    Cause.PASSIVE_RANGE_PARTLY_OPEN: frozenset({Met.OK, Met.SILENCE, Met.RESET}),
    Cause.ACTIVE_DROPPED: frozenset({Met.NOT_CALLED}),
    Cause.ACTIVE_REJECTED: frozenset({Met.NOT_CALLED}),
    Cause.ACTIVE_PRIVATE_ADDRESS: frozenset({Met.REFUSED_COMMAND, Met.NOT_CALLED}),
    Cause.DATA_CUT: frozenset({Met.CUT}),
    Cause.CONTROL_FORGOTTEN: frozenset({Met.LOST}),
}
"""What somebody meets who takes a mode at its word, by the cause that stands behind it."""


def patience_for(cause: Cause) -> float:
    """Seconds to wait: long where an answer must come, short where none can."""
    return 1.0 if SYMPTOMS[cause] & {Met.SILENCE, Met.NOT_CALLED} else 10.0
