"""The times of many files, asked for at once where listings have no seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.client._face import session_of
from fairlead.client._facts import mtimes
from fairlead.client._wires.blocking import step
from fairlead.errors import ArgumentError
from tests.client.script import on, session

FEATURES = (on("FEAT", "211-Features:\r\n MDTM\r\n211 End"),)


def test_questions_go_out_at_once_and_what_has_no_time_has_none() -> None:
    asked = on("MDTM a", "213 20200102030405"), on("MDTM b", "550 no"), on("MDTM c d", "213 soon")
    with session(*asked, features=FEATURES) as s:
        before = len(s.play.raw)
        assert step(mtimes(session_of(s.ftp), ["a", "b", "c d"])) == [
            datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
            None,
            None,
        ]
        assert bytes(s.play.raw[before:]) == b"MDTM a\r\nMDTM b\r\nMDTM c d\r\n"


def test_server_without_mdtm_is_not_asked() -> None:
    with session() as s:
        assert step(mtimes(session_of(s.ftp), ["a", "b"])) == [None, None]


def test_nothing_is_asked_where_one_name_cannot_be_said() -> None:
    with session(features=FEATURES) as s, pytest.raises(ArgumentError):
        step(mtimes(session_of(s.ftp), ["a", "b\r\nDELE c"]))
