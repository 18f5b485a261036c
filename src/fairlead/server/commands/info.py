"""About the server and the session: SYST, HELP, FEAT, OPTS, STAT, NOOP, CLNT, CSID, ABOR (RFC 959, RFC 2389)."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from fairlead import __version__
from fairlead.errors import ArgumentError
from fairlead.proto.reply import Reply
from fairlead.server.registry import COMMANDS, NOT_IMPLEMENTED, OPTIONS, SITE, Argument, Urgency, command, option

if TYPE_CHECKING:
    from fairlead.server.session import Session

DONE = Reply(200, "NOOP ok.")
ABORTED = Reply(226, "Nothing is being transferred now.")
IDENTITY = r"(?i:Name)=[^;]*(?:; *[A-Za-z]+=[^;]*)*;? *"
LOOKS_LIKE_REPLY = rb"(?m)^([0-9]{3})"
PER_LINE = 8


@command("NOOP", login=False, urgency=Urgency.ANSWERED, keeps_restart=True, keeps_order=True)
def no_operation(_session: Session, _: str) -> Reply:
    """Do nothing."""
    return DONE


@command("SYST", login=False)
def system(_session: Session, _: str) -> Reply:
    """The system's assigned name; the format of LIST is what clients conclude from it."""
    return Reply(215, "UNIX Type: L8")


@command("CLNT", syntax="name", argument=Argument.REQUIRED, login=False, feature="CLNT")
def client_name(_session: Session, _: str) -> Reply:
    """Take note of the client's name."""
    return Reply(200, "Noted.")


@command(
    "CSID", syntax="Name=...; Version=...;", argument=Argument.REQUIRED, login=False, feature="CSID Name; Version;"
)  # fmt: skip
def client_and_server(_session: Session, argument: str) -> Reply:
    """Take note of the client's name, and tell the server's (draft-peterson-streamlined-ftp-command-extensions)."""
    import platform

    if re.fullmatch(IDENTITY, argument) is None:
        raise ArgumentError("CSID takes Name=...; Version=...;")
    return Reply(200, f"Name=Fairlead; Version={__version__}; OS={platform.system()}; CaseSensitive=1; DirSep=/;")


@command("ABOR", urgency=Urgency.STOPS, login=False)
def abort(session: Session, _: str) -> Reply:
    """End the transfer, which has been answered with 426, and close a listener (RFC 959 section 4.1.3).

    What PORT or EPRT set stays, until another such command changes it (section 4.1.2).
    """
    if session.port is not None and not session.port.sticky:
        session.use_port(session.port.base)
    return ABORTED


@command("HELP", syntax="[command]", argument=Argument.OPTIONAL, login=False, urgency=Urgency.NONE, keeps_order=True)
def help_text(session: Session, topic: str) -> Reply | Coroutine[Any, Any, Reply]:
    """List the commands, or explain one."""
    if not topic:
        return Reply(214, "The commands, * not implemented:", *_table(), "HELP with a command explains it.")
    verb, _, rest = topic.upper().partition(" ")
    if verb == "SITE":
        return SITE["HELP"].handler(session, "")
    spec = COMMANDS.get(verb)
    if spec is None or rest:
        return Reply(502, f"There is no help on {topic[:40]}.")
    usage = f"{verb} {spec.syntax}".rstrip()
    return Reply(214, f"Syntax: {usage}", (spec.handler.__doc__ or "").partition("\n")[0])


def _table() -> Iterator[str]:
    verbs = sorted([*COMMANDS, *(f"{verb}*" for verb in NOT_IMPLEMENTED)])
    for first in range(0, len(verbs), PER_LINE):
        yield " " + "".join(f"{verb:<9}" for verb in verbs[first : first + PER_LINE]).rstrip()


@command("FEAT", login=False)
def features(session: Session, _: str) -> Reply:
    """List the extensions, as they are now (RFC 2389 section 3)."""
    lines = [spec.feature if isinstance(spec.feature, str) else spec.feature(session) for spec in COMMANDS.values()]
    return Reply(211, "Extensions:", *sorted(f" {line}" for line in (*lines, "TVFS", "UTF8") if line), "End.")


@command("OPTS", syntax="command [options]", argument=Argument.REQUIRED, login=False)
def options(session: Session, argument: str) -> Reply:
    """Set an option of a command (RFC 2389 section 4)."""
    name, _, rest = argument.partition(" ")
    chosen = OPTIONS.get(name.upper())
    if chosen is None:
        return Reply(501, f"OPTS {name[:20]} is not known.")
    return chosen(session, rest)


def _utf8(_: Session, argument: str) -> Reply:
    if argument.upper() in {"", "ON"}:
        return Reply(200, "Names are UTF-8, always.")
    return Reply(501, "Names are UTF-8 and cannot be otherwise.")


option("UTF8")(_utf8)
option("UTF-8")(_utf8)


@command("STAT", syntax="[path]", argument=Argument.OPTIONAL, login=False, urgency=Urgency.ANSWERED, keeps_order=True)
def status(session: Session, argument: str) -> Reply | Coroutine[Any, Any, Reply]:
    """The state of the session, the progress of a transfer, or a listing on the control connection."""
    if not argument:
        return Reply(211, "Status:", *(f" {line}" for line in _state(session)), "End of status.")
    if session.account is None:
        return Reply(530, "Please log in with USER and PASS.")
    return _list_here(session, argument)


def _state(session: Session) -> Iterator[str]:
    kind, form, structure, mode, size = session.representation
    yield f"Connected from {session.peer[0]} port {session.peer[1]} to {session.local[0]} port {session.local[1]}"
    yield f"Logged in as {session.user}" if session.account is not None else "Not logged in"
    parameter = {"A": f" {form}", "E": f" {form}", "L": f" {size}"}.get(kind, "")
    yield f"TYPE: {kind}{parameter}; STRU: {structure}; MODE: {mode}"
    transfer = session.transfer
    if transfer is not None:
        verb, path = transfer.verb, transfer.path
        if transfer.total is None:
            yield f"{verb} of {path}: {transfer.moved} octets so far"
        else:
            yield f"{verb} of {path}: {transfer.moved} of {transfer.total} octets so far"
    elif session.port is not None:
        yield session.port.describe()
    else:
        yield "No data connection"


async def _list_here(session: Session, argument: str) -> Reply:
    from fairlead.server.tree import list_argument

    listing = await session.server.in_thread(list_argument, session, argument)
    assert listing is not None
    code = 212 if listing.directory else 213
    control = session.reply_to
    opening = control.encoded(Reply(code, f"Status of {argument}:", ""))
    control.send_octets(opening.partition(b"\n")[0] + b"\n")
    try:
        while (lines := await session.server.in_thread(next, listing.chunks, None)) is not None:
            control.send_octets(_inner(lines))
            await control.drained()
    except Exception as error:  # noqa: BLE001 - the reply has begun: whatever happens, it must end with its own code
        return Reply(code, f"The listing broke off: {session.server.answer(session, error, 'STAT').text}")
    return Reply(code, "End of status.")


def _inner(lines: bytes) -> bytes:
    """Lines for the inside of a multi-line reply: no line looks like a reply's own (RFC 959 section 4.2)."""
    return re.sub(LOOKS_LIKE_REPLY, rb" \1", lines.replace(b"\xff", b"\xff\xff"))
