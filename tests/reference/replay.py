"""Send the script to a server and write down what it answers."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple

from fairlead.errors import FairleadError
from fairlead.proto.address import parse_pasv_reply
from fairlead.proto.reply import Reply, ReplyParser
from tests.peers.servers import OWNER_ID, clear
from tests.reference.script import DATED, SCRIPT, TREE, Group, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.peers.servers import Server

DEADLINE = 10.0
"""Seconds after which a command counts as unanswered."""
OPEN = 150
"""What is written down for 125, too: which of the two comes is a matter of chance with some servers."""
CLOSED, SILENT = "closed", "silent"


class Answer(NamedTuple):
    """What came back: the codes as ``150 226``, or how there were none; and the note where one was asked for."""

    codes: str
    note: str = ""


def _names(_: Reply, data: bytes) -> str:
    return " ".join(sorted(line.decode().replace(" ", "␣") for line in data.splitlines()))


def _last_words(_: Reply, data: bytes) -> str:
    """The last word of each line: a listing's name, whatever stands before it."""
    return " ".join(sorted(line.decode().rpartition(" ")[2] for line in data.splitlines()))


def _data(_: Reply, data: bytes) -> str:
    return data.decode().encode("unicode_escape").decode()


def _text(reply: Reply, _: bytes) -> str:
    return reply.text


def _quoted(reply: Reply, _: bytes) -> str:
    match = re.match(r'"((?:[^"]|"")*)"', reply.text)
    return match[1] if match else reply.text


def _labels(reply: Reply, _: bytes) -> str:
    return " ".join(sorted({line.split()[0].upper() for line in reply.lines[1:-1] if line.strip()}))


NOTES: dict[str, Callable[[Reply, bytes], str]] = {
    "data": _data,
    "names": _names,
    "last words": _last_words,
    "text": _text,
    "quoted": _quoted,
    "labels": _labels,
}
"""What to write down about a success besides its codes."""


class Connection:
    """A control connection that writes down instead of judging."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket = socket.create_connection((server.host, server.port), DEADLINE)
        self._parser = ReplyParser()
        self._replies: list[Reply] = []
        self.read()

    @property
    def secured(self) -> bool:
        """Whether it is under TLS."""
        return isinstance(self._socket, ssl.SSLSocket)

    def close(self) -> None:
        """Close it without a word."""
        self._socket.close()

    def read(self) -> Reply | None:
        """The next reply, None once the server has closed. Raises TimeoutError."""
        while not self._replies:
            try:
                octets = self._socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not octets:
                return None
            self._replies += self._parser.feed(octets)
        return self._replies.pop(0)

    def ask(self, line: str) -> Reply | None:
        """Send a line and read one reply."""
        self._send(line + "\r\n")
        return self.read()

    def _send(self, text: str) -> None:
        self._socket.sendall(text.encode("utf-8", "surrogateescape"))

    def play(self, step: Step) -> Answer:
        """Send one step and tell what came back."""
        try:
            return self._play(step)
        except TimeoutError:
            return Answer(SILENT)
        except ConnectionError:
            return Answer(CLOSED)

    def _play(self, step: Step) -> Answer:
        line = step.send if step.raw else step.send + "\r\n"
        if step.moves:
            return self._move(step, line)
        self._send(line)
        codes: list[str] = []
        reply = None
        for _ in range(step.replies):
            while (reply := self.read()) is not None and reply.preliminary:
                codes.append(str(reply.code))
            if reply is None:
                return Answer(" ".join([*codes, CLOSED]))
            codes.append(str(reply.code))
        assert reply is not None
        if step.send.upper() == "AUTH TLS" and reply.code == 234 and not self.secured:
            self._begin_tls()
        return Answer(" ".join(codes), NOTES[step.shows](reply, b"") if step.shows and reply.completed else "")

    def _begin_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)
        self._parser = ReplyParser()

    def _move(self, step: Step, line: str) -> Answer:
        passive = self.ask("PASV")
        if passive is None or passive.code != 227:
            return Answer(CLOSED if passive is None else f"PASV {passive.code}")
        _, port = parse_pasv_reply(passive.text)
        with socket.create_connection((self._server.host, port), DEADLINE) as data:
            self._send(line)
            reply = self.read()
            if reply is None:
                return Answer(CLOSED)
            if not reply.preliminary:
                return Answer(str(reply.code))
            octets = b"".join(_exchange(data, step.stores))
        final = self.read()
        if final is None:
            return Answer(f"{OPEN} {CLOSED}")
        note = NOTES[step.shows](final, octets) if step.shows and final.completed else ""
        return Answer(f"{OPEN} {final.code}", note)


def _exchange(data: socket.socket, octets: bytes) -> Iterator[bytes]:
    if octets:
        data.sendall(octets)
        data.shutdown(socket.SHUT_WR)
        return
    while piece := data.recv(1 << 16):
        yield piece


def _prepare(root: Path) -> None:
    clear(root)
    for name, octets in TREE.items():
        path = root / name
        if octets is None:
            path.mkdir()
        else:
            path.write_bytes(octets)
    for name in TREE:
        os.utime(root / name, (DATED, DATED))
        if os.geteuid() == 0:
            shutil.chown(root / name, OWNER_ID, OWNER_ID)


def _open(server: Server, group: Group, *, secured: bool = False) -> Connection:
    connection = Connection(server)
    if secured:
        connection.play(Step("AUTH TLS"))
    if group.login or secured:
        connection.ask(f"USER {server.user}")
        reply = connection.ask(f"PASS {server.password}")
        assert reply is not None
        assert reply.code == 230, reply
    return connection


def replay(group: Group, server: Server) -> list[Answer]:
    """The answers to the counted steps of ``group``; where the server closes, the next step has a new connection."""
    _prepare(server.root)
    connection = _open(server, group)
    answers = []
    try:
        for step in group.steps:
            try:
                answer = connection.play(step)
            except FairleadError as error:
                raise AssertionError(f"{server.name}, {group.title}, {step.send!r}: {error}") from error
            if not step.hidden:
                answers.append(answer)
            if CLOSED in answer.codes or SILENT in answer.codes or step.send.upper() in {"QUIT", "CCC"}:
                connection.close()
                connection = _open(server, group, secured=connection.secured)
    finally:
        connection.close()
    return answers


def replay_all(plain: Server, protected: Server) -> list[list[Answer]]:
    """The answers of a server to the whole script, group by group; ``protected`` is the same one requiring TLS."""
    return [replay(group, protected if group.tls else plain) for group in SCRIPT]
