"""Directory listings of any server to entries.

LIST has no format. Which dialect a listing is in, its lines decide together: that one reads it which reads most of
them. A line that it does not know is tried as each of the others, so that one bad line never spoils a listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import NamedTuple

from fairlead.proto.entry import Entry
from fairlead.proto.listing.dialects import mlsx
from fairlead.proto.listing.headings import is_heading
from fairlead.record import Record

Reader = Callable[[str], Entry | None]
"""Takes the lines of one listing in their order; gives the entry that a line tells of, or completes."""


class Dialect(Record):
    """One way in which servers write listings; the module of its name in ``dialects`` reads it."""

    name: str
    title: str
    confidence: float = 1.0
    """That of a line which is of the dialect of its listing: less than 1 where lines tell little to check them by."""

    def reader(self, now: float) -> Reader:
        """A reader for one listing, made at ``now``. The module is loaded here: machine listings need no other."""
        make: Callable[[float], Reader] = import_module(f"fairlead.proto.listing.dialects.{self.name}").reader
        return make(now)


_TABLE = (
    Dialect("mlsx", "MLSD (RFC 3659)"),
    Dialect("eplf", "EPLF"),
    Dialect("netpresenz", "NetPresenz", 0.9),
    Dialect("netware", "NetWare"),
    Dialect("unix", "Unix"),
    Dialect("dos", "DOS and IIS"),
    Dialect("vms", "VMS and MultiNet", 0.9),
    Dialect("mvs", "MVS data sets", 0.9),
    Dialect("pds", "members of MVS partitioned data sets", 0.8),
    Dialect("jes", "JES jobs", 0.9),
    Dialect("zvm", "z/VM (CMS)", 0.9),
    Dialect("os400", "OS/400"),
    Dialect("os2", "OS/2", 0.9),
    Dialect("guardian", "HP NonStop (Guardian)"),
    Dialect("vshell", "VShell", 0.9),
    Dialect("vxworks", "VxWorks", 0.9),
    Dialect("wftpd", "WFTPD", 0.9),
)
_BY_NAME = {dialect.name: dialect for dialect in _TABLE}

DIALECTS = tuple(_BY_NAME)
"""The dialects that are read; of two that read equally many lines of a listing the first one is right."""

_HERE_AND_ABOVE = frozenset((".", ".."))
_SAMPLE = 100
_STRAY = 0.5


class Listing(NamedTuple):
    """What a listing tells."""

    entries: list[Entry]
    unread: list[str]
    """Lines that no dialect knows and that are no headings: there may be more than ``entries``."""


def parse(lines: Iterable[str], *, now: float, hint: str | None = None) -> list[Entry]:
    """The entries of a listing, as :func:`read_listing` has them; a line that no dialect knows spoils nothing."""
    return read_listing(lines, now=now, hint=hint).entries


def read_listing(lines: Iterable[str], *, now: float, hint: str | None = None) -> Listing:
    """The entries of a listing, in its order, without ``.`` and ``..``, and the lines that were not understood.

    ``now``, in seconds since the epoch, is when the listing was made, for dialects that leave out the year. ``hint`` is
    the dialect that is right where none reads more lines (one of :data:`DIALECTS`, else ValueError); lines of an MLSD
    should come with ``mlsx``, the only hint under which a line without facts is read.
    """
    texts = [line.removesuffix("\n").removesuffix("\r") for line in lines]
    bare = hint == "mlsx"
    if hint is not None and hint not in _BY_NAME:
        raise ValueError(f"{hint!r} is no dialect; those are {', '.join(DIALECTS)}")
    dialect, read = _BY_NAME["mlsx"], mlsx.reader(bare=True)
    if not bare or not all(read(text) or mlsx.is_heading(text) for text in texts[:_SAMPLE]):
        dialect = _dialect(texts, now, hint)
        read = _reader(dialect, now, bare=bare)
    confidence = dialect.confidence
    others: list[tuple[Reader, float]] = []
    entries: list[Entry] = []
    unread: list[str] = []
    for text in texts:
        entry = read(text)
        if entry is None:
            if not text or (bare and mlsx.is_heading(text)):
                continue
            others = others or _others(dialect, now)
            entry = _stray(text, others)
            if entry is None:
                unread.append(text)
                continue
        elif confidence < 1:
            entry = entry._replace(confidence=confidence)
        if unread and entry.raw.startswith(f"{unread[-1]}\n"):  # which told too little alone
            unread.pop()
        if entry.name not in _HERE_AND_ABOVE:
            entries.append(entry)
    return Listing(entries, [text for text in unread if not is_heading(text)])


def _dialect(texts: Sequence[str], now: float, hint: str | None) -> Dialect:
    """The one that reads most of the first lines that any reads."""
    ranked = sorted(_TABLE, key=lambda dialect: dialect.name != hint)
    for start in range(0, len(texts), _SAMPLE):
        sample = texts[start : start + _SAMPLE]
        right, most = ranked[0], 0
        for dialect in ranked:
            votes = sum(map(_is_entry, map(_reader(dialect, now, bare=hint == "mlsx"), sample)))
            if votes > most:
                right, most = dialect, votes
        if most:
            return right
    return ranked[0]


def _is_entry(entry: Entry | None) -> bool:
    return entry is not None


def _reader(dialect: Dialect, now: float, *, bare: bool) -> Reader:
    return mlsx.reader(bare=True) if bare and dialect.name == "mlsx" else dialect.reader(now)


def _others(dialect: Dialect, now: float) -> list[tuple[Reader, float]]:
    return [(other.reader(now), _STRAY * other.confidence) for other in _TABLE if other is not dialect]


def _stray(text: str, others: Iterable[tuple[Reader, float]]) -> Entry | None:
    for read, confidence in others:
        entry = read(text)
        if entry is not None:
            return entry._replace(confidence=confidence)
    return None
