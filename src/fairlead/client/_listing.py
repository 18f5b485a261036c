"""Listings: MLSD where the server has it (RFC 3659 section 7), else LIST; NLST for bare names."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Awaitable, Callable

from fairlead.client._core import Session, check_paths
from fairlead.client._flow import Inflow
from fairlead.client._namespace import cwd, pwd
from fairlead.client._retry import repeatable
from fairlead.client.trace import ListingLine
from fairlead.errors import FairleadError, LimitError, PermanentError, ReplyError, TransferError
from fairlead.proto import listing
from fairlead.proto.codec import Representation
from fairlead.proto.entry import Entry
from fairlead.reach.cause import Cause

_PLAIN = r"[^-~ *?\[\]{}\\][^ *?\[\]{}\\]*"
"""A path that no server takes for an option, a pattern or two paths."""
_NOTHING_THERE = r"(?i)\bno files\b|\bno such files?\b.*\bfound\b|\bempty\b"
_NOT_OPENED = "failed to open directory"
"""What vsftpd says in the 226 after the listing of a directory that it may not read."""
_HERE = r"\s\.$"
"""The line of the directory itself."""
_NO_FILES = {450, 550}
_NOT_IMPLEMENTED = {500, 502}
_NOT_ENTRIES = {"", ".", ".."}
_AS_SENT = Representation("I")


@repeatable
async def scandir(session: Session, path: str) -> list[Entry]:
    """The entries of a directory; the directory itself and its parent are none."""
    check_paths(path)
    found = await _by_machine(session, path)
    if found is not None:
        return found.entries
    from fairlead.client._zone import in_utc  # noqa: PLC0415 - with all that knows times; machine listings tell UTC

    await session.set_type("A")
    return await in_utc(session, path, _read(await _apart(session, "LIST", path)).entries)


async def contents(session: Session, directory: str) -> list[Entry]:
    """The entries of :func:`listed`."""
    return (await listed(session, directory)).entries


@repeatable
async def listed(session: Session, directory: str) -> listing.Listing:
    """As :func:`scandir`, of what has to be a directory, with what is hidden where the server shows it.

    After LIST with a path, some servers take what is not there, or what they may not open, for an empty directory or a
    file. So this goes there first. Raises ReplyError, TransferError.
    """
    check_paths(directory)
    found = await _by_machine(session, directory)
    if found is not None:
        return found
    from fairlead.client._zone import in_utc  # noqa: PLC0415 - as above

    await session.set_type("A")
    found = _read(await _inside(session, directory, lambda: _with_hidden(session)))
    return found._replace(entries=await in_utc(session, directory, found.entries))


@repeatable
async def machine_listing(session: Session, path: str) -> bytes | None:
    """See :meth:`fairlead.client.sync.Client.machine_listing`."""
    check_paths(path)
    text = await _machine_text(session, path)
    return None if text is None else bytes(text.octets)


async def _by_machine(session: Session, path: str) -> listing.Listing | None:
    """By MLSD; None where the server has none."""
    text = await _machine_text(session, path)
    return None if text is None else read_machine_listing(text.octets)


def read_machine_listing(octets: bytes | bytearray) -> listing.Listing:
    """What the listing of an MLSD tells."""
    return _read(split(octets), hint="mlsx")


def _read(lines: list[str], hint: str | None = None) -> listing.Listing:
    """What a listing that just came tells.

    Meanwhile nobody looks for circles of objects: no entry refers to another, and there may be a million of them.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return listing.read_listing(lines, now=time.time(), hint=hint)
    finally:
        if collects:
            gc.enable()


async def _machine_text(session: Session, path: str) -> _Text | None:
    if not session.machine_listings:
        return None
    await session.frame()
    try:
        return await _text(session, "MLSD", path)
    except PermanentError as error:
        if error.reply.code not in _NOT_IMPLEMENTED:
            raise
        session.machine_listings = False
    return None


async def _with_hidden(session: Session) -> list[str]:
    """LIST, with names that begin with a dot where ``-a`` is taken for the option, as the line of ``.`` shows."""
    if session.lists_hidden:
        try:
            lines = await _lines(session, "LIST", "-a")
        except PermanentError:
            lines = []
        if any(re.search(_HERE, line) for line in lines):
            return lines
        session.lists_hidden = False
    return await _lines(session, "LIST", "")


@repeatable
async def names(session: Session, path: str) -> list[str]:
    """The names in a directory, as NLST gives them; the directory itself and its parent are none."""
    check_paths(path)
    await session.set_type("A")
    return [line for line in await _apart(session, "NLST", path) if line not in _NOT_ENTRIES]


async def _apart(session: Session, verb: str, path: str) -> list[str]:
    """As :func:`_lines`; a path that could be misread is made the working directory for the while."""
    if not path or re.fullmatch(_PLAIN, path):
        return await _lines(session, verb, path)
    return await _inside(session, path, lambda: _lines(session, verb, ""))


async def _inside(session: Session, path: str, action: Callable[[], Awaitable[list[str]]]) -> list[str]:
    """Do ``action`` while ``path`` is the working directory."""
    if not path:
        return await action()
    here = await pwd(session)
    await cwd(session, path)
    try:
        lines = await action()
    except FairleadError:
        if session.connected:
            await cwd(session, here)
        raise
    except BaseException:
        session.control.lose("it was left in another directory")
        raise
    await cwd(session, here)
    return lines


async def _lines(session: Session, verb: str, path: str) -> list[str]:
    return split((await _text(session, verb, path)).octets)


async def _text(session: Session, verb: str, path: str) -> _Text:
    text = _Text(session)
    try:
        outcome = await session.transfer(verb, path, Inflow(text, _AS_SENT))
    except ReplyError as error:
        if error.reply.code in _NO_FILES and re.search(_NOTHING_THERE, error.reply.text):
            return _Text(session)
        raise
    if outcome.reply is not None and _NOT_OPENED in outcome.reply.text.lower():
        message = f"the server could not open {path or 'the directory'}: {outcome.reply.code} {outcome.reply.text}"
        raise TransferError(message, transferred=outcome.size, reply=outcome.reply)
    if verb == "MLSD" and text.cut:  # some servers leave the end of the last line out of LIST and NLST
        message = f"the listing ended within a line, after {outcome.size} bytes, so that it is not whole; list again"
        raise TransferError(message, transferred=outcome.size, reply=outcome.reply, cause=Cause.DATA_CUT)
    return text


class _Text:
    """Collects a listing, and tells each line as it comes when somebody watches."""

    def __init__(self, session: Session) -> None:
        self.octets = bytearray()
        self._limit = session.settings.listing_limit
        self._control = session.control
        self._told = 0

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        del self.octets[offset:]
        self._told = 0

    def write(self, data: memoryview) -> None:
        """See :class:`fairlead.client._flow.Sink`. Raises LimitError."""
        self.octets += data
        if len(self.octets) > self._limit:
            message = f"the listing is longer than {self._limit} octets; list a part of it, or raise listing_limit"
            raise LimitError(message)
        if self._control.traced:
            end = self.octets.rfind(b"\n") + 1
            for line in split(self.octets[self._told : end]):
                self._control.tell(ListingLine(line))
            self._told = max(end, self._told)

    @property
    def cut(self) -> bool:
        """Whether the last line has no end."""
        return bool(self.octets) and not self.octets.endswith(b"\n")


def split(octets: bytes | bytearray) -> list[str]:
    """The lines of a listing without their ends; CR LF and LF both end one, nothing else does."""
    lines = octets.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines
