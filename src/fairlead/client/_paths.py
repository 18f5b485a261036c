"""What a path does beyond single commands: pathlib's ways with directories, files and what is in them."""

from __future__ import annotations

import errno
import io
from datetime import UTC, datetime

from fairlead.client import _files, _glob, _namespace
from fairlead.client._core import Session
from fairlead.client._facts import exists, is_dir
from fairlead.client._listing import scandir
from fairlead.client._times import set_mtime
from fairlead.client._walk import makedirs
from fairlead.errors import PermanentError


async def mkdir(session: Session, path: str, *, parents: bool, exist_ok: bool) -> None:
    """Make a directory, with those on the way to it if ``parents``."""
    if parents:
        await makedirs(session, path, exist_ok=exist_ok)
        return
    try:
        await _namespace.mkdir(session, path)
    except PermanentError:
        if not exist_ok or not await is_dir(session, path):
            raise


async def unlink(session: Session, path: str, *, missing_ok: bool) -> None:
    """Remove a file, which need not be there if ``missing_ok``."""
    try:
        await _namespace.remove(session, path)
    except PermanentError:
        if not missing_ok or await exists(session, path):
            raise


async def touch(session: Session, path: str, *, exist_ok: bool) -> None:
    """Make an empty file, or give the one that is there the present time as far as the server can."""
    if not await exists(session, path):
        await _files.append(session, io.BytesIO(), path, text=False, on_progress=None)
    elif exist_ok:
        await set_mtime(session, path, datetime.now(UTC))
    else:
        raise FileExistsError(errno.EEXIST, "the server has such a file", path)


async def children(session: Session, path: str) -> list[str]:
    """The names in a directory; none of them leads elsewhere."""
    return [entry.name for entry in await scandir(session, path) if "/" not in entry.name]


async def glob(session: Session, path: str, pattern: str) -> list[str]:
    """The paths below ``path`` that match ``pattern``, a leading dot being a character like any other.

    Raises ValueError for a pattern that is absolute or empty.
    """
    if not pattern or pattern.startswith("/"):
        message = f"{pattern!r} is no pattern for what lies below a directory"
        raise ValueError(message)
    return [entry.name for entry in await _glob.glob(session, pattern, within=path, hidden=True)]


async def read_bytes(session: Session, path: str) -> bytes:
    """The octets of a file."""
    octets = io.BytesIO()
    await _files.download(session, path, octets, resume=False, text=False, verify=False, times=False, on_progress=None)
    return octets.getvalue()


async def write_bytes(session: Session, path: str, octets: bytes) -> int:
    """Store ``octets``; returns how many."""
    source = io.BytesIO(octets)
    await _files.upload(session, source, path, resume=False, text=False, verify=False, times=False, on_progress=None)
    return len(octets)


async def read_text(session: Session, path: str, encoding: str | None, errors: str | None) -> str:
    """The text of a file, whatever ends its lines."""
    octets = io.BytesIO(await read_bytes(session, path))
    return io.TextIOWrapper(octets, encoding or "utf-8", errors).read()


async def write_text(
    session: Session, path: str, text: str, encoding: str | None, errors: str | None, newline: str | None
) -> int:
    """Store ``text``; returns its characters."""
    octets = io.BytesIO()
    with io.TextIOWrapper(octets, encoding or "utf-8", errors, newline) as file:
        file.write(text)
        file.flush()
        await write_bytes(session, path, octets.getvalue())
    return len(text)
