"""Listings of jobs by MVS (z/OS) after SITE FILETYPE=JES: job name, job id, owner, status, class, what it left."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry

_NAME = r"[A-Z0-9$#@*?]{1,8}"
_LINE = re.compile(
    rf" {{0,4}}{_NAME} {{1,8}}((?:JOB|TSU|STC)[0-9]{{5}}|[JTS][0-9]{{7}}) {{1,8}}(?:({_NAME}) {{1,8}})?"
    r"(?:INPUT|HELD|ACTIVE|OUTPUT|EXEC|UNKNOWN)(?: .*)?",
    re.DOTALL,
)


def parse_jes(line: str) -> Entry | None:
    """The job a line tells of, None where it tells of none. Its id is its name, for that is what RETR takes."""
    match = _LINE.fullmatch(line)
    return None if match is None else Entry(name=match[1], owner=match[2], raw=line)


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_jes
