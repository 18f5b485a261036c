"""Directories and names: CWD, CDUP, PWD, MKD, RMD, DELE, RNFR and RNTO, and any command by hand."""

from __future__ import annotations

from fairlead.client._core import Session, check_paths
from fairlead.client._retry import once, repeatable
from fairlead.errors import ArgumentError
from fairlead.proto.path import unquote_257
from fairlead.proto.reply import Reply

_CHANGES_PROTECTION = {"AUTH", "CCC", "PROT"}
_CHANGES_TYPE = {"TYPE", "REIN", "USER"}
_CHANGES_FRAMING = {"STRU", "MODE"}
_CHANGES_USER = {"ACCT", "HOST", "PASS", "REIN", "USER"}


async def command(session: Session, verb: str, argument: str) -> Reply:
    """Any command without a data connection; its reply whatever the code.

    Raises ArgumentError for one that would begin or end TLS: both ends have to do that together.
    """
    protected = session.control.protection or session.control.data_protection
    if verb.upper() in _CHANGES_PROTECTION or (verb.upper() == "REIN" and protected is not None):
        message = f"{verb.upper()} would begin or end TLS; that is done by the setting tls when connecting"
        raise ArgumentError(message)
    session.foreign = session.foreign or verb.upper() in _CHANGES_USER
    try:
        return await session.control.command(verb, argument)
    finally:
        if verb.upper() == "REIN":
            session.control.host_told = False
        if verb.upper() in _CHANGES_TYPE:
            session.forget_type()
        if verb.upper() in _CHANGES_FRAMING:
            session.forget_framing()


@repeatable
async def cwd(session: Session, path: str) -> None:
    """CWD, and CDUP for ``..``."""
    await (session.ask("CDUP") if path == ".." else session.ask("CWD", path))


@repeatable
async def pwd(session: Session) -> str:
    """PWD."""
    return unquote_257((await session.ask("PWD")).text)


async def absolute(session: Session, path: str) -> str:
    """``path`` as it is called in another session, which begins where the login of this one led."""
    if path.startswith("/") or not session.strayed:
        return path
    return f"{(await pwd(session)).rstrip('/')}/{path}"


@once
async def mkdir(session: Session, path: str) -> str:
    """MKD; the path as the server names it where that can be the one that was asked for, else as given."""
    named = unquote_257((await session.ask("MKD", path)).text)
    return named if named.endswith(path) else path


@once
async def rmdir(session: Session, path: str) -> None:
    """RMD."""
    await session.ask("RMD", path)


@once
async def remove(session: Session, path: str) -> None:
    """DELE."""
    await session.ask("DELE", path)


@once
async def rename(session: Session, source: str, target: str) -> None:
    """RNFR and RNTO."""
    check_paths(source, target)
    await session.ask("RNFR", source)
    await session.ask("RNTO", target)
