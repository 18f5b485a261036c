"""Exceptions to exit codes, and to one sentence on standard error."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable

from fairlead.client._security import ADVICE
from fairlead.client.trace import printable
from fairlead.errors import (
    ArgumentError,
    CaptureError,
    ConfigError,
    ConnectError,
    DataConnectionError,
    DeadlineError,
    FairleadError,
    LoginError,
    PathError,
    ProtocolError,
    ReplyError,
    SessionLost,
    TlsError,
)
from fairlead.reach.cause import Cause
from fairlead.reach.login import refused_in_clear

DONE, FAILED, USAGE, NO_CONNECTION, NO_LOGIN, NO_DATA_CONNECTION, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConnectError, NO_CONNECTION),
    (TlsError, NO_CONNECTION),
    (LoginError, NO_LOGIN),
    (DataConnectionError, NO_DATA_CONNECTION),
    (ArgumentError, USAGE),
    (PathError, USAGE),
    (ConfigError, USAGE),
    (CaptureError, USAGE),
)
_LOGIN_COMMANDS = {"USER", "PASS", "ACCT"}
_TAKE_TLS = "the server wants TLS: do not turn it off (--tls)"
_OPTIONS = {
    "(ca)": "(--ca FILE)",
    "(pin)": "(--pin SHA256)",
    "(known_hosts)": "(--tofu)",
    "set tls to off": "let it go in clear (--tls off)",
}
"""What the library calls a setting, and what it is called here."""
_UNANSWERED = "try again later, or allow more time by --timeout"
_NEXT: dict[type[Exception], str] = {
    ConnectError: _UNANSWERED,
    DeadlineError: _UNANSWERED,
    SessionLost: "try again later",
    ProtocolError: "check that host and port are those of an FTP server",
    TlsError: "check the port and --tls; fairlead doctor looks closer",
}
"""What to do after errors whose own words, which stand in ladders and logs as well, only say what happened."""
_NEXT_HERE = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "choose another name",
    errno.EACCES: "check what you are allowed to do there",
    errno.EPERM: "check what you are allowed to do there",
    errno.EROFS: "choose another place",
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
}
"""The same after the usual errors of the file system here."""


def guarded(args: argparse.Namespace, action: Callable[[argparse.Namespace], int]) -> int:
    """Run ``action``; what it raises becomes an exit code and a sentence, with a traceback only under ``--debug``."""
    try:
        code = action(args)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: nothing more to flush
        return FAILED
    except KeyboardInterrupt:
        resuming = "--resume goes on from here" if hasattr(args, "resume") else getattr(args, "resuming", "")
        say(f"interrupted; {resuming}" if resuming else "interrupted")
        return INTERRUPTED
    except (FairleadError, OSError) as error:
        if args.debug:
            import traceback

            traceback.print_exception(error)
        say(sentence(error))
        return exit_code(error)
    return code


def exit_code(error: Exception) -> int:
    """The exit code that stands for ``error``."""
    if isinstance(error, ReplyError) and error.command in _LOGIN_COMMANDS:
        return NO_LOGIN
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def sentence(error: Exception, *, advice: str = "") -> str:
    """What happened and what to do next: ``advice`` where it is given and the error itself does not say."""
    text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    if isinstance(error, TlsError | ConnectError):
        for argument, option in _OPTIONS.items():
            text = text.replace(argument, option)
    if isinstance(error, ReplyError):
        advice = _advice(error)
    elif _wants_tls(error):
        advice = _TAKE_TLS
    elif "; " in text:
        return text
    else:
        advice = advice or (_NEXT_HERE.get(error.errno or 0, "") if isinstance(error, OSError) else "")
        advice = advice or _NEXT.get(type(error), "")
    return f"{text.rstrip('.')}; {advice}" if advice else text


def _wants_tls(error: Exception) -> bool:
    """Whether a server ended a session in clear for its being in clear: Pure-FTPd says 421."""
    text = str(error)
    return isinstance(error, SessionLost | ConnectError) and ": 421 " in text and _in_clear(text)


def _in_clear(refusal: str) -> bool:
    return refused_in_clear(refusal) is Cause.TLS_REQUIRED


def _advice(error: ReplyError) -> str:
    if error.reply.code in ADVICE:
        return ADVICE[error.reply.code]
    if error.reply.transient:
        return "try again later"
    if exit_code(error) == NO_LOGIN:
        return _TAKE_TLS if _in_clear(error.reply.text) else "check the user name and the password"
    return "check the path and what you are allowed to do there"


def say(text: str) -> None:
    """One line on standard error."""
    print(f"fairlead: {printable(' '.join(text.splitlines()))}", file=sys.stderr)
