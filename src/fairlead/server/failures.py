"""Exceptions to replies: the one place where a failure is given its code (conformance: error-code choice)."""

from __future__ import annotations

from fairlead.errors import (
    AlreadyExists,
    ArgumentError,
    Busy,
    DataConnectionError,
    Denied,
    FairleadError,
    FamilyError,
    InvalidName,
    IsADirectory,
    LimitError,
    MismatchError,
    NoSpace,
    NotADirectory,
    NotEmpty,
    NotFound,
    OffsetError,
    PageTypeError,
    PathError,
    ProtocolError,
    StorageFault,
    TlsError,
    TruncatedError,
    UnsupportedError,
)
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.record import Record


class AbortedError(FairleadError):
    """The transfer was stopped by ABOR or by the end of the session."""


class PolicyError(FairleadError):
    """What is asked for is more than the server is set to do for anybody."""


class NoDescriptor(FairleadError):
    """The system gives this process no further descriptor."""


class Codes(Record):
    """The codes of one failure: before the 1yz reply and after it."""

    before: int
    after: int


CODES: dict[type[Exception], Codes] = {
    NotFound: Codes(550, 451),
    NotADirectory: Codes(550, 451),
    IsADirectory: Codes(550, 451),
    AlreadyExists: Codes(550, 451),
    NotEmpty: Codes(550, 451),
    Denied: Codes(550, 451),
    InvalidName: Codes(550, 451),
    Busy: Codes(450, 451),
    NoSpace: Codes(452, 552),
    OffsetError: Codes(554, 451),
    StorageFault: Codes(450, 451),
    PathError: Codes(501, 501),
    ArgumentError: Codes(501, 501),
    UnsupportedError: Codes(504, 504),
    FamilyError: Codes(522, 522),
    MismatchError: Codes(555, 451),
    PageTypeError: Codes(551, 551),
    TruncatedError: Codes(426, 426),
    LimitError: Codes(450, 451),
    TlsError: Codes(451, 535),
    ProtocolError: Codes(451, 451),
    AbortedError: Codes(426, 426),
    PolicyError: Codes(556, 556),
    NoDescriptor: Codes(425, 425),
}

NAME_REFUSED = frozenset({NotFound, NotADirectory, IsADirectory, AlreadyExists, NotEmpty, Denied, InvalidName})
"""Failures that, for a command that names a file to be made, mean "file name not allowed" (553)."""
NAMING = frozenset({"STOR", "STOU", "APPE", "RNTO"})
LISTING = frozenset({"LIST", "NLST", "STAT"})
"""For these RFC 959 section 5.4 knows only 450 where the path cannot be listed."""

OWN: dict[tuple[str, type[Exception]], int] = {
    ("HASH", Denied): 552,
    ("HASH", IsADirectory): 553,
    ("HASH", OffsetError): 551,
    **{(verb, OffsetError): 550 for verb in ("XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512")},
    **{(verb, IsADirectory): 504 for verb in ("MD5", "MMD5")},
    **{(verb, PolicyError): 550 for verb in ("MD5", "MMD5")},
}
"""Codes that the document of a command chooses for it alone, before any 1yz reply."""

NOT_OPENED = frozenset(
    {
        Cause.PASSIVE_DROPPED,
        Cause.PASSIVE_PRIVATE_ADDRESS,
        Cause.PASSIVE_EXHAUSTED,
        Cause.ACTIVE_DROPPED,
        Cause.ACTIVE_REJECTED,
        Cause.ACTIVE_PRIVATE_ADDRESS,
        Cause.DATA_PEER_REFUSED,
        Cause.REFUSED_BY_POLICY,
    }
)
"""Causes for which the data connection was never made (425); for the others it was lost (426)."""
CALLS = frozenset({"PORT", "EPRT", "LPRT"})
"""Commands that name the place of a data connection, for which there is no call to fail yet (RFC 959 section 5.4)."""
NOT_PROTECTED = frozenset({Cause.DATA_TLS_FAILED, Cause.DATA_TLS_NOT_RESUMED})
"""Causes for which its TLS was not agreed on or is not acceptable (RFC 4217 section 10.2)."""


def code_for(error: Exception, verb: str, *, started: bool) -> int:
    """The code that answers ``error`` in the command ``verb``; ``started`` says whether its 1yz reply was sent."""
    if isinstance(error, DataConnectionError):
        if verb in CALLS:
            return 504
        return 425 if error.cause in NOT_OPENED else 522 if error.cause in NOT_PROTECTED else 426
    for kind in type(error).__mro__:
        codes = CODES.get(kind)
        if codes is None:
            continue
        if started:
            return codes.after
        if (verb, kind) in OWN:
            return OWN[verb, kind]
        if kind in NAME_REFUSED and verb in NAMING:
            return 553
        if codes.before == 550 and verb in LISTING:
            return 450
        return codes.before
    return 451


def cause_of(error: Exception) -> str:
    """What logs and metrics name as the cause of ``error``."""
    if isinstance(error, DataConnectionError):
        return error.cause
    if isinstance(error, TlsError):
        return Cause.DATA_TLS_FAILED
    if isinstance(error, TruncatedError):
        return Cause.DATA_CUT
    if isinstance(error, NoDescriptor):
        return "descriptors"
    return "aborted" if isinstance(error, AbortedError) else "storage"


def reply_for(error: Exception, verb: str, *, started: bool = False) -> Reply:
    """The reply that answers ``error``; an exception that nobody foresaw becomes 451 and tells nothing of itself."""
    code = code_for(error, verb, started=started)
    if not isinstance(error, FairleadError):
        return Reply(code, "The server failed; the fault was recorded.")
    text = str(error)
    return Reply(code, text if text.endswith((".", ")")) else text + ".")
