"""Faults of listings: without end, cut short, of names that lead elsewhere, of directories within themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fairlead.proto.entry import Entry, Kind
from fairlead.testing.faults.base import LISTINGS, Fault, fault

if TYPE_CHECKING:
    from fairlead.testing.answering import Session

NAMES = (
    "../escaped",
    "/tmp/fairlead-escaped",  # noqa: S108 - nobody is to make it
    "..",
    "sub/../../escaped",
    "..\\escaped",
    "C:\\escaped",
    "C:escaped",
    "nul\0escaped",
    "-rf",
    "|touch escaped",
    "\x1b[2Jescaped",
)
"""Names that lead out of a directory, or that a shell, a program's options or a terminal would take for more."""
_A_NAME = "RFC 3659 section 7.2: an entry's name is that of a file in the directory listed"


@fault("half-listing", breaks="RFC 959 section 5.4: 226 tells that the requested action was successful")
@dataclass(frozen=True)
class HalfListing(Fault):
    """Ends a listing in the middle of its last line, and says 226."""

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        whole = b"".join(pieces)
        yield whole[:-12] if verb in LISTINGS else whole


@fault("endless-listing", breaks="none; no document says how long a listing may be, so that clients need a limit")
@dataclass(frozen=True)
class EndlessListing(Fault):
    """Lists files without end."""

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        if verb not in LISTINGS:
            yield from pieces
            return
        block = b"".join(session.line(verb, Entry(f"file-{number}", size=1)) for number in range(1000))
        while not session.over:
            yield block


@fault("hostile-names", breaks=_A_NAME)
@dataclass(frozen=True)
class HostileNames(Fault):
    """Lists names that lead out of the directory, look like options or move the terminal's cursor."""

    names: Sequence[str] = NAMES
    serves_anything: ClassVar = True

    def lists(self, path: str, entries: Sequence[Entry]) -> Sequence[Entry]:
        """See :class:`Fault`."""
        return [*entries, *(Entry(name, size=len(session_file(name))) for name in self.names)]


@fault("link-first", breaks="RFC 3659 section 7.5: one name is one entry, of one type")
@dataclass(frozen=True)
class LinkFirst(Fault):
    """Lists a link out of the tree, then a directory of the same name with a file in it."""

    link: str = "way"
    target: str = "/tmp"  # noqa: S108 - any directory that a client could be led to
    file: str = "fairlead-planted"
    serves_anything: ClassVar = True

    def lists(self, path: str, entries: Sequence[Entry]) -> Sequence[Entry]:
        """See :class:`Fault`."""
        if path != "/":
            return [Entry(self.file, size=len(session_file(self.file)))]
        link = Entry(self.link, kind=Kind.LINK, target=self.target)
        return [*entries, link, Entry(self.link, kind=Kind.DIRECTORY)]

    def has_directory(self, path: str) -> bool:
        """See :class:`Fault`."""
        return path == f"/{self.link}"


@fault("listing-loop", breaks="none; a link may make a directory its own descendant, so that clients need a limit")
@dataclass(frozen=True)
class ListingLoop(Fault):
    """Lists in each directory a directory that is the same one again."""

    name_of_loop: str = "again"

    def lists(self, path: str, entries: Sequence[Entry]) -> Sequence[Entry]:
        """See :class:`Fault`."""
        return [*entries, Entry(self.name_of_loop, kind=Kind.DIRECTORY)]

    def has_directory(self, path: str) -> bool:
        """See :class:`Fault`."""
        return set(path.split("/")) <= {"", self.name_of_loop}


def session_file(path: str) -> bytes:
    """What a server that has every file serves as the file ``path``."""
    return f"this is {path!r}\n".encode()
