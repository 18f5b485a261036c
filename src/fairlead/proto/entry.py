"""One file's facts, as a listing tells them and as the server and the client share them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a listing; None stands for what the listing did not tell."""

    name: str
    kind: Kind = Kind.FILE
    size: int | None = None
    """Octets of a file."""
    modified: datetime | None = None
    """Aware, in UTC. Of listings that show the server's local time it is that, taken as UTC."""
    created: datetime | None = None
    permissions: str | None = None
    """As listed: ``rwxr-xr-x`` of a Unix listing, the letters of the perm fact (``adfrw``) of MLSD."""
    owner: str | None = None
    group: str | None = None
    target: str | None = None
    """Where a link points, as text."""
    unique: str | None = None
    """Equal for two names of one file (RFC 3659 section 7.5.2)."""
    raw: str = ""
    """The line as it came."""
