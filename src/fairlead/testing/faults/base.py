"""What a fault is: the points of a session at which a server can do wrong, each of which a fault may take over.

A fault is a frozen dataclass, its fields say how bad it is. The table of all of them, :data:`FAULTS`, is filled by
their declarations; the documentation is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from fairlead.proto.entry import Entry

if TYPE_CHECKING:
    from fairlead.testing.answering import Session

LISTINGS = frozenset({"LIST", "NLST", "MLSD"})


@dataclass(frozen=True)
class Fault:
    """A server that keeps to the rules; what a fault overrides is what its server does otherwise."""

    name: ClassVar[str] = ""
    breaks: ClassVar[str] = ""
    """The rule that is broken, and where it stands."""
    serves_anything: ClassVar[bool] = False
    """Whether every name is that of a file."""
    resumes_tls: ClassVar[bool] = True
    """Whether data connections may resume the TLS session of the control connection."""

    def greets(self, session: Session) -> bool:
        """Called when a client has connected; whether the greeting was seen to here."""
        return False

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """Called for each command; whether it was seen to here."""
        return False

    def announces(self, session: Session, host: str, port: int) -> tuple[str, int]:
        """The address that 227 and 229 announce, where the server listens at ``host`` and ``port``."""
        return host, port

    def lists(self, path: str, entries: Sequence[Entry]) -> Sequence[Entry]:
        """What the directory ``path`` holds."""
        return entries

    def has_directory(self, path: str) -> bool:
        """Whether ``path`` is a directory although no file lies in it."""
        return False

    def opens(self, session: Session) -> None:
        """Called when the data connection of a transfer stands, before its first octet."""

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The octets that go over the data connection in place of ``pieces``."""
        return pieces

    def closes(self, session: Session) -> bool:
        """Called when the data has been sent; whether the data connection was closed here."""
        return False

    def concludes(self, session: Session, reply: str) -> str:
        """The final reply of a transfer, empty for none."""
        return reply


F = TypeVar("F", bound=type[Fault])

FAULTS: dict[str, type[Fault]] = {}
"""Every fault by its name; its docstring's first line says what the server does."""


def fault(name: str, *, breaks: str) -> Callable[[F], F]:
    """Declare a fault under ``name``; ``breaks`` is the rule, with the section where it stands."""

    def declare(kind: F) -> F:
        kind.name, kind.breaks = name, breaks
        FAULTS[name] = kind
        return kind

    return declare
