"""Every exception Fairlead raises on purpose, under one root.

::

    FairleadError
    ├── ProtocolError             what came over the wire is not FTP
    │   ├── ArgumentError         a command's argument is malformed            (501)
    │   ├── UnsupportedError      well-formed, but not served here             (504)
    │   ├── FamilyError           network protocol not supported               (522)
    │   ├── TruncatedError        the data ended before its own end mark
    │   ├── MismatchError         the file does not fit the type or structure  (555)
    │   ├── PageTypeError         a page of a type that is not known           (551)
    │   ├── LimitError            a peer sent more than the limit allows
    │   └── TlsError              TLS failed: no agreement, an alert, a damaged record
    │       └── CertificateError  the peer's certificate is not accepted
    ├── PathError                 a path that can name nothing (NUL, CR LF)
    ├── StorageError              the store refused or failed
    │   ├── NotFound              no such file or directory
    │   ├── AlreadyExists         the name is taken
    │   ├── IsADirectory          a file was needed
    │   ├── NotADirectory         a directory was needed
    │   ├── NotEmpty              the directory has entries
    │   ├── Denied                the store does not permit it
    │   ├── InvalidName           no such name can be made (too long, reserved)
    │   ├── Busy                  try again later
    │   ├── NoSpace               disk or quota is full
    │   ├── OffsetError           the offset lies beyond the end of the file
    │   └── StorageFault          an input/output error
    ├── LoginRefused              the account cannot be used
    ├── DataConnectionError       no data connection, or it broke; ``cause`` names why
    ├── ConfigError               a setting is wrong; says where and what to write instead
    ├── CaptureError              a capture cannot be read, or not be made
    └── ClientError               what a user of the client can meet
        ├── ConnectError          no control connection
        │   └── SessionRefused    the server answers the call, and takes no session
        ├── ReplyError            the server answered 4yz or 5yz; ``reply`` holds it
        │   ├── TransientError    4yz
        │   └── PermanentError    5yz
        │       └── LoginError    530 and its kin while logging in
        ├── SessionLost           the control connection ended (421, end of file, reset)
        ├── TransferError         the transfer did not end well
        ├── NoSuchName            nothing on the server has that name, or matches that pattern
        ├── UnsafeName            a name of the server's would lead out of the directory
        └── DeadlineError         a deadline passed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlead.proto.reply import Reply
    from fairlead.reach.cause import Cause


class FairleadError(Exception):
    """Root of all of Fairlead's exceptions; ``str()`` is one sentence for a person."""


class ProtocolError(FairleadError):
    """What came over the wire does not follow the protocol."""


class ArgumentError(ProtocolError):
    """The argument of a command or reply is malformed (RFC 959 section 5.4, code 501)."""


class UnsupportedError(ProtocolError):
    """The argument is well-formed but its value is not served (code 504)."""


class FamilyError(ProtocolError):
    """The network protocol is not supported (RFC 2428, code 522)."""


class TruncatedError(ProtocolError):
    """A data connection closed before the end its representation demands."""


class MismatchError(ProtocolError):
    """The file does not fit the type or structure of the transfer (RFC 1123 section 4.1.3.4, code 555)."""


class PageTypeError(ProtocolError):
    """A page of a page-structured file has a type that is not known (RFC 959 section 5.4, code 551)."""


class LimitError(ProtocolError):
    """A peer sent more than the limit allows."""


class TlsError(ProtocolError):
    """TLS failed: the two could not agree, the peer sent an alert, a record was damaged."""


class CertificateError(TlsError):
    """The peer's certificate is not accepted."""


class PathError(FairleadError):
    """The path can name nothing: it holds NUL or a line end."""


class StorageError(FairleadError):
    """The store refused or failed. ``path`` is the virtual path, never the real one."""

    reason = "The store failed"

    def __init__(self, path: str = "", detail: str = "") -> None:
        super().__init__(path, detail)
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return self.detail or self.reason


class NotFound(StorageError):
    reason = "No such file or directory"


class AlreadyExists(StorageError):
    reason = "The name is already taken"


class IsADirectory(StorageError):
    reason = "It is a directory"


class NotADirectory(StorageError):
    reason = "It is not a directory"


class NotEmpty(StorageError):
    reason = "The directory is not empty"


class Denied(StorageError):
    reason = "Permission denied"


class InvalidName(StorageError):
    reason = "The name is not allowed"


class Busy(StorageError):
    reason = "It is busy, try again later"


class NoSpace(StorageError):
    reason = "There is no space left"


class OffsetError(StorageError):
    reason = "The offset lies beyond the end of the file"


class StorageFault(StorageError):
    reason = "Input/output error"


class LoginRefused(FairleadError):
    """The account cannot be used; the text never tells a wrong name from a wrong password."""


class DataConnectionError(FairleadError):
    """The data connection could not be made, or it broke; ``cause`` names why."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class ConfigError(FairleadError):
    """A setting is wrong; the text says where and what to write instead."""


class CaptureError(FairleadError):
    """A capture cannot be read, or not be made; the text says what to do instead."""


class ClientError(FairleadError):
    """What a user of the client can meet."""


class ConnectError(ClientError):
    """The control connection could not be made."""


class SessionRefused(ConnectError):
    """The server answered the call and took no session: it greeted with 421 or its kin, or ended it at once."""


class ReplyError(ClientError):
    """The server refused a command; ``command`` is what was sent, without secrets."""

    def __init__(self, reply: Reply, command: str = "") -> None:
        super().__init__(reply, command)
        self.reply = reply
        self.command = command

    def __str__(self) -> str:
        said = f"{self.reply.code} {self.reply.text}"
        return f"the server answered {self.command!r} with: {said}" if self.command else said


class TransientError(ReplyError):
    """A 4yz reply: the same command may succeed later."""


class PermanentError(ReplyError):
    """A 5yz reply: the same command will not succeed unchanged."""


class LoginError(PermanentError):
    """The server refused the user name, password or account."""


class SessionLost(ClientError):
    """The control connection ended: 421, end of file or reset."""


class TransferError(ClientError):
    """The transfer did not end well; ``transferred`` counts the bytes that arrived."""

    def __init__(self, message: str, *, transferred: int = 0, **evidence: Any) -> None:
        super().__init__(message)
        self.transferred = transferred
        self.evidence = evidence


class NoSuchName(ClientError):
    """Nothing that the server lists has that name, or matches that pattern."""


class UnsafeName(ClientError):
    """A name that the server made up would lead out of the directory that was chosen."""


class DeadlineError(ClientError):
    """A deadline passed; the text names which."""
