from __future__ import annotations

import pytest

from fairlead.proto.entry import Entry
from fairlead.proto.listing.dialects.jes import parse_jes


@pytest.mark.parametrize(
    ("line", "name", "owner"),
    [
        ("SMITHA   JOB00017 SMITH    OUTPUT A        RC=0000 4 spool files", "JOB00017", "SMITH"),
        ("SMITHA   J0000017 SMITH    ACTIVE", "J0000017", "SMITH"),
        ("SMITHA   TSU00017 SMITH    HELD   A  ABEND=806 2 spool files", "TSU00017", "SMITH"),
        ("SMITHA   STC00017 OUTPUT    3 Spool Files", "STC00017", None),
        ("SMITHA   JOB00017 INPUT", "JOB00017", None),
    ],
)
def test_jobs_go_by_their_id(line: str, name: str, owner: str | None) -> None:
    assert parse_jes(line) == Entry(name, owner=owner, raw=line)


@pytest.mark.parametrize(
    "line", ["", "JOBNAME  JOBID    OWNER    STATUS CLASS", "SMITHA JOB17 SMITH OUTPUT", "SMITHA JOB00017 SMITH DONE"]
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_jes(line) is None
