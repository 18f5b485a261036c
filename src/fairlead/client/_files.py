"""Files to and from the local system: RETR, STOR, APPE, STOU, and going on where an earlier transfer ended."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from fairlead.client import _checksum
from fairlead.client._core import Session, check_paths
from fairlead.client._data import Question
from fairlead.client._exchange import Outcome, announced_size
from fairlead.client._facts import mtime, size, told_size
from fairlead.client._flow import Inflow, Mark, Outflow, Progress
from fairlead.client._local import LocalPath, Part, SourceFile, Writable, Writer, part_for
from fairlead.client._retry import NoWayBack, persist, put_off
from fairlead.client._settle import Storing, received
from fairlead.client._times import set_mtime
from fairlead.errors import ReplyError, TransferError
from fairlead.proto.codec import Representation, is_identity
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause

_UNIQUE_NAME = re.compile(r"FILE: ?(.+)")


class Transferred(NamedTuple):
    """A transfer that ended well."""

    path: str
    """The file on the server; of an upload under a unique name it is the name the server chose."""
    size: int
    """Octets that went over the data connection."""
    offset: int
    """Where it went on; 0 for a whole file."""
    seconds: float
    mode: str
    """How the data connection was made: EPSV, PASV, EPRT or PORT; empty when nothing was left to transfer."""
    tls_resumed: bool | None = None
    """Whether the data connection resumed the control connection's TLS session; None without TLS."""
    verified: str | None = None
    """What the two files were held against each other by: ``HASH SHA-256``, ``XCRC`` …, ``SIZE``; None if not asked."""
    modified: datetime | None = None
    """The time that the copy was given, where that was asked for and possible."""
    marks: tuple[Mark, ...] = ()
    """Restart markers, in the modes that have such: the same places in the file here and as the server calls them."""


class _Course:
    """The attempts at one transfer, told as one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._began = session.wire.now()
        self._first: int | None = None
        self._attempts = 0

    def begin(self, offset: int) -> None:
        """Another attempt begins at ``offset``."""
        self._attempts += 1
        self._first = offset if self._first is None else min(self._first, offset)

    def told(self, result: Transferred) -> Transferred:
        """What the last attempt and those before it came to, ``result`` where it was the only one."""
        if self._attempts == 1 or self._first is None:
            return result
        moved, seconds = result.offset + result.size - self._first, self._session.wire.now() - self._began
        return result._replace(offset=self._first, size=moved, seconds=seconds)


async def download(
    session: Session,
    remote: str,
    local: LocalPath | Writable,
    *,
    resume: bool,
    text: bool,
    verify: bool,
    times: bool,
    on_progress: Progress | None,
    expected: int | None = None,
) -> Transferred:
    """See :meth:`fairlead.client.sync.Client.download`."""
    check_paths(remote)
    representation = _representation(session, text=text, resume=resume, verify=verify)
    if not isinstance(local, str | os.PathLike):
        if resume or times:
            message = "only a download to a named file can be resumed or be given a time"
            raise ValueError(message)
        return await _download_to(
            session, remote, Writer(local), representation, verify=verify, on_progress=on_progress
        )
    target = part_for(local, remote)

    async def ask() -> tuple[int | None, int]:
        if not resume:
            return expected if is_identity(representation) else None, 0
        total = await size(session, remote)
        return total, await _download_offset(session, remote, target.kept(), total)

    return await _fetch(
        session, remote, target, representation, ask, verify=verify, times=times, on_progress=on_progress
    )


class Known(NamedTuple):
    """What a listing told of a file that is fetched; None stands for what it did not."""

    size: int | None
    modified: datetime | None


async def fetch(
    session: Session,
    remote: str,
    target: Part,
    known: Known,
    representation: Representation,
    offset: int,
    *,
    verify: bool,
    times: bool,
    on_progress: Progress | None,
) -> Transferred:
    """Fetch ``remote`` into ``target``, which has ``offset`` octets of it, and let it take its name.

    The server is asked for the time only where it is not ``known``.
    """

    async def ask() -> tuple[int | None, int]:
        return known.size, offset

    return await _fetch(
        session,
        remote,
        target,
        representation,
        ask,
        modified=known.modified,
        verify=verify,
        times=times,
        on_progress=on_progress,
    )


async def _fetch(
    session: Session,
    remote: str,
    target: Part,
    representation: Representation,
    ask: Callable[[], Awaitable[tuple[int | None, int]]],
    *,
    verify: bool,
    times: bool,
    on_progress: Progress | None,
    modified: datetime | None = None,
) -> Transferred:
    """Fetch ``remote``; ``ask`` tells its size and where to begin. What an attempt left, the next one goes on from.

    Where ``modified`` is None, the server is asked for the time.
    """
    flow = Inflow(target, representation, progress=on_progress)
    course = _Course(session)

    async def attempt() -> Transferred:
        await session.represent(representation)
        if target.begun and flow.identity:
            total = await size(session, remote)
            offset = await _download_offset(session, remote, target.kept(), total)
        else:
            total, offset = await ask()
        flow.total = total
        course.begin(offset)
        if offset and offset == total:
            result = Transferred(remote, 0, offset, 0.0, "")
        else:
            result = await _received(session, remote, flow, offset)
        if verify:
            result = await _verify_part(session, result, target)
        time = modified or await mtime(session, remote) if times else None
        target.keep(time)
        return course.told(result if time is None else result._replace(modified=time))

    try:
        return await persist(session, attempt, reached=lambda: flow.offset + flow.moved)
    finally:
        target.leave()


async def _received(session: Session, remote: str, flow: Inflow, offset: int) -> Transferred:
    """RETR, with SIZE where the size is not known and the reply that begins the transfer may not tell as much.

    Raises as a transfer does, and TransferError when less came than the server promised.
    """
    unknown, total, question = flow.identity and flow.total is None, flow.total, None
    if unknown and not session.announces_sizes:
        if session.swallows or not session.machine_listings:
            flow.total = total = await size(session, remote)
        elif session.may_have("SIZE"):

            def heed(reply: Reply | None) -> None:
                nonlocal total
                session.swallows = reply is None
                flow.total = total = None if reply is None else told_size(session.heed("SIZE", reply))

            question = Question("SIZE", remote, heed)
    outcome = await received(session, remote, flow, restart=offset, question=question)
    here, announced = outcome.offset + outcome.size, announced_size(outcome.opening)
    unmeant = session.announces_sizes and (announced is None or announced > here)
    if unknown and (unmeant or (question is not None and session.swallows)):
        total = await size(session, remote)  # a server need not announce anything, or mean it
    session.announces_sizes = flow.identity and announced == here
    return whole(remote, outcome, total)


async def _download_to(
    session: Session,
    remote: str,
    sink: Writer,
    representation: Representation,
    *,
    verify: bool,
    on_progress: Progress | None,
) -> Transferred:
    """A download whose octets cannot be taken back: another attempt goes on behind them, if the file is the same."""
    flow = Inflow(sink, representation, progress=on_progress)
    course = _Course(session)

    async def attempt() -> Transferred:
        await session.represent(representation)
        before = flow.total
        flow.total = await size(session, remote) if flow.identity and sink.taken else None
        if sink.taken and (flow.total is None or flow.total != before):
            message = "what was written to a stream cannot be taken back, and the file may have changed"
            raise NoWayBack(message)
        course.begin(sink.taken)
        result = await _received(session, remote, flow, sink.taken)
        return course.told(await _verified(session, result, None) if verify else result)

    return await persist(session, attempt, reached=lambda: flow.offset + flow.moved)


async def upload(
    session: Session,
    local: LocalPath | BinaryIO,
    remote: str,
    *,
    resume: bool,
    text: bool,
    verify: bool,
    times: bool,
    on_progress: Progress | None,
) -> Transferred:
    """See :meth:`fairlead.client.sync.Client.upload`."""
    check_paths(remote)
    representation = _representation(session, text=text, resume=resume, verify=verify)
    source = SourceFile(local)
    flow = Outflow(source, representation, progress=on_progress)
    store, course = Storing(session, remote, source, flow), _Course(session)

    async def attempt() -> Transferred:
        await session.represent(representation)
        offset = await _upload_offset(session, remote, source) if resume else await store.offset()
        course.begin(offset)
        if offset and offset == source.size:
            result = Transferred(remote, 0, offset, 0.0, "")
        else:
            outcome = await store.store(offset)
            if outcome.offset:
                await check_stored(session, remote, outcome)
            result = _transferred(remote, outcome)
        if verify:
            result = await _verified(session, result, source.reread())
        if times and source.modified is not None:
            result = result._replace(modified=await _set_time(session, remote, source.modified))
        return course.told(result)

    try:
        return await persist(session, attempt, reached=store.reached)
    finally:
        source.close()


async def _verified(session: Session, result: Transferred, read: Callable[[int], bytes] | None) -> Transferred:
    how = await _checksum.verify(session, result.path, read, result.offset + result.size)
    return result._replace(verified=how)


async def _verify_part(session: Session, result: Transferred, target: Part) -> Transferred:
    file = target.reread()
    try:
        return await _verified(session, result, None if file is None else file.read)
    except TransferError:
        target.discard()
        raise
    finally:
        if file is not None:
            file.close()


async def _set_time(session: Session, remote: str, modified: datetime) -> datetime | None:
    """The time that the file has now; its octets are stored, so that a refusal is no failure of the upload."""
    try:
        return await set_mtime(session, remote, modified)
    except ReplyError:
        return None


async def append(
    session: Session, local: LocalPath | BinaryIO, remote: str, *, text: bool, on_progress: Progress | None
) -> Transferred:
    """See :meth:`fairlead.client.sync.Client.append`."""
    outcome = await _send(session, "APPE", local, remote, text=text, on_progress=on_progress)
    return _transferred(remote, outcome)


async def upload_unique(
    session: Session, local: LocalPath | BinaryIO, remote: str, *, text: bool, on_progress: Progress | None
) -> Transferred:
    """See :meth:`fairlead.client.sync.Client.upload_unique`."""
    outcome = await _send(session, "STOU", local, remote, text=text, on_progress=on_progress)
    return _transferred(_unique_name(outcome) or remote, outcome)


async def _send(
    session: Session, verb: str, local: LocalPath | BinaryIO, remote: str, *, text: bool, on_progress: Progress | None
) -> Outcome:
    """A transfer that must not be made twice: what failed may have left something, in a place that is not known."""
    check_paths(remote)
    representation = _representation(session, text=text)
    source = SourceFile(local)
    flow = Outflow(source, representation, progress=on_progress)

    async def attempt() -> Outcome:
        await session.represent(representation)
        return await session.transfer(verb, remote, flow)

    try:
        return await persist(session, attempt, worth=lambda error: put_off(error) and not flow.moved)
    finally:
        source.close()


def _representation(session: Session, *, text: bool, resume: bool = False, verify: bool = False) -> Representation:
    if text and resume:
        message = "a text transfer cannot be resumed: its offsets count line ends as the network has them"
        raise ValueError(message)
    if text and verify:
        message = "a text transfer cannot be verified: the two files may differ in their line ends"
        raise ValueError(message)
    settings = session.settings
    representation = Representation("A" if text else "I", "N", settings.structure, settings.transmission)
    if (resume or verify) and not is_identity(representation):
        message = "only files as a stream (structure F, transmission S) can be resumed and verified"
        raise ValueError(message)
    return representation


async def _download_offset(session: Session, remote: str, kept: os.stat_result | None, total: int | None) -> int:
    """How much of an earlier download still counts: none of it when the file was changed since."""
    if kept is None or not kept.st_size or (total is not None and kept.st_size > total):
        return 0
    changed = await mtime(session, remote)
    if changed is not None and changed > datetime.fromtimestamp(kept.st_mtime, UTC):
        return 0
    return kept.st_size


async def _upload_offset(session: Session, remote: str, source: SourceFile) -> int:
    """How much of an earlier upload still counts: none of it when the local file was changed since."""
    there = await size(session, remote)
    if not there or source.size is None or there > source.size:
        return 0
    stored = await mtime(session, remote)
    if stored is not None and source.modified is not None and source.modified.replace(microsecond=0) > stored:
        return 0
    return there


async def check_stored(session: Session, remote: str, outcome: Outcome) -> None:
    """Raises TransferError when a file that was gone on with has another size than both parts together."""
    there = await size(session, remote)
    if there is not None and there != outcome.offset + outcome.size:
        message = (
            f"{remote} has {there} bytes on the server instead of {outcome.offset + outcome.size} after resuming; "
            "upload it again without resume"
        )
        raise TransferError(message, transferred=outcome.size, reply=outcome.reply)


def whole(remote: str, outcome: Outcome, total: int | None) -> Transferred:
    """Raises TransferError when less came than SIZE promised (RFC 959 section 3.4.1: MODE S cannot tell)."""
    if total is not None and outcome.offset + outcome.size < total:
        message = f"{remote} is cut short: {outcome.offset + outcome.size} of {total} bytes came; try to resume"
        raise TransferError(message, transferred=outcome.size, reply=outcome.reply, cause=Cause.DATA_CUT)
    return _transferred(remote, outcome)


def _transferred(remote: str, outcome: Outcome) -> Transferred:
    result = Transferred(remote, outcome.size, outcome.offset, outcome.seconds, outcome.mode, outcome.tls_resumed)
    return result._replace(marks=outcome.marks) if outcome.marks else result


def _unique_name(outcome: Outcome) -> str | None:
    """The name in ``150 FILE: name`` (RFC 1123 section 4.1.2.9), which some servers tell in the final reply."""
    for reply in (outcome.opening, outcome.reply):
        match = _UNIQUE_NAME.search(reply.text) if reply is not None else None
        if match is not None:
            return match[1].strip()
    return None
