"""Which way a mirror goes: what looking at both ends, copying a file and changing the target are in either of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict

from fairlead.client._files import Transferred
from fairlead.client._flow import Progress
from fairlead.client.aio import AsyncClient
from fairlead.client.mirror.plan import Rules, Step
from fairlead.client.mirror.tree import Tree, Wanted
from fairlead.record import Record


def everything(path: str, directory: bool) -> bool:  # noqa: ARG001 - it fits the predicate's type
    """What is mirrored unless somebody is choosy."""
    return True


class Choices(TypedDict, total=False):
    """How to mirror, as arguments; :class:`Options` says what each means, and what it is unless chosen."""

    delete: bool
    newer: bool
    wanted: Wanted
    prune: bool
    follow_links: bool
    verify: bool
    times: bool
    in_place: bool


class Options(Record):
    """How to mirror, whichever way."""

    delete: bool = False
    """Whether what the source does not have is removed from the target, once everything else is done."""
    newer: bool = False
    """Whether a file is replaced by a newer one only, whatever their sizes."""
    wanted: Wanted = everything
    """Called with a path, relative to the directory, and whether it is a directory's: what is not wanted is neither
    copied nor removed."""
    prune: bool = False
    """Whether directories without files are left out."""
    follow_links: bool = False
    """Whether a link of the source is copied as what it leads to, not passed over."""
    verify: bool = False
    """Whether each copy is held against its original, as by :meth:`fairlead.client.sync.Client.download`."""
    times: bool = True
    """Whether copies get the times of their originals."""
    in_place: bool = False
    """Whether files are stored under their own names, where half of one may be seen, not under another one first."""


class Direction(Protocol):
    """One way."""

    changes_server: bool
    """Whether the target is the server's end, so that changes need a session."""

    async def look(self) -> tuple[Tree, Tree, Rules]:
        """The source, the target, and what counts as a difference. Raises NoSuchName where there is no source."""

    async def make_top(self) -> None:
        """Make the directory that is the target."""

    async def change(self, ftp: AsyncClient | None, step: Step) -> None:
        """Make a directory of the target, or remove something from it."""

    async def prepare(self, ftp: AsyncClient, steps: Sequence[Step]) -> None:
        """Find out what copying a handful of files needs to know of them."""

    async def copy(self, ftp: AsyncClient, step: Step, progress: Progress | None) -> Transferred:
        """Copy a file; called once more it goes on where it was cut."""

    def close(self) -> None:
        """Nothing more is to be done."""
