"""A server in the test's own event loop that takes so many sessions and no more; it moves names, not data."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

DEADLINE = 20.0


@dataclass
class Limited:
    """What it is told to do, and what it saw."""

    port: int = 0
    limit: int = 99
    """Sessions at a time."""
    greets_with: str = ""
    """What it says to a session too many in place of 220."""
    refuses_with: str = "530 too many connections of this user"
    """What it says to one after its password."""
    counts_refused: bool = False
    """Whether connections count against the limit that are about to be refused."""
    hangs_up: bool = False
    """Whether it closes the connection of a session too many without a word."""
    password: str = "secret"
    tells_directory: bool = True
    tls: ssl.SSLContext | None = None
    """What AUTH begins TLS with; None where there is none."""
    connected: int = 0
    sessions: int = 0
    """Logged in now."""
    most: int = 0
    """Logged in at any one time."""
    refused: int = 0
    logins: int = 0
    heard: list[str] = field(default_factory=list)
    """All commands, the number of the session before each."""
    listening: asyncio.Server | None = None
    writers: dict[int, asyncio.StreamWriter] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """For its user."""
        return f"ftp://me@127.0.0.1:{self.port}"

    def commands(self, verb: str) -> list[str]:
        """Those with this verb, the number of the session before each."""
        return [line for line in self.heard if line.split()[1] == verb]

    async def until(self, verb: str, count: int) -> None:
        """Wait until the verb has come so many times."""
        async with asyncio.timeout(DEADLINE), self.changed:
            await self.changed.wait_for(lambda: len(self.commands(verb)) >= count)

    async def gone(self, count: int) -> None:
        """Wait until no more than ``count`` sessions are logged in."""
        async with asyncio.timeout(DEADLINE), self.changed:
            await self.changed.wait_for(lambda: self.sessions <= count)

    def cut(self, *numbers: int) -> None:
        """Reset the connections of these sessions."""
        for number in numbers:
            self.writers[number].transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session."""
        number = len(self.writers) + 1
        self.writers[number] = writer
        self.connected += 1
        session = _Session(self, number, writer)
        full = self.sessions >= self.limit
        if full and self.hangs_up:
            self.connected -= 1
            self.refused += 1
            writer.close()
            return
        session.say(self.greets_with if full and self.greets_with else "220 ready")
        with suppress(ConnectionError):
            while line := await reader.readline():
                await session.answer(line.decode().rstrip())
        await session.end()


class _Session:
    def __init__(self, server: Limited, number: int, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._number = number
        self._writer = writer
        self._inside = False
        self._place = "/"

    def say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())
        if reply[:3] == "421":
            self._server.refused += 1
            self._writer.close()

    async def answer(self, line: str) -> None:
        server, (verb, _, argument) = self._server, line.partition(" ")
        server.heard.append(f"{self._number} {line}")
        known = {
            "USER": "331 password?",
            "FEAT": "500 what?",
            "NOOP": "200 ok",
            "QUIT": "221 bye",
            "SIZE": "213 5",
            "AUTH": "502",
        }
        if verb == "PASS":
            self._log_in(argument)
        elif verb == "AUTH" and server.tls is not None:
            self.say("234 go on")
            await self._writer.start_tls(server.tls)
        elif verb == "FEAT" and server.tls is not None:
            self.say("211-Features:\r\n AUTH TLS\r\n211 End")
        elif verb == "PWD":
            self.say(f'257 "{self._place}"' if server.tells_directory else "502 no")
        elif verb == "CWD":
            self._place = argument if argument.startswith("/") else f"{self._place.rstrip('/')}/{argument}"
            self.say("250 there")
        else:
            self.say(known.get(verb, "200 ok"))
        await self._tell()

    async def end(self) -> None:
        self._writer.close()
        self._server.connected -= 1
        if self._inside:
            self._inside = False
            self._server.sessions -= 1
        await self._tell()

    def _log_in(self, password: str) -> None:
        server = self._server
        server.logins += 1
        if password != server.password:
            self.say("530 wrong")
        elif server.sessions >= server.limit or (server.counts_refused and server.connected > server.limit):
            server.refused += 1
            self.say(server.refuses_with)
        else:
            self._inside = True
            server.sessions += 1
            server.most = max(server.most, server.sessions)
            self.say("230 welcome")

    async def _tell(self) -> None:
        async with self._server.changed:
            self._server.changed.notify_all()


@asynccontextmanager
async def limited(server: Limited | None = None) -> AsyncIterator[Limited]:
    """Serve for the while of the block."""
    settings = server or Limited()
    settings.listening = listening = await asyncio.start_server(settings.serve, "127.0.0.1", settings.port)
    settings.port = listening.sockets[0].getsockname()[1]
    try:
        yield settings
    finally:
        listening.close()
        for writer in settings.writers.values():
            with suppress(AttributeError):  # Python before 3.11.4, under TLS, where the other end has gone already
                writer.transport.abort()
        await settings.gone(0)
