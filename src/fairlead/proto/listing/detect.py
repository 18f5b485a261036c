"""Directory listings of any server to entries.

LIST has no format. Which dialect a listing is in, its lines decide together: that one reads it which reads most of
them. A line that it does not know is tried as each of the others, so that one bad line never spoils a listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fairlead.proto.entry import Entry
from fairlead.proto.listing.dialects.dos import parse_dos
from fairlead.proto.listing.dialects.eplf import parse_eplf
from fairlead.proto.listing.dialects.guardian import parse_guardian
from fairlead.proto.listing.dialects.jes import parse_jes
from fairlead.proto.listing.dialects.mvs import mvs
from fairlead.proto.listing.dialects.netpresenz import netpresenz
from fairlead.proto.listing.dialects.netware import netware
from fairlead.proto.listing.dialects.os2 import parse_os2
from fairlead.proto.listing.dialects.os400 import parse_os400
from fairlead.proto.listing.dialects.pds import pds
from fairlead.proto.listing.dialects.unix import unix
from fairlead.proto.listing.dialects.vms import vms
from fairlead.proto.listing.dialects.vshell import parse_vshell
from fairlead.proto.listing.dialects.vxworks import parse_vxworks
from fairlead.proto.listing.dialects.wftpd import parse_wftpd
from fairlead.proto.listing.dialects.zvm import parse_zvm
from fairlead.proto.listing.mlsx import parse_mlsd
from fairlead.record import Record

Reader = Callable[[str], Entry | None]
"""Takes the lines of one listing in their order; gives the entry that a line tells of, or completes."""


class Dialect(Record):
    """One way in which servers write listings."""

    name: str
    title: str
    reader: Callable[[float], Reader]
    """Given ``now``, makes a reader for one listing."""
    confidence: float = 1.0
    """That of a line which is of the dialect of its listing: less than 1 where lines tell little to check them by."""


def _timeless(read: Reader) -> Callable[[float], Reader]:
    """For dialects whose lines are read one by one, whatever the year."""
    return lambda _: read


_TABLE = (
    Dialect("mlsx", "MLSD (RFC 3659)", _timeless(parse_mlsd)),
    Dialect("eplf", "EPLF", _timeless(parse_eplf)),
    Dialect("netpresenz", "NetPresenz", netpresenz, 0.9),
    Dialect("netware", "NetWare", netware),
    Dialect("unix", "Unix", unix),
    Dialect("dos", "DOS and IIS", _timeless(parse_dos)),
    Dialect("vms", "VMS and MultiNet", lambda _: vms(), 0.9),
    Dialect("mvs", "MVS data sets", lambda _: mvs(), 0.9),
    Dialect("pds", "members of MVS partitioned data sets", lambda _: pds(), 0.8),
    Dialect("jes", "JES jobs", _timeless(parse_jes), 0.9),
    Dialect("zvm", "z/VM (CMS)", _timeless(parse_zvm), 0.9),
    Dialect("os400", "OS/400", _timeless(parse_os400)),
    Dialect("os2", "OS/2", _timeless(parse_os2), 0.9),
    Dialect("guardian", "HP NonStop (Guardian)", _timeless(parse_guardian)),
    Dialect("vshell", "VShell", _timeless(parse_vshell), 0.9),
    Dialect("vxworks", "VxWorks", _timeless(parse_vxworks), 0.9),
    Dialect("wftpd", "WFTPD", _timeless(parse_wftpd), 0.9),
)
_BY_NAME = {dialect.name: dialect for dialect in _TABLE}

DIALECTS = tuple(_BY_NAME)
"""The dialects that are read; of two that read equally many lines of a listing the first one is right."""

_HERE_AND_ABOVE = frozenset((".", ".."))
_SAMPLE = 100
_STRAY = 0.5


def parse(lines: Iterable[str], *, now: float, hint: str | None = None) -> list[Entry]:
    """The entries of a listing, in its order, without ``.`` and ``..``.

    ``now``, in seconds since the epoch, is when the listing was made, for dialects that leave out the year. ``hint`` is
    the dialect that is right where none reads more lines (one of :data:`DIALECTS`, else ValueError); lines of an MLSD
    should come with ``mlsx``, the only hint under which a line without facts is read. A line that no dialect knows is
    left out and spoils nothing.
    """
    texts = [line.removesuffix("\n").removesuffix("\r") for line in lines]
    bare = hint == "mlsx"
    dialect = _dialect(texts, now, None if hint is None else DIALECTS[DIALECTS.index(hint)], bare=bare)
    read = _reader(dialect, now, bare=bare)
    confidence = dialect.confidence
    others: list[tuple[Reader, float]] = []
    entries: list[Entry] = []
    for text in texts:
        entry = read(text)
        if entry is None:
            others = others or [
                (_reader(other, now), _STRAY * other.confidence) for other in _TABLE if other is not dialect
            ]
            entry = _stray(text, others)
            if entry is None:
                continue
        elif confidence < 1:
            entry = replace(entry, confidence=confidence)
        if entry.name not in _HERE_AND_ABOVE:
            entries.append(entry)
    return entries


def _dialect(texts: Sequence[str], now: float, hint: str | None, *, bare: bool) -> Dialect:
    """The one that reads most of the first lines that any reads."""
    ranked = sorted(_TABLE, key=lambda dialect: dialect.name != hint)
    for start in range(0, len(texts), _SAMPLE):
        sample = texts[start : start + _SAMPLE]
        votes = [sum(map(_is_entry, map(_reader(dialect, now, bare=bare), sample))) for dialect in ranked]
        most = max(votes)
        if most:
            return ranked[votes.index(most)]
    return ranked[0]


def _is_entry(entry: Entry | None) -> bool:
    return entry is not None


def _reader(dialect: Dialect, now: float, *, bare: bool = False) -> Reader:
    if bare and dialect.name == "mlsx":
        return _bare_mlsd
    return dialect.reader(now)


def _bare_mlsd(text: str) -> Entry | None:
    return parse_mlsd(text, bare=True)


def _stray(text: str, others: Iterable[tuple[Reader, float]]) -> Entry | None:
    for read, confidence in others if text else ():
        entry = read(text)
        if entry is not None:
            return replace(entry, confidence=confidence)
    return None
