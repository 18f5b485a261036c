"""The commands: each declared once, everything else about them derived from the declaration.

A module under :mod:`fairlead.server.commands` declares its handlers with :func:`command`; dispatch and its prechecks,
HELP, FEAT and the reference read them from :data:`COMMANDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from fairlead.accounts.base import Right
from fairlead.proto.reply import Reply
from fairlead.record import Record

if TYPE_CHECKING:
    from fairlead.server.session import Session

Handler: TypeAlias = "Callable[[Session, str], Reply | Coroutine[Any, Any, Reply]]"
Feature: TypeAlias = "str | Callable[[Session], str]"


class Argument(Enum):
    """Whether a command takes an argument."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Urgency(Enum):
    """What happens to a command that arrives during a transfer."""

    NONE = "waits for the end of the transfer"
    ANSWERED = "is answered at once, the transfer goes on"
    STOPS = "stops the transfer, then is answered in its turn"


class Spec(Record):
    """One command, as declared."""

    verb: str
    handler: Handler
    syntax: str
    """The argument as HELP shows it."""
    argument: Argument
    login: bool
    """Answered 530 before login."""
    after: str
    """The verb whose success must come right before (503)."""
    right: Right
    """What the account must be allowed to do with the path."""
    path: bool
    """The argument is a path: the handler gets it absolute and normalised."""
    data: bool
    """Moves data over a data connection."""
    urgency: Urgency
    keeps_restart: bool
    """Leaves the offset of a REST for the transfer after it (RFC 3659 section 5.3)."""
    keeps_order: bool
    """May stand between two commands of which one must follow the other: RNFR and RNTO, USER and PASS."""
    storage: bool
    """Calls the store and nothing else: may run in a thread where the store is slow."""
    secret: bool
    """The argument is masked wherever it is shown."""
    private: bool
    """Answered 530 in clear where TLS is required, its argument unread."""
    feature: Feature
    """The line in FEAT; empty for none."""
    alias_of: str


COMMANDS: dict[str, Spec] = {}

OPTIONS: dict[str, Callable[[Session, str], Reply]] = {}
"""What OPTS sets, by the name of the command it belongs to (RFC 2389 section 4)."""


class SiteSpec(Record):
    """One subcommand of SITE."""

    handler: Handler
    syntax: str
    storage: bool
    """As in :class:`Spec`."""


SITE: dict[str, SiteSpec] = {}

NOT_IMPLEMENTED = frozenset("MFCT SMNT SPSV".split())
"""Verbs of the standards and of other servers that are known here and answered 502."""


def command(
    verb: str,
    *,
    syntax: str = "",
    argument: Argument = Argument.NONE,
    login: bool = True,
    after: str = "",
    right: Right = Right.NONE,
    path: bool = False,
    data: bool = False,
    urgency: Urgency = Urgency.NONE,
    keeps_restart: bool = False,
    keeps_order: bool = False,
    storage: bool = False,
    secret: bool = False,
    private: bool = False,
    feature: Feature = "",
    aliases: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare the handler of ``verb``; see :class:`Spec` for what each argument means."""

    def declare(handler: Handler) -> Handler:
        for name in (verb, *aliases):
            if name in COMMANDS:
                message = f"{name} is declared twice"
                raise ValueError(message)
            COMMANDS[name] = Spec(
                verb=name,
                handler=handler,
                syntax=syntax,
                argument=argument,
                login=login,
                after=after,
                right=right,
                path=path,
                data=data,
                urgency=urgency,
                keeps_restart=keeps_restart,
                keeps_order=keeps_order,
                storage=storage,
                secret=secret,
                private=private,
                feature=feature if name == verb else "",
                alias_of=verb if name != verb else "",
            )
        return handler

    return declare


def option(name: str) -> Callable[[Callable[[Session, str], Reply]], Callable[[Session, str], Reply]]:
    """Declare what ``OPTS name`` does with the rest of its argument."""

    def declare(handler: Callable[[Session, str], Reply]) -> Callable[[Session, str], Reply]:
        OPTIONS[name] = handler
        return handler

    return declare


def site(name: str, *, syntax: str, storage: bool = False) -> Callable[[Handler], Handler]:
    """Declare a subcommand of SITE."""

    def declare(handler: Handler) -> Handler:
        SITE[name] = SiteSpec(handler, syntax, storage)
        return handler

    return declare
