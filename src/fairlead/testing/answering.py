"""One session with a misbehaving server: what a client may ask, answered as it should be where no fault says otherwise.

It is written for tests: blocking sockets, a thread to each session, files in memory.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import PurePosixPath
from posixpath import join, normpath
from typing import TYPE_CHECKING, ClassVar

from fairlead.proto.address import format_port, parse_eprt, parse_port
from fairlead.proto.command import Command, CommandParser
from fairlead.proto.entry import Entry, Kind
from fairlead.testing.faults.base import LISTINGS
from fairlead.testing.faults.listing import session_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.testing.misbehaving import MisbehavingServer

DEADLINE = 20.0
"""Seconds that a client may take to make a data connection, and to take what is sent."""
_PIECE = 1 << 16
_RESET = struct.pack("ii", 1, 0)
_DONE = "226 Transfer complete."
_SIMPLE = {
    "ABOR": "226 Nothing is in progress.",
    "ALLO": "202 No storage is needed.",
    "MODE": "200 Mode set.",
    "NOOP": "200 Nothing done.",
    "OPTS": "200 Option set.",
    "PBSZ": "200 PBSZ=0",
    "STRU": "200 Structure set.",
    "SYST": "215 UNIX Type: L8",
    "TYPE": "200 Type set.",
    "USER": "331 Password, please.",
}
_MODIFIED = "20240102030405"
_FACTS = {Kind.FILE: "file", Kind.DIRECTORY: "dir", Kind.LINK: "OS.unix=slink", Kind.OTHER: "OS.unix=chr"}
_LETTERS = {Kind.FILE: "-", Kind.DIRECTORY: "d", Kind.LINK: "l", Kind.OTHER: "c"}


class Over(Exception):
    """The session has ended."""


class Session:
    """A control connection, from its greeting to its end."""

    def __init__(self, server: MisbehavingServer, control: socket.socket) -> None:
        self.server = server
        self.data: socket.socket | None = None
        """The data connection of the transfer under way."""
        self._control = control
        self._parser = CommandParser()
        self._listener: socket.socket | None = None
        self._called: tuple[str, int] | None = None
        self._directory = "/"
        self._restart = 0
        self._protected = False
        control.settimeout(None)

    # What faults use

    @property
    def over(self) -> bool:
        """Whether the server stops."""
        return self.server.stopping.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Do nothing for a while, until the server stops where none is given; whether it does."""
        return self.server.stopping.wait(seconds)

    def say(self, reply: str) -> None:
        """Send a reply."""
        self.send(f"{reply}\r\n".encode("utf-8", "surrogateescape"))

    def send(self, octets: bytes) -> None:
        """Send octets over the control connection."""
        self._control.sendall(octets)

    def hang_up(self) -> None:
        """Close both connections, and end the session."""
        raise Over

    def begin_tls(self) -> None:
        """Go on under TLS; what came in clear is forgotten."""
        self._control = self.server.keep(self._under_tls(self._control))
        self._parser = CommandParser()

    def stop_listening(self) -> None:
        """Close the passive port."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def close_data(self, *, notify: bool = True) -> None:
        """End the data connection in order; with ``notify`` say so first where it is under TLS."""
        if self.data is None:
            return
        with suppress(OSError, ValueError):  # the server stops, or the client has hung up
            if notify and isinstance(self.data, ssl.SSLSocket):
                self.data.unwrap()
            self.data.shutdown(socket.SHUT_RDWR)
        self.data.close()
        self.data = None

    def reset_data(self) -> None:
        """Reset the data connection."""
        assert self.data is not None
        self.data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.data.close()
        self.data = None

    def line(self, verb: str, entry: Entry) -> bytes:
        """A line about ``entry`` in the listing that ``verb`` asks for."""
        if verb == "NLST":
            text = entry.name
        elif verb == "LIST":
            size = f"{entry.size or 0:>8}"
            target = f" -> {entry.target}" if entry.target is not None else ""
            text = f"{_LETTERS[entry.kind]}rw-r--r-- 1 ftp ftp {size} Jan 02 2024 {entry.name}{target}"
        else:
            target = f":{entry.target}" if entry.target is not None else ""
            size = f"size={entry.size};" if entry.kind is Kind.FILE else ""
            text = f"type={_FACTS[entry.kind]}{target};{size}modify={_MODIFIED}; {entry.name}"
        return f"{text}\r\n".encode("utf-8", "surrogateescape")

    # The dialogue

    def run(self) -> None:
        """Serve until the client or a fault ends it."""
        try:
            if self.server.tls == "implicit":
                self.begin_tls()
            if not any(fault.greets(self) for fault in self.server.faults):
                self.say("220 Ready.")
            for verb, argument in self._commands():
                self.server.heard.append(f"{verb} {argument}".strip())
                if not any(fault.answers(self, verb, argument) for fault in self.server.faults):
                    self._answer(verb, argument)
        except (Over, OSError, ValueError):  # the client need not end in order, nor wait for the server's end
            pass
        finally:
            self.stop_listening()
            self.close_data()
            self._control.close()

    def _commands(self) -> Iterator[Command]:
        while octets := self._control.recv(_PIECE):
            for event in self._parser.feed(octets):
                if isinstance(event, Command):
                    yield event

    def _answer(self, verb: str, argument: str) -> None:
        if verb in _SIMPLE:
            self.say(_SIMPLE[verb])
        elif verb in LISTINGS:
            self._transfer(verb, self._listing(verb, argument))
        elif verb in self._handlers:
            self._handlers[verb](self, argument)
        else:
            self.say("500 Unknown command.")

    def _pass(self, argument: str) -> None:
        self.say("230 Logged in." if argument == self.server.password else "530 Login incorrect.")

    def _feat(self, _: str) -> None:
        features = ["SIZE", "MDTM", "REST STREAM", "EPSV", "PASV", "UTF8"]
        features += ["MLST type*;size*;modify*;"] if self.server.machine_listings else []
        features += ["AUTH TLS", "PBSZ", "PROT"] if self.server.tls == "offer" else []
        self.say("\r\n ".join(["211-Features:", *features]) + "\r\n211 End")

    def _auth(self, argument: str) -> None:
        if self.server.tls != "offer" or argument.upper() != "TLS":
            self.say("504 No such mechanism.")
            return
        self.say("234 Go on under TLS.")
        self.begin_tls()

    def _prot(self, argument: str) -> None:
        self._protected = argument.upper() == "P"
        self.say("200 Protection set.")

    def _quit(self, _: str) -> None:
        self.say("221 Goodbye.")
        raise Over

    # Files

    def _path(self, argument: str) -> str:
        return normpath(join(self._directory, argument)).replace("//", "/")

    def _file(self, path: str) -> bytes | None:
        known = self.server.files.get(path)
        if known is None and any(fault.serves_anything for fault in self.server.faults):
            return session_file(path)
        return known

    def _is_directory(self, path: str) -> bool:
        made_up = any(fault.has_directory(path) for fault in self.server.faults)
        return made_up or path == "/" or any(PurePosixPath(name).is_relative_to(path) for name in self.server.files)

    def _entries(self, path: str) -> Sequence[Entry]:
        found: dict[str, Entry] = {}
        for name, octets in self.server.files.items():
            if PurePosixPath(name).is_relative_to(path) and name != path:
                head, *rest = PurePosixPath(name).relative_to(path).parts
                found[head] = Entry(head, Kind.DIRECTORY) if rest else Entry(head, size=len(octets))
        return reduce(lambda known, fault: fault.lists(path, known), self.server.faults, list(found.values()))

    def _pwd(self, _: str) -> None:
        quoted = self._directory.replace('"', '""')
        self.say(f'257 "{quoted}"')

    def _cwd(self, argument: str) -> None:
        path = self._path(argument)
        if self._is_directory(path):
            self._directory = path
        self.say("250 Directory changed." if self._directory == path else "550 No such directory.")

    def _cdup(self, _: str) -> None:
        self._cwd("..")

    def _size(self, argument: str) -> None:
        octets = self._file(self._path(argument))
        self.say("550 No such file." if octets is None else f"213 {len(octets)}")

    def _mdtm(self, argument: str) -> None:
        self.say("550 No such file." if self._file(self._path(argument)) is None else f"213 {_MODIFIED}")

    def _mlst(self, argument: str) -> None:
        path = self._path(argument)
        octets = self._file(path)
        if octets is None and not self._is_directory(path):
            self.say("550 No such file.")
            return
        entry = Entry(path, Kind.DIRECTORY) if octets is None else Entry(path, size=len(octets))
        self.send(b"250-Facts:\r\n " + self.line("MLST", entry) + b"250 End\r\n")

    def _rest(self, argument: str) -> None:
        self._restart = int(argument) if argument.isdecimal() else 0
        self.say(f"350 Restarting at {self._restart}.")

    def _retr(self, argument: str) -> None:
        octets = self._file(self._path(argument))
        start, self._restart = self._restart, 0
        if octets is None:
            self.say("550 No such file.")
            return
        view = octets[start:]
        self._transfer("RETR", iter([view[at : at + _PIECE] for at in range(0, len(view), _PIECE)]))

    def _stor(self, argument: str) -> None:
        with self._data() as data:
            pieces = []
            while piece := data.recv(_PIECE):
                pieces.append(piece)
            self.server.files[self._path(argument)] = b"".join(pieces)
            self.close_data()
        self._conclude()

    def _listing(self, verb: str, argument: str) -> Iterator[bytes]:
        path = self._directory if argument.startswith("-") else self._path(argument)
        yield b"".join([self.line(verb, entry) for entry in self._entries(path)])

    # Data connections

    def _listen(self) -> tuple[str, int]:
        self.stop_listening()
        self._called = None
        host = self._control.getsockname()[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = self.server.keep(socket.create_server((host, 0), family=family))
        self._listener.settimeout(DEADLINE)
        place = host, int(self._listener.getsockname()[1])
        return reduce(lambda told, fault: fault.announces(self, *told), self.server.faults, place)

    def _pasv(self, _: str) -> None:
        self.say(f"227 Entering Passive Mode ({format_port(*self._listen())}).")

    def _epsv(self, argument: str) -> None:
        if argument.upper() == "ALL":
            self.say("200 EPSV only.")
        else:
            self.say(f"229 Entering Extended Passive Mode (|||{self._listen()[1]}|)")

    def _port(self, argument: str) -> None:
        self.stop_listening()
        self._called = parse_port(argument)
        self.say("200 Going to call.")

    def _eprt(self, argument: str) -> None:
        self.stop_listening()
        _, host, port = parse_eprt(argument)
        self._called = host, port
        self.say("200 Going to call.")

    def _data(self) -> socket.socket:
        """Announce the transfer and make its data connection."""
        self.say("150 Opening the data connection.")
        if self._listener is not None:
            data, _ = self._listener.accept()
            self.stop_listening()
        else:
            assert self._called is not None, "a transfer without PASV or PORT"
            data = socket.create_connection(self._called, DEADLINE)
        data.settimeout(DEADLINE)
        self.data = self.server.keep(self._under_tls(data) if self._protected else data)
        for fault in self.server.faults:
            fault.opens(self)
        return self.data

    def _under_tls(self, plain: socket.socket) -> ssl.SSLSocket:
        return self.server.context().wrap_socket(plain, server_side=True)

    def _transfer(self, verb: str, pieces: Iterator[bytes]) -> None:
        data = self._data()
        for fault in self.server.faults:
            pieces = fault.sends(self, verb, pieces)
        for piece in pieces:
            data.sendall(piece)
        if not any(fault.closes(self) for fault in self.server.faults):
            self.close_data()
        self._conclude()

    def _conclude(self) -> None:
        reply = reduce(lambda told, fault: fault.concludes(self, told), self.server.faults, _DONE)
        if reply:
            self.say(reply)

    _handlers: ClassVar[dict[str, Callable[[Session, str], None]]] = {
        "AUTH": _auth,
        "CDUP": _cdup,
        "CWD": _cwd,
        "EPRT": _eprt,
        "EPSV": _epsv,
        "FEAT": _feat,
        "MDTM": _mdtm,
        "MLST": _mlst,
        "PASS": _pass,
        "PASV": _pasv,
        "PORT": _port,
        "PROT": _prot,
        "PWD": _pwd,
        "QUIT": _quit,
        "REST": _rest,
        "RETR": _retr,
        "SIZE": _size,
        "STOR": _stor,
    }
