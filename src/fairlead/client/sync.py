"""The blocking client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from io import BufferedReader, BufferedWriter, TextIOWrapper
from os import PathLike
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Concatenate, ParamSpec, Self, TypeVar, Unpack, overload

from fairlead.client import _core, _listing, _namespace, _retry
from fairlead.client._deferred import Deferred
from fairlead.client._face import Face, exclusively, session_of
from fairlead.client._wires.blocking import BlockingWire, step

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.client import _checksum, _facts, _files, _glob, _times, _walk
    from fairlead.client._checksum import Checksum
    from fairlead.client._copy import Copied
    from fairlead.client._files import Transferred
    from fairlead.client._flow import Progress
    from fairlead.client._local import LocalPath, Writable
    from fairlead.client._opened import Opens, ReadsOctets, ReadsText, WritesOctets, WritesText
    from fairlead.client._walk import Directory
    from fairlead.client._wires.tunnelled import TunnelledWire
    from fairlead.client.mirror.direction import Choices
    from fairlead.client.mirror.run import Listener, Mirrored
    from fairlead.client.path import FtpPath, RemotePath
    from fairlead.client.proxy import Tunnel
    from fairlead.errors import ReplyError
    from fairlead.proto.entry import Entry, Kind
    from fairlead.proto.reply import Reply
else:
    _checksum, _facts, _files, _glob, _times, _walk = map(
        Deferred, ("_checksum", "_facts", "_files", "_glob", "_times", "_walk")
    )

P = ParamSpec("P")
T = TypeVar("T")


class Client(Face):
    """The blocking client; its arguments are those of :class:`fairlead.client._face.Face`.

    As a context manager it connects and logs in, and closes the session at the end::

        with Client("ftp://me@host") as ftp:
            for entry in ftp.scandir("/docs"):
                print(entry.name, entry.size)

    Every method but :meth:`close` raises SessionLost when the session ended, DeadlineError when the server does not
    answer in time, TransientError on 4yz and PermanentError on 5yz, and ArgumentError, with nothing sent, when a path
    holds a line end or NUL. After SessionLost and DeadlineError, :meth:`connect` and :meth:`login` begin anew.
    """

    def __enter__(self) -> Self:
        self.connect()
        try:
            self.login()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> Reply:
        """Connect to the first address that answers; returns the greeting. Raises ConnectError."""
        return self._run(_retry.connect)

    def login(self) -> Reply:
        """USER, PASS, ACCT as the server asks, then FEAT, then the URL's directory. Raises LoginError."""
        return self._run(_core.Session.login)

    def close(self) -> None:
        """QUIT, and close; harmless when there is no session. An operation under way elsewhere raises SessionLost."""
        return step(self._session.close())

    def command(self, verb: str, argument: str = "") -> Reply:
        """Send any command that needs no data connection; returns its reply whatever the code (RFC 1123 4.1.4.2)."""
        return self._run(_namespace.command, verb, argument)

    def cwd(self, path: str) -> None:
        """Change the working directory; ``..`` is its parent."""
        return self._run(_namespace.cwd, path)

    def pwd(self) -> str:
        """The working directory."""
        return self._run(_namespace.pwd)

    def mkdir(self, path: str) -> str:
        """Make a directory; returns its path as the server names it."""
        return self._run(_namespace.mkdir, path)

    def makedirs(self, path: str, *, exist_ok: bool = False) -> None:
        """Make a directory and those on the way to it that are missing.

        That ``path`` is a directory already is no failure with ``exist_ok``, and is the server's refusal without.
        """
        return self._run(_walk.makedirs, path, exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        return self._run(_namespace.rmdir, path)

    def rmtree(self, path: str, *, on_removed: Callable[[str, Kind], None] | None = None) -> None:
        """Remove a directory with all that it holds; links are removed, not followed.

        Servers may show a link as the directory that it leads to, so DELE is tried before a directory is entered.
        ``on_removed(path, kind)`` is called after each thing that is gone. What cannot be removed ends it. Raises
        as :meth:`scandir` does, UnsafeName for a name that would lead out of its directory, and LimitError for what
        looks like a loop.
        """
        return self._run(_walk.rmtree, path, on_removed)

    def remove(self, path: str) -> None:
        """Remove a file."""
        return self._run(_namespace.remove, path)

    def rename(self, source: str, target: str) -> None:
        """Rename a file or directory; whether an existing ``target`` is replaced is the server's choice."""
        return self._run(_namespace.rename, source, target)

    def size(self, path: str) -> int | None:
        """Octets of a file (SIZE under TYPE I); None when the server does not tell, be the file there or not."""
        return self._run(_facts.size, path)

    def mtime(self, path: str) -> datetime | None:
        """When a file was last changed, in UTC (MDTM); None when the server does not tell."""
        return self._run(_facts.mtime, path)

    def set_mtime(self, path: str, when: datetime) -> datetime | None:
        """Set when a file was last changed; returns the time it has now, in UTC, None when the server has no way to.

        MFMT or MFF where FEAT shows them, else MDTM with a time and SITE UTIME are tried, and MDTM shows whether one
        of them served. Seconds are not divided. Raises ReplyError when MFMT or MFF is refused.
        """
        return self._run(_times.set_mtime, path, when)

    def checksum(self, path: str) -> Checksum | None:
        """A file's digest, computed by the server: HASH, else XSHA256, XSHA512, XSHA1, XMD5 or XCRC, as FEAT shows.

        None when the server does not tell, be the file there or not.
        """
        return self._run(_checksum.checksum, path)

    def stat(self, path: str = "") -> Entry:
        """The facts of one file or directory: MLST (RFC 3659 section 7), else what the listing around it shows.

        Raises NoSuchName where that does not show it.
        """
        return self._run(_facts.stat, path)

    def exists(self, path: str) -> bool:
        """Whether the server shows anything of that name. Raises as :meth:`stat` does where it does not tell."""
        return self._run(_facts.exists, path)

    def is_dir(self, path: str) -> bool:
        """Whether ``path`` is a directory, or a link to one."""
        return self._run(_facts.is_dir, path)

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a file, or a link to one whose SIZE the server tells."""
        return self._run(_facts.is_file, path)

    def scandir(self, path: str = "") -> list[Entry]:
        """The entries of a directory, without itself and its parent: MLSD where the server has it, else LIST.

        Raises DataConnectionError, TransferError, and LimitError for a listing beyond all measure.
        """
        return self._run(_listing.scandir, path)

    def machine_listing(self, path: str = "") -> bytes | None:
        """The listing of a directory as it came by MLSD (RFC 3659 section 7), for those who read it themselves.

        None where the server has no MLSD. Raises as :meth:`scandir` does.
        """
        return self._run(_listing.machine_listing, path)

    def walk(self, path: str = "", *, on_error: Callable[[ReplyError], None] | None = None) -> Iterator[Directory]:
        """Every directory from ``path`` downwards, each before those that it holds, as ``os.walk`` gives them.

        A directory's ``path`` begins with what was given, ``directories`` and ``others`` are its entries. What is
        taken out of ``directories`` is not walked through; the session is free for other commands meanwhile. Links
        that the server shows as such are not followed. Names that would lead elsewhere are left out, and so is a
        directory that its ``unique`` fact shows to be one of those above. A directory that the server does not list
        ends the walk, or goes to ``on_error`` where that is given. Raises as :meth:`scandir` does, and LimitError
        beyond 100 directories within one another.
        """
        return self._iterate(_walk.walk(self._session, path, on_error))

    def glob(self, pattern: str) -> list[Entry]:
        """The entries whose paths match ``pattern``: ``*``, ``?`` and ``[a-z]`` within the names between slashes.

        ``**`` between slashes is any number of directories, none included. Their ``name`` is the path, as the pattern
        has it. Names that begin with a dot match only where a dot stands. Raises as :meth:`scandir` does.
        """
        return self._run(_glob.glob, pattern)

    def names(self, path: str = "") -> list[str]:
        """The names in a directory, as NLST gives them. Raises DataConnectionError, TransferError."""
        return self._run(_listing.names, path)

    def download(
        self,
        remote: str,
        local: LocalPath | Writable,
        *,
        resume: bool = False,
        text: bool = False,
        verify: bool = False,
        times: bool = False,
        parallel: int = 1,
        expected: int | None = None,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """Fetch a file (RETR).

        A ``local`` directory gets the file under its own name, which leads nowhere else (else UnsafeName is raised).
        A named ``local`` file is written as ``local.part`` and takes its name once everything is here; ``resume`` goes
        on from such a part (or from a shorter ``local``) unless the file changed on the server since. Anything with a
        ``write`` for bytes will do as well. ``text`` transfers under TYPE A, line ends converted.
        ``verify`` holds what came against the server's HASH, else an X checksum, else SIZE (which is all that a stream
        is held against); ``times`` gives the file the time that it has on the server.
        With ``parallel`` above 1 a long file comes in up to so many segments at once, each in a session of its own
        beside this one, as ``local.parts``, if the server can begin within a file (REST) and takes further sessions.
        ``expected`` is how many octets a listing told (MLSD; LIST may count blocks), which spares the server that
        question; where fewer come, the file is taken for cut, and another attempt asks after all.
        ``on_progress(done, total)`` is called as octets arrive; ``total`` is None where it is unknown.
        Raises DataConnectionError, TransferError (also when fewer octets came than SIZE promised), and OSError from
        the local file.
        """
        if parallel > 1 and not text and isinstance(local, str | PathLike):
            from fairlead.client._wires.portal import enter
            from fairlead.client.segments.fetch import fetch

            place = self._run(_namespace.absolute, remote)
            fetched = enter(
                lambda: fetch(
                    self,
                    place,
                    local,
                    parallel=parallel,
                    resume=resume,
                    verify=verify,
                    times=times,
                    on_progress=on_progress,
                )
            )
            if fetched is not None:
                return fetched
        return self._run(
            _files.download,
            remote,
            local,
            resume=resume,
            text=text,
            verify=verify,
            times=times,
            expected=expected,
            on_progress=on_progress,
        )

    def upload(
        self,
        local: LocalPath | BinaryIO,
        remote: str,
        *,
        resume: bool = False,
        text: bool = False,
        verify: bool = False,
        times: bool = False,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """Store a file (STOR), replacing what ``remote`` was.

        ``resume`` goes on from what the server has, unless the local file changed since. A binary file object is sent
        from where it stands. ``verify`` is as in :meth:`download`; ``times`` gives the file on the server the time of
        the local one, where the server can (the result's ``modified`` tells). Raises DataConnectionError,
        TransferError, and OSError from the local file.
        """
        return self._run(
            _files.upload, local, remote, resume=resume, text=text, verify=verify, times=times, on_progress=on_progress
        )

    def append(
        self,
        local: LocalPath | BinaryIO,
        remote: str,
        *,
        text: bool = False,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """Add to the end of a file on the server (APPE). Raises as :meth:`upload` does."""
        return self._run(_files.append, local, remote, text=text, on_progress=on_progress)

    def upload_unique(
        self,
        local: LocalPath | BinaryIO,
        remote: str = "",
        *,
        text: bool = False,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """Store under a name that the server makes (STOU, ``remote`` may suggest one); it is in the result's ``path``.

        Raises as :meth:`upload` does.
        """
        return self._run(_files.upload_unique, local, remote, text=text, on_progress=on_progress)

    @overload
    def open(self, path: str, mode: ReadsOctets, **options: Unpack[Opens]) -> BufferedReader: ...
    @overload
    def open(self, path: str, mode: WritesOctets, **options: Unpack[Opens]) -> BufferedWriter: ...
    @overload
    def open(self, path: str, mode: ReadsText | WritesText = "r", **options: Unpack[Opens]) -> TextIOWrapper[Any]: ...
    @overload
    def open(self, path: str, mode: str, **options: Unpack[Opens]) -> IO[Any]: ...

    def open(
        self,
        path: str,
        mode: str = "r",
        *,
        offset: int = 0,
        atomic: bool = False,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A file of the server's as a buffered file object, for reading, or for writing by one STOR or APPE.

        ``mode`` is that of the built-in ``open``: one of ``r``, ``w``, ``x`` (which must not be there yet) and ``a``,
        and ``b`` for bytes; text is UTF-8 unless ``encoding`` says otherwise, and octets go over as they are (TYPE I).
        Reading or writing begins at ``offset``. What is read can seek, and ``REST`` asks for what is read there. With
        ``atomic`` the file has another name until it is whole.

        Until a file that is read is at its end or closed, and one that is written is closed, nothing else can be done
        in the session: that raises RuntimeError. Closing early breaks the transfer off. An exception in the ``with``
        block of a file that is written does so too, so that the server does not take what it has for the whole.

        Raises ReplyError where the server refuses, DataConnectionError, FileExistsError for ``x``, ValueError for
        another mode. Reading raises TransferError where data ends before the file does, writing where the server takes
        no more, and closing what was written where the server does not have it all.
        """
        options = {"encoding": encoding, "errors": errors, "newline": newline}
        from fairlead.client import file

        return file.opened(self._session, self._hold, path, mode, offset=offset, atomic=atomic, **options)

    def stream(self, path: str, *, offset: int = 0) -> Iterator[bytes]:
        """A file's octets from ``offset`` on, in pieces as they arrive; leaving the loop early breaks it off.

        Raises as reading from :meth:`open` does.
        """
        from fairlead.client import file

        return file.pieces(self._session, self._hold, path, offset)

    def path(self, *segments: str | RemotePath) -> FtpPath:
        """A path on the server with the habits of :class:`pathlib.Path`; the working directory without ``segments``."""
        from fairlead.client.path import FtpPath

        return FtpPath(self, self._run, *segments)

    def copy(self, source: str, other: Face, target: str, *, on_progress: Progress | None = None) -> Copied:
        """Copy the file ``source`` to ``target`` on the server of ``other``, a client that has logged in.

        One server calls the other, and the data does not come through here; where they refuse, or one of them does not
        begin within ``connect_timeout``, it does after all: the result's ``detour`` says why, and ``on_progress`` is
        called then. While both servers are at work there is no deadline: nobody tells how far they are. Raises
        ReplyError where a file cannot be read or written, TransferError, DataConnectionError.
        """
        from fairlead.client import _copy

        return self._run(_copy.copy, source, session_of(other), target, on_progress=on_progress)

    def mirror(
        self,
        remote: str,
        local: LocalPath,
        *,
        upload: bool = False,
        parallel: int = 4,
        dry_run: bool = False,
        listener: Listener | None = None,
        **choices: Unpack[Choices],
    ) -> Mirrored:
        """Make the directory ``local`` like ``remote``, or the other way round for ``upload``.

        Files that differ in size or time are copied, ``parallel`` at a time, each in a session of its own beside this
        one, and get the times of their originals. What is not whole yet has another name; whoever is stopped goes on
        from there when called again. ``choices`` are the fields of :class:`fairlead.client.mirror.direction.Options`:
        ``delete``, ``newer``, ``wanted``, ``prune``, ``follow_links``, ``verify``, ``times``, ``in_place``.
        ``dry_run`` only draws up the plan. ``listener`` hears of each step (:mod:`fairlead.client.mirror.run`).

        Nothing outside of the target is ever written, whatever names the server makes up and links stand here; nothing
        is removed unless all of the source could be listed and copied. What failed for one file is told in the
        result's ``troubles``. Raises NoSuchName where there is no source, ConnectError, LoginError,
        DataConnectionError, ReplyError and OSError for what concerns all of it (no room, above all).
        """
        from fairlead.client._wires.portal import enter
        from fairlead.client.mirror.run import mirror

        return enter(
            lambda: mirror(
                self, remote, local, choices, upload=upload, parallel=parallel, dry_run=dry_run, listener=listener
            )
        )

    def _hold(self, operation: Coroutine[Any, Any, T], holder: _core.Holder | None = None, /) -> T:
        """Run a part of what lasts longer, an open file."""
        return step(exclusively(self._session, operation, holder))

    def _make_wire(self) -> BlockingWire:
        return BlockingWire()

    def _make_tunnelled(self, tunnel: Tunnel, timeout: float) -> TunnelledWire:
        from fairlead.client._wires.tunnelled import TunnelledWire

        return TunnelledWire(self._make_wire(), tunnel, timeout=timeout)

    def _run(
        self,
        operation: Callable[Concatenate[_core.Session, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        session = self._session
        session.claim()
        try:
            return step(operation(session, *args, **kwargs))
        finally:
            session.busy = False

    def _iterate(self, steps: AsyncIterator[T]) -> Iterator[T]:
        """What ``steps`` gives; the session is busy during each step, and free between two of them."""
        while (item := step(exclusively(self._session, anext(steps, None)))) is not None:
            yield item
