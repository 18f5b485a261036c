"""Whether a file has to be copied again: by size and time, or by time alone."""

from __future__ import annotations

from enum import StrEnum

from fairlead.client.mirror.tree import Item


class Reason(StrEnum):
    """Why a file is copied."""

    MISSING = "new"
    SIZE = "size differs"
    NEWER = "newer"
    OLDER = "older"
    UNKNOWN = "size unknown"
    IN_THE_WAY = "in the way"
    EXTRA = "not in the source"


def difference(source: Item, target: Item, *, only_newer: bool = False, dated: bool = True) -> Reason | None:
    """Why the file ``target`` is no copy of the file ``source``; None where it is one, as far as can be seen.

    ``only_newer`` takes nothing but a later time of the source for a reason. ``dated`` says that copies have the times
    of their originals; where they have not, a copy that is later than its original is as good.
    """
    if only_newer:
        return _time(source, target, dated=False)
    if source.size is None or target.size is None:
        known = source.modified is not None and target.modified is not None
        return _time(source, target, dated=dated) if known else Reason.UNKNOWN
    if source.size != target.size:
        return Reason.SIZE
    return _time(source, target, dated=dated)


def _time(source: Item, target: Item, *, dated: bool) -> Reason | None:
    if source.modified is None or target.modified is None or source.modified.meets(target.modified):
        return None
    if source.modified.after(target.modified):
        return Reason.NEWER
    return Reason.OLDER if dated else None
