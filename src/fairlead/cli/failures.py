"""Exceptions to exit codes, and to one sentence on standard error."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable

from fairlead.client._security import ADVICE
from fairlead.client.trace import printable
from fairlead.errors import (
    ArgumentError,
    CaptureError,
    CertificateError,
    ConfigError,
    ConnectError,
    DataConnectionError,
    FairleadError,
    LoginError,
    PathError,
    ReplyError,
    TlsError,
)

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
            traceback.print_exception(error)
        say(sentence(error))
        return exit_code(error)
    return code


def exit_code(error: Exception) -> int:
    """The exit code that stands for ``error``."""
    if isinstance(error, ReplyError) and error.command in _LOGIN_COMMANDS:
        return NO_LOGIN
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def sentence(error: Exception) -> str:
    """What happened and what to do next."""
    text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    if isinstance(error, ReplyError):
        text = f"{text.rstrip('.')}; {_advice(error)}"
    if isinstance(error, CertificateError):
        text += " (--ca FILE, --pin SHA256 or --tofu say whom to trust)"
    return text


def _advice(error: ReplyError) -> str:
    if error.reply.code in ADVICE:
        return ADVICE[error.reply.code]
    if error.reply.transient:
        return "try again later"
    if exit_code(error) == NO_LOGIN:
        return "check the user name and the password"
    return "check the path and what you are allowed to do there"


def say(text: str) -> None:
    """One line on standard error."""
    print(f"fairlead: {printable(text)}", file=sys.stderr)
